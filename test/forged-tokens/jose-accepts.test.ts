/**
 * Tokens that jose 6.2.17 accepts. The service must refuse most of them.
 */
import { describe, expect, it } from "vitest";
import {
  ABSENT,
  applicationClaims,
  applicationToken,
  change,
  mint,
  replacePart,
  userClaims,
  userToken,
  v1UserToken,
  validHeader,
  withHeader,
} from "./support/mint.ts";
import { createService, KEY_SET_URL, type Row, row, strictService, v1Service } from "./support/service.ts";
import { attackerKey, entraKey, HOUR, MINUTE, NOW, publish, SERVICE_ID, V1_AUDIENCE } from "./support/tenant.ts";

const valid = userToken();
const json = JSON.stringify(userClaims);
/** The valid claims with more JSON text before the closing brace. */
const jsonWith = (more: string) => mint({ payload: `${json.slice(0, -1)},${more}}` });
const applicationJsonWith = (more: string) =>
  mint({ payload: `${JSON.stringify(change(applicationClaims, { roles: ABSENT })).slice(0, -1)},${more}}` });
const headerText = (text: string) => mint({ header: text });
const days = (count: number) => count * 24 * HOUR;

const headerRows: readonly Row[] = [
  row(
    "JW-21",
    "a token with jwk in its header",
    withHeader({ jwk: entraKey.publicKey.export({ format: "jwk" }) }),
    "header_not_allowed",
  ),
  row(
    "JW-21",
    "a token with jku in its header",
    withHeader({ jku: "https://attacker.example/keys" }),
    "header_not_allowed",
  ),
  row("JW-21", "a token with Entra's key set URL as jku", withHeader({ jku: KEY_SET_URL }), "header_not_allowed"),
  row(
    "JW-21",
    "a token with x5u in its header",
    withHeader({ x5u: "https://attacker.example/cert" }),
    "header_not_allowed",
  ),
  row("JW-21", "a token with x5c in its header", withHeader({ x5c: ["MIID"] }), "header_not_allowed"),
  row("JW-21", "a token with a wrong x5t, which the service ignores,", withHeader({ x5t: "wrong" }), "accepted"),
  row("JW-22", "a token with b64 false and without crit", withHeader({ b64: false }), "header_not_allowed"),
  row("JW-22", "a token with b64 true in crit", withHeader({ b64: true, crit: ["b64"] }), "header_not_allowed"),
  row("JW-22", "a token with zip in its header", withHeader({ zip: "DEF" }), "header_not_allowed"),
  row("JW-22", "a token with enc in its header", withHeader({ enc: "A256GCM" }), "header_not_allowed"),
  ...["cty", "epk", "p2c", "p2s"].map((name) =>
    row("JW-22", `a token with ${name} in its header`, withHeader({ [name]: 1 }), "header_not_allowed"),
  ),
  row("JW-22", "a token with nonce in its header", withHeader({ nonce: 1 }), "graph_token"),
  row("JW-22", "a token with nonce and jwk in its header", withHeader({ nonce: 1, jwk: {} }), "header_not_allowed"),
  row(
    "JW-23",
    "a token with alg twice in its header",
    headerText(`{"alg":"none","typ":"JWT","kid":"${entraKey.keyId}","alg":"RS256"}`),
    "not_json",
  ),
  row(
    "JW-23",
    "a token with alg twice in its header, once escaped,",
    headerText(`{"\\u0061lg":"none","typ":"JWT","kid":"${entraKey.keyId}","alg":"RS256"}`),
    "not_json",
  ),
  row("JW-32", "a token with typ dpop+jwt", withHeader({ typ: "dpop+jwt" }), "header_type"),
  row("JW-32", "a token with typ at+jwt", withHeader({ typ: "at+jwt" }), "header_type"),
  row("JW-32", "a token with typ application/jwt", withHeader({ typ: "application/jwt" }), "header_type"),
  row("JW-32", "a token with typ jwt in lower case", withHeader({ typ: "jwt" }), "header_type"),
  row("JW-32", "a token without typ", withHeader({ typ: ABSENT }), "header_type"),
  row("JW-32", "a token with an array as typ", withHeader({ typ: ["JWT"] }), "header_type"),
];

