/**
 * What jose 6.2.17 accepts and this service must not. Every row passes jose's own checks.
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
/** The claims with more JSON text put before the closing brace. */
const jsonWith = (more: string) => mint({ payload: `${json.slice(0, -1)},${more}}` });
const applicationJsonWith = (more: string) =>
  mint({ payload: `${JSON.stringify(change(applicationClaims, { roles: ABSENT })).slice(0, -1)},${more}}` });
const headerText = (text: string) => mint({ header: text });
const days = (count: number) => count * 24 * HOUR;

const headerRows: readonly Row[] = [
  row("JW-21", "jwk", withHeader({ jwk: entraKey.publicKey.export({ format: "jwk" }) }), "header_not_allowed"),
  row("JW-21", "jku", withHeader({ jku: "https://attacker.example/keys" }), "header_not_allowed"),
  row("JW-21", "jku that is Entra's own", withHeader({ jku: KEY_SET_URL }), "header_not_allowed"),
  row("JW-21", "x5u", withHeader({ x5u: "https://attacker.example/cert" }), "header_not_allowed"),
  row("JW-21", "x5c", withHeader({ x5c: ["MIID"] }), "header_not_allowed"),
  row("JW-21", "wrong x5t, a hint nobody follows", withHeader({ x5t: "wrong" }), "accepted"),
  row("JW-22", "b64 false without crit", withHeader({ b64: false }), "header_not_allowed"),
  row("JW-22", "b64 true with crit", withHeader({ b64: true, crit: ["b64"] }), "header_not_allowed"),
  row("JW-22", "zip", withHeader({ zip: "DEF" }), "header_not_allowed"),
  row("JW-22", "enc", withHeader({ enc: "A256GCM" }), "header_not_allowed"),
  ...["cty", "epk", "p2c", "p2s", "nonce"].map((name) =>
    row("JW-22", `${name}, which belongs to other kinds of token`, withHeader({ [name]: 1 }), "header_not_allowed"),
  ),
  row(
    "JW-23",
    "alg twice in the header",
    headerText(`{"alg":"none","typ":"JWT","kid":"${entraKey.keyId}","alg":"RS256"}`),
    "not_json",
  ),
  row(
    "JW-23",
    "alg twice, once escaped",
    headerText(`{"\\u0061lg":"none","typ":"JWT","kid":"${entraKey.keyId}","alg":"RS256"}`),
    "not_json",
  ),
  row("JW-32", "typ dpop+jwt", withHeader({ typ: "dpop+jwt" }), "header_type"),
  row("JW-32", "typ at+jwt", withHeader({ typ: "at+jwt" }), "header_type"),
  row("JW-32", "typ application/jwt", withHeader({ typ: "application/jwt" }), "header_type"),
  row("JW-32", "typ jwt in lower case", withHeader({ typ: "jwt" }), "header_type"),
  row("JW-32", "typ missing", withHeader({ typ: ABSENT }), "header_type"),
  row("JW-32", "typ not a string", withHeader({ typ: ["JWT"] }), "header_type"),
];

const claimRows: readonly Row[] = [
  row("JW-23", "a claim twice", jsonWith('"tid":"x"'), "not_json"),
  row("JW-23", "a claim twice, the same value", jsonWith('"ver":"2.0"'), "not_json"),
  row("JW-23", "a member twice deep inside", jsonWith('"x":[{"y":{"z":1,"z":2}}]'), "not_json"),
  row("JW-23", "the same name in different objects", jsonWith('"x":[{"tid":1},{"tid":2}]'), "accepted"),
  row("JW-23", "a claim's text that looks like members", jsonWith('"x":"{\\"tid\\":1,\\"tid\\":2}"'), "accepted"),
  row("JW-24", "aud array with ours and others", userToken({ aud: [SERVICE_ID, "other"] }), "audience"),
  row("JW-24", "aud array with only ours", userToken({ aud: [SERVICE_ID] }), "audience"),
  row("JW-25", "no exp", userToken({ exp: ABSENT }), "claim_type"),
  row("JW-25", "no nbf", userToken({ nbf: ABSENT }), "claim_type"),
  row("JW-25", "no iat", userToken({ iat: ABSENT }), "claim_type"),
  row("JW-26", "exp fractional", userToken({ exp: NOW + HOUR + 0.5 }), "claim_type"),
  row("JW-26", "exp 1e400", mint({ payload: json.replace(String(NOW + HOUR), "1e400") }), "claim_type"),
  row("JW-26", "exp beyond whole numbers", userToken({ exp: 2 ** 53 }), "claim_type"),
  row("JW-26", "exp in the year 9,999,999", userToken({ exp: 315_569_260_800_000 }), "lifetime"),
  row("JW-26", "iat one day ahead", userToken({ iat: NOW + days(1), exp: NOW + days(2) }), "issued_in_future"),
  row("JW-26", "iat negative", userToken({ iat: -1 }), "claim_type"),
  row("JW-27", "byte order mark before the payload", mint({ payload: `\ufeff${json}` }), "not_json"),
  row(
    "JW-27",
    "byte order mark before the header",
    mint({ header: `\ufeff${JSON.stringify(validHeader)}` }),
    "not_json",
  ),
  row("JW-28", "__proto__ with a role", applicationJsonWith('"__proto__":{"roles":["Exchange.Call"]}'), "role_missing"),
  row(
    "JW-28",
    "toString and hasOwnProperty",
    jsonWith('"toString":1,"hasOwnProperty":1,"__proto__":{"x":1}'),
    "accepted",
  ),
  row("JW-33", "expired 299 s ago", userToken({ exp: NOW - 299 }), "expired"),
  row("JW-33", "expired 60 s ago", userToken({ exp: NOW - 60 }), "expired"),
  row("JW-33", "expired 59 s ago, within the tolerance", userToken({ exp: NOW - 59 }), "accepted"),
];

