/**
 * JSON Web Token Best Current Practices (RFC 8725 and its successor draft), one row per rule. Most rows are
 * covered in depth by the other tables; here each rule has one plain example.
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
  row("JW-70", "§3.1 algorithm compared letter by letter: noNE", withHeader({ alg: "noNE" }), "algorithm"),
  row("JW-70", "§3.1 one algorithm per key: rS256", withHeader({ alg: "rS256" }), "algorithm"),
  row("JW-71", "§3.2 none", mint({ header: { ...validHeader, alg: "none" }, sign: noSignature }), "not_compact"),
  row("JW-72", "§3.3 nested token inside a genuine signature", mint({ payload: inner }), "not_json"),
  row("JW-73", "bis: JWE where JWS is expected", [inner, "YWJj", "YWJj"].join("."), "not_compact"),
  row("JW-73", "bis: a character outside the compact form", `${inner}%`, "not_compact"),
  row(
    "JW-75",
    "§3.5 no HS256 at all",
    mint({ header: { ...validHeader, alg: "HS256" }, sign: hs256("password") }),
    "algorithm",
  ),
  row(
    "JW-76",
    "§3.6 compressed payload",
    mint({ header: { ...validHeader, zip: "DEF" }, payload: deflateRawSync(JSON.stringify(userClaims)) }),
    "header_not_allowed",
  ),
  row("JW-76", "bis: p2c", withHeader({ p2c: 2 ** 31 }), "header_not_allowed"),
  row("JW-77", "§3.7 UTF-16", mint({ payload: Buffer.from(JSON.stringify(userClaims), "utf16le") }), "not_json"),
  row("JW-77", "§3.7 Latin-1", mint({ payload: Buffer.from('{"name":"Zoë"}', "latin1") }), "not_json"),
  row("JW-78", "§3.8 issuer", userToken({ iss: "https://attacker.example" }), "issuer"),
  row("JW-78", "§3.8 subject", userToken({ sub: "" }), "identity"),
  row("JW-79", "§3.9 audience", userToken({ aud: "00000003-0000-0000-c000-000000000000" }), "audience"),
  row("JW-79", "§3.9 audience with a suffix", userToken({ aud: `${SERVICE_ID}/` }), "audience"),
  row("JW-80", "§3.10 kid with SQL", withHeader({ kid: "x' OR '1'='1" }), "key_unknown"),
  row("JW-80", "§3.10 kid with a path", withHeader({ kid: "../../../../dev/null" }), "key_unknown"),
  row(
    "JW-80",
    "§3.10 jku by a name that resolves to loopback",
    withHeader({ jku: "https://localtest.me" }),
    "header_not_allowed",
  ),
  row("JW-82", "§3.12 an application's token with a user's mark", applicationToken({ idtyp: "user" }), "kind_unclear"),
  row("JW-82", "§3.12 a user's token with an application's mark", userToken({ idtyp: "app" }), "kind_unclear"),
];

describe("RFC 8725", () => {
  it.each(rows)("$id $what → $verdict", async ({ token, verdict }) => {
    expect(await strictService.judge(token)).toBe(verdict);
  });

  it.each([
    { what: "modulus of 2040 bits", entry: { n: Buffer.alloc(255, 0xff).toString("base64url") } },
    { what: "modulus of 1024 bits behind leading zeros", entry: { n: zeros(128) } },
    { what: "modulus of 2047 bits", entry: { n: Buffer.alloc(256, 0x7f).toString("base64url") } },
    { what: "modulus of zeros", entry: { n: Buffer.alloc(256).toString("base64url") } },
    { what: "modulus no base64url", entry: { n: "!".repeat(400) } },
    { what: "modulus missing", entry: { n: undefined } },
    { what: "exponent 1", entry: { e: "AQ" } },
    { what: "exponent 3", entry: { e: "Aw" } },
    { what: "for encryption", entry: { use: "enc" } },
    { what: "for another algorithm", entry: { alg: "PS256" } },
  ])("JW-74 §3.4 a published key unfit for RS256 is dropped: $what", async ({ entry }) => {
    const service = createService({}, { keys: [publish(entraKey, entry), publish(createSigningKey())] });
    expect(await service.judge(userToken())).toBe("key_unknown");
  });

  it("JW-74 §3.4 with exponent 1 the padded hash itself would be a signature", async () => {
    const service = createService({}, { keys: [publish(entraKey, { e: "AQ" }), publish(createSigningKey())] });
    expect(await service.judge(mint({ sign: paddedHash }))).toBe("key_unknown");
  });

  it("JW-81 §3.11 explicit typing cannot be demanded of Entra (E-37): JWT it is", async () => {
    expect(await strictService.judge(withHeader({ typ: "at+jwt" }))).toBe("header_type");
    expect(await strictService.judge(withHeader({ typ: "JWT" }))).toBe("accepted");
  });
});

function zeros(bytes: number): string {
  return Buffer.concat([Buffer.alloc(256 - bytes), Buffer.alloc(bytes, 0xff)]).toString("base64url");
}

/** EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) of the input: what RSA with exponent 1 leaves as it is. */
function paddedHash(input: string): Buffer {
  const digestInfo = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const tail = Buffer.concat([Buffer.from([0]), digestInfo, createHash("sha256").update(input).digest()]);
  return Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 2 - tail.length, 0xff), tail]);
}