const claimRows: readonly Row[] = [
  row("JW-23", "a token with two values of one claim", jsonWith('"tid":"x"'), "not_json"),
  row("JW-23", "a token with one claim twice and the same value", jsonWith('"ver":"2.0"'), "not_json"),
  row("JW-23", "a token with one member twice in a nested object", jsonWith('"x":[{"y":{"z":1,"z":2}}]'), "not_json"),
  row("JW-23", "a token with the same name in two objects", jsonWith('"x":[{"tid":1},{"tid":2}]'), "accepted"),
  row(
    "JW-23",
    "a token with a repeated member inside a string",
    jsonWith('"x":"{\\"tid\\":1,\\"tid\\":2}"'),
    "accepted",
  ),
  row(
    "JW-24",
    "a token with an array of the service and another API as aud",
    userToken({ aud: [SERVICE_ID, "other"] }),
    "audience",
  ),
  row("JW-24", "a token with an array of only the service as aud", userToken({ aud: [SERVICE_ID] }), "audience"),
  row("JW-25", "a token without exp", userToken({ exp: ABSENT }), "claim_type"),
  row("JW-25", "a token without nbf", userToken({ nbf: ABSENT }), "claim_type"),
  row("JW-25", "a token without iat", userToken({ iat: ABSENT }), "claim_type"),
  row("JW-26", "a token with a fractional exp", userToken({ exp: NOW + HOUR + 0.5 }), "claim_type"),
  row("JW-26", "a token with exp 1e400", mint({ payload: json.replace(String(NOW + HOUR), "1e400") }), "claim_type"),
  row("JW-26", "a token with exp above the safe integers", userToken({ exp: 2 ** 53 }), "claim_type"),
  row("JW-26", "a token with exp in the year 9,999,999", userToken({ exp: 315_569_260_800_000 }), "lifetime"),
  row(
    "JW-26",
    "a token with iat one day in the future",
    userToken({ iat: NOW + days(1), exp: NOW + days(2) }),
    "issued_in_future",
  ),
  row("JW-26", "a token with a negative iat", userToken({ iat: -1 }), "claim_type"),
  row("JW-27", "a token with a byte order mark before its payload", mint({ payload: `\ufeff${json}` }), "not_json"),
  row(
    "JW-27",
    "a token with a byte order mark before its header",
    mint({ header: `\ufeff${JSON.stringify(validHeader)}` }),
    "not_json",
  ),
  row(
    "JW-28",
    "an application's token with a role only in __proto__",
    applicationJsonWith('"__proto__":{"roles":["Exchange.Call"]}'),
    "role_missing",
  ),
  row(
    "JW-28",
    "a token with the claims toString, hasOwnProperty and __proto__",
    jsonWith('"toString":1,"hasOwnProperty":1,"__proto__":{"x":1}'),
    "accepted",
  ),
  row("JW-33", "a token that expired 299 s ago", userToken({ exp: NOW - 299 }), "expired"),
  row("JW-33", "a token that expired 60 s ago", userToken({ exp: NOW - 60 }), "expired"),
  row("JW-33", "a token that expired 59 s ago, within the clock tolerance,", userToken({ exp: NOW - 59 }), "accepted"),
];

const trailingBits = (part: string) => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(part.slice(-1));
  return `${part.slice(0, -1)}${alphabet[last + 1]}`;
};
/** Header and payload have lengths that leave unused bits in their last character (not a multiple of three bytes). */
const unused = mint({
  header: JSON.stringify(validHeader).padEnd(Math.ceil(JSON.stringify(validHeader).length / 3) * 3 + 1),
  payload: json.padEnd(Math.ceil(json.length / 3) * 3 + 1),
});