const trailingBits = (part: string) => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(part.slice(-1));
  return `${part.slice(0, -1)}${alphabet[last + 1]}`;
};
/** Header and payload whose length leaves unused bits in the last character (no multiple of three bytes). */
const unused = mint({
  header: JSON.stringify(validHeader).padEnd(Math.ceil(JSON.stringify(validHeader).length / 3) * 3 + 1),
  payload: json.padEnd(Math.ceil(json.length / 3) * 3 + 1),
});

const spellingRows: readonly Row[] = [
  row("JW-30", "trailing newline", `${valid}\n`, "not_compact"),
  row("JW-30", "trailing carriage return and newline", `${valid}\r\n`, "not_compact"),
  row("JW-30", "whitespace within the signature", `${valid.slice(0, -10)} ${valid.slice(-10)}`, "not_compact"),
  row("JW-30", "newline within the signature", `${valid.slice(0, -10)}\n${valid.slice(-10)}`, "not_compact"),
  row("JW-31", "the token with unused bits, all zero", unused, "accepted"),
  row("JW-31", "unused bits of the signature", replacePart(valid, 2, trailingBits), "not_compact"),
  row("JW-31", "unused bits of the payload", replacePart(unused, 1, trailingBits), "not_compact"),
  row("JW-31", "unused bits of the header", replacePart(unused, 0, trailingBits), "not_compact"),
  row("JW-31", "a sextet too many", `${valid}AAA`, "not_compact"),
];

const nested = (depth: number) => `"x":${"[".repeat(depth)}${"]".repeat(depth)}`;
const sizeRows: readonly Row[] = [
  row("JW-29", "5 MB", mint({ payload: change(userClaims, { x: "x".repeat(5_000_000) }) }), "too_long"),
  row("JW-29", "payload nested 100,000 deep", jsonWith(nested(100_000)), "too_long"),
  row("JW-29", "payload nested as deep as fits", jsonWith(nested(5_000)), "accepted"),
  row(
    "JW-29",
    "objects nested as deep as fit",
    jsonWith(`"x":${'{"":'.repeat(1_500)}0${"}".repeat(1_500)}`),
    "accepted",
  ),
  row("JW-29", "one character over the limit", "x".repeat(16 * 1024 + 1), "too_long"),
  row("JW-29", "exactly the limit", "x".repeat(16 * 1024), "not_compact"),
];

describe.each([
  ["headers", headerRows],
  ["claims", claimRows],
  ["spellings", spellingRows],
  ["sizes", sizeRows],
])("accepted by jose: %s", (_title, rows) => {
  it.each(rows)("$id $what → $verdict", async ({ token, verdict }) => {
    expect(await strictService.judge(token)).toBe(verdict);
  });
});

describe("accepted by jose: with side effects", () => {
  it("JW-20 no kid while the set has one key → key_id", async () => {
    const service = createService({}, { keys: [publish(entraKey)] });
    expect(await service.judge(withHeader({ kid: ABSENT }))).toBe("key_id");
  });

  it("JW-21 jku and x5u of a stranger → nothing is ever requested, not even the key set", async () => {
    const service = createService();
    for (const name of ["jku", "x5u"]) {
      const token = mint({ header: { ...validHeader, [name]: "http://169.254.169.254/keys" }, key: attackerKey });
      expect(await service.judge(token)).toBe("header_not_allowed");
    }
    expect(service.requests).toEqual([]);
  });

  it("JW-24 aud array in a v1 token → audience", async () => {
    expect(await v1Service.judge(v1UserToken({ aud: [V1_AUDIENCE] }))).toBe("audience");
  });

  it("JW-28 no claim reaches Object.prototype", async () => {
    const caller = await strictService.caller(jsonWith('"__proto__":{"polluted":true}'));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(caller)).toBe(Object.prototype);
  });

  it("JW-33 a tolerated token still ends when it says", async () => {
    const caller = await strictService.caller(userToken({ exp: NOW - 59, iat: NOW - 70 * MINUTE }));
    expect(caller.expiresAtSeconds).toBe(NOW - 59);
    expect(await strictService.judge(applicationToken({ exp: NOW - 60 }))).toBe("expired");
  });
});
