/**
 * JSON Web Token Best Current Practices (RFC 8725 and its successor draft, "bis"): one or two examples for each rule. The
 * other tables cover most rules in depth.
 */
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  applicationToken,
  hs256,
  mint,
  noSignature,
  userClaims,
  userToken,
  validHeader,
  withHeader,
} from "./support/mint.ts";
import { createService, type Row, row, strictService } from "./support/service.ts";
import { attackerKey, createSigningKey, entraKey, publish, SERVICE_ID } from "./support/tenant.ts";

const inner = mint({ key: attackerKey });

const rows: readonly Row[] = [
  row("JW-70", "§3.1 a token with alg noNE, another spelling of none,", withHeader({ alg: "noNE" }), "algorithm"),
  row(
    "JW-70",
    "§3.1 a token with alg rS256, another spelling of the key's algorithm,",
    withHeader({ alg: "rS256" }),
    "algorithm",
  ),
  row(
    "JW-71",
    "§3.2 an unsigned token with alg none",
    mint({ header: { ...validHeader, alg: "none" }, sign: noSignature }),
    "not_compact",
  ),
  row("JW-72", "§3.3 a nested token inside a validly signed token", mint({ payload: inner }), "not_json"),
  row("JW-73", "bis: a JWE", [inner, "YWJj", "YWJj"].join("."), "not_compact"),
  row("JW-73", "bis: a token with a character outside the compact form", `${inner}%`, "not_compact"),
  row(
    "JW-75",
    "§3.5 a token signed with HS256 and a password",
    mint({ header: { ...validHeader, alg: "HS256" }, sign: hs256("password") }),
    "algorithm",
  ),
  row(
    "JW-76",
    "§3.6 a token with a compressed payload",
    mint({ header: { ...validHeader, zip: "DEF" }, payload: deflateRawSync(JSON.stringify(userClaims)) }),
    "header_not_allowed",
  ),
  row("JW-76", "bis: a token with the header member p2c", withHeader({ p2c: 2 ** 31 }), "header_not_allowed"),
  row(
    "JW-77",
    "§3.7 a token with a UTF-16 payload",
    mint({ payload: Buffer.from(JSON.stringify(userClaims), "utf16le") }),
    "not_json",
  ),
  row(
    "JW-77",
    "§3.7 a token with a Latin-1 payload",
    mint({ payload: Buffer.from('{"name":"Zoë"}', "latin1") }),
    "not_json",
  ),
  row("JW-78", "§3.8 a token of another issuer", userToken({ iss: "https://attacker.example" }), "issuer"),
  row("JW-78", "§3.8 a token with an empty subject", userToken({ sub: "" }), "identity"),
  row(
    "JW-79",
    "§3.9 a token for another audience",
    userToken({ aud: "99999999-0000-4000-8000-000000000000" }),
    "audience",
  ),
  row("JW-79", "§3.9 a token for the audience with a suffix", userToken({ aud: `${SERVICE_ID}/` }), "audience"),
  row("JW-80", "§3.10 a token with SQL in its kid", withHeader({ kid: "x' OR '1'='1" }), "key_unknown"),
  row("JW-80", "§3.10 a token with a path in its kid", withHeader({ kid: "../../../../dev/null" }), "key_unknown"),
  row(
    "JW-80",
    "§3.10 a token with a jku whose host resolves to loopback",
    withHeader({ jku: "https://localtest.me" }),
    "header_not_allowed",
  ),
  row("JW-82", "§3.12 an application's token with idtyp user", applicationToken({ idtyp: "user" }), "kind_unclear"),
  row("JW-82", "§3.12 a user's token with idtyp app", userToken({ idtyp: "app" }), "kind_unclear"),
];

describe("RFC 8725", () => {
  it.each(rows)("$id $what $outcome", async ({ token, verdict }) => {
    expect(await strictService.judge(token)).toBe(verdict);
  });

  it.each([
    { what: "a modulus of 2040 bits", entry: { n: Buffer.alloc(255, 0xff).toString("base64url") } },
    { what: "a modulus of 1024 bits with leading zeros", entry: { n: zeros(128) } },
    { what: "a modulus of 2047 bits", entry: { n: Buffer.alloc(256, 0x7f).toString("base64url") } },
    { what: "a modulus of 0", entry: { n: Buffer.alloc(256).toString("base64url") } },
    { what: "a modulus that is not base64url", entry: { n: "!".repeat(400) } },
    { what: "no modulus", entry: { n: undefined } },
    { what: "exponent 1", entry: { e: "AQ" } },
    { what: "exponent 3", entry: { e: "Aw" } },
    { what: "the use enc", entry: { use: "enc" } },
    { what: "another algorithm", entry: { alg: "PS256" } },
  ])("JW-74 §3.4 a token is refused (key_unknown) if its published key has $what", async ({ entry }) => {
    const service = createService({}, { keys: [publish(entraKey, entry), publish(createSigningKey())] });
    expect(await service.judge(userToken())).toBe("key_unknown");
  });

  it("JW-74 §3.4 a padded hash as signature for a published key with exponent 1 is refused (key_unknown)", async () => {
    const service = createService({}, { keys: [publish(entraKey, { e: "AQ" }), publish(createSigningKey())] });
    expect(await service.judge(mint({ sign: paddedHash }))).toBe("key_unknown");
  });

  it("JW-81 §3.11 typ at+jwt is refused (header_type) and typ JWT accepted, because Entra has no explicit typing (E-37)", async () => {
    expect(await strictService.judge(withHeader({ typ: "at+jwt" }))).toBe("header_type");
    expect(await strictService.judge(withHeader({ typ: "JWT" }))).toBe("accepted");
  });
});

function zeros(bytes: number): string {
  return Buffer.concat([Buffer.alloc(256 - bytes), Buffer.alloc(bytes, 0xff)]).toString("base64url");
}

/** EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) of the input. RSA with exponent 1 does not change it. */
function paddedHash(input: string): Buffer {
  const digestInfo = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const tail = Buffer.concat([Buffer.from([0]), digestInfo, createHash("sha256").update(input).digest()]);
  return Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 2 - tail.length, 0xff), tail]);
}