const spellingRows: readonly Row[] = [
  row("JW-30", "a token with a trailing newline", `${valid}\n`, "not_compact"),
  row("JW-30", "a token with a trailing CR LF", `${valid}\r\n`, "not_compact"),
  row("JW-30", "a token with a space in its signature", `${valid.slice(0, -10)} ${valid.slice(-10)}`, "not_compact"),
  row("JW-30", "a token with a newline in its signature", `${valid.slice(0, -10)}\n${valid.slice(-10)}`, "not_compact"),
  row("JW-31", "a token whose unused bits are zero", unused, "accepted"),
  row("JW-31", "a token with unused bits set in its signature", replacePart(valid, 2, trailingBits), "not_compact"),
  row("JW-31", "a token with unused bits set in its payload", replacePart(unused, 1, trailingBits), "not_compact"),
  row("JW-31", "a token with unused bits set in its header", replacePart(unused, 0, trailingBits), "not_compact"),
  row("JW-31", "a token with additional characters at its end", `${valid}AAA`, "not_compact"),
];

const nested = (depth: number) => `"x":${"[".repeat(depth)}${"]".repeat(depth)}`;
const sizeRows: readonly Row[] = [
  row("JW-29", "a token of 5 MB", mint({ payload: change(userClaims, { x: "x".repeat(5_000_000) }) }), "too_long"),
  row("JW-29", "a token with arrays nested 100,000 deep", jsonWith(nested(100_000)), "too_long"),
  row("JW-29", "a token with arrays nested as deep as the size limit allows", jsonWith(nested(5_000)), "not_json"),
  row("JW-29", "a token with arrays nested 31 deep", jsonWith(nested(31)), "accepted"),
  row(
    "JW-29",
    "a token with objects nested as deep as the size limit allows",
    jsonWith(`"x":${'{"":'.repeat(1_500)}0${"}".repeat(1_500)}`),
    "not_json",
  ),
  row("JW-29", "a token one character longer than the limit", "x".repeat(16 * 1024 + 1), "too_long"),
  row("JW-29", "a malformed token exactly as long as the limit", "x".repeat(16 * 1024), "not_compact"),
];

describe.each([
  ["headers", headerRows],
  ["claims", claimRows],
  ["spellings", spellingRows],
  ["sizes", sizeRows],
])("tokens that jose accepts: %s", (_title, rows) => {
  it.each(rows)("$id $what $outcome", async ({ token, verdict }) => {
    expect(await strictService.judge(token)).toBe(verdict);
  });
});

describe("tokens that jose accepts: with side effects", () => {
  it("JW-20 a token without kid is refused (key_id) although the key set has only one key", async () => {
    const service = createService({}, { keys: [publish(entraKey)] });
    expect(await service.judge(withHeader({ kid: ABSENT }))).toBe("key_id");
  });

  it("JW-21 a token with an attacker's jku or x5u is refused without any request", async () => {
    const service = createService();
    for (const name of ["jku", "x5u"]) {
      const token = mint({ header: { ...validHeader, [name]: "http://169.254.169.254/keys" }, key: attackerKey });
      expect(await service.judge(token)).toBe("header_not_allowed");
    }
    expect(service.requests).toEqual([]);
  });

  it("JW-24 a v1 token with an array as aud is refused (audience)", async () => {
    expect(await v1Service.judge(v1UserToken({ aud: [V1_AUDIENCE] }))).toBe("audience");
  });

  it("JW-28 the claim __proto__ does not change Object.prototype", async () => {
    const caller = await strictService.caller(jsonWith('"__proto__":{"polluted":true}'));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(caller)).toBe(Object.prototype);
  });

  it("JW-33 the clock tolerance does not extend the expiry of the caller", async () => {
    const caller = await strictService.caller(userToken({ exp: NOW - 59, iat: NOW - 70 * MINUTE }));
    expect(caller.expiresAtSeconds).toBe(NOW - 59);
    expect(await strictService.judge(applicationToken({ exp: NOW - 60 }))).toBe("expired");
  });
});
