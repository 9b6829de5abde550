/**
 * Attacks that jose 6.2.17 refuses. These tests require the exact code of the refusal, because the service refuses several
 * of them before it calls jose.
 */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  ABSENT,
  applicationToken,
  hs256,
  mint,
  noSignature,
  ps256,
  replacePart,
  rs256,
  rs512,
  userToken,
  validHeader,
  withHeader,
} from "./support/mint.ts";
import { createService, type Row, row, strictService } from "./support/service.ts";
import {
  attackerKey,
  createSigningKey,
  entraKey,
  MINUTE,
  NOW,
  publish,
  SERVICE_ID,
  V2_ISSUER,
} from "./support/tenant.ts";

const valid = userToken();
const publicPem = String(entraKey.publicKey.export({ type: "spki", format: "pem" }));
const publicJwk = entraKey.publicKey.export({ format: "jwk" });
const signedAs = (alg: unknown, sign: (input: string) => Buffer) => mint({ header: { ...validHeader, alg }, sign });
const payloadOf = (payload: string | Buffer) => mint({ payload });
const parts = valid.split(".");

const algorithmRows: readonly Row[] = [
  ...["none", "None", "NONE", "nOnE"].flatMap((alg) => [
    row("JW-1", `a token with alg ${alg} and an empty signature`, signedAs(alg, noSignature), "not_compact"),
    row("JW-1", `a token with alg ${alg} and a valid RS256 signature`, signedAs(alg, rs256(entraKey)), "algorithm"),
  ]),
  row("JW-2", "a token with an empty alg", withHeader({ alg: "" }), "algorithm"),
  row("JW-2", "a token without alg", withHeader({ alg: ABSENT }), "algorithm"),
  row("JW-2", "a token with an array as alg", withHeader({ alg: ["RS256"] }), "algorithm"),
  row("JW-3", "a token with alg rs256 in lower case", withHeader({ alg: "rs256" }), "algorithm"),
  row(
    "JW-4",
    "a token signed with the PEM of the public key as HMAC secret",
    signedAs("HS256", hs256(publicPem)),
    "algorithm",
  ),
  row(
    "JW-4",
    "a token signed with the public JWK as HMAC secret",
    signedAs("HS256", hs256(JSON.stringify(publicJwk))),
    "algorithm",
  ),
  row(
    "JW-4",
    "a token signed with the modulus of the public key as HMAC secret",
    signedAs("HS256", hs256(Buffer.from(String(publicJwk.n), "base64url"))),
    "algorithm",
  ),
  row("JW-4", "a token with alg RS256 and an HMAC as signature", signedAs("RS256", hs256(publicPem)), "signature"),
  row("JW-5", "a token signed with PS256 by Entra's key", signedAs("PS256", ps256(entraKey)), "algorithm"),
  row("JW-5", "a token signed with RS512 by Entra's key", signedAs("RS512", rs512(entraKey)), "algorithm"),
  row("JW-5", "a token with alg RS256 and a PS256 signature", signedAs("RS256", ps256(entraKey)), "signature"),
  row("JW-5", "a token with alg RS256 and an RS512 signature", signedAs("RS256", rs512(entraKey)), "signature"),
  row(
    "SEC-18",
    "an ES256 token with the signature r = s = 0",
    signedAs("ES256", () => Buffer.alloc(64)),
    "algorithm",
  ),
];

const keyRows: readonly Row[] = [
  row(
    "JW-6",
    "an RS256 token with an empty signature",
    replacePart(valid, 2, () => ""),
    "not_compact",
  ),
  row(
    "JW-6",
    "an RS256 token with a signature of zeros",
    signedAs("RS256", () => Buffer.alloc(256)),
    "signature",
  ),
  row(
    "JW-6",
    "a token with the attacker's key as jwk and the kid of Entra's key",
    mint({
      header: { ...validHeader, jwk: attackerKey.publicKey.export({ format: "jwk" }) },
      sign: rs256(attackerKey),
    }),
    "header_not_allowed",
  ),
  row(
    "JW-6",
    "a token with the attacker's signature and the kid of Entra's key",
    signedAs("RS256", rs256(attackerKey)),
    "signature",
  ),
  row("JW-7", "a token with an unknown kid", mint({ key: attackerKey }), "key_unknown"),
  row("JW-7", "a token with a path as kid", withHeader({ kid: "../../x" }), "key_unknown"),
  row("JW-7", "a token with __proto__ as kid", withHeader({ kid: "__proto__" }), "key_unknown"),
  row("JW-7", "a token with a number as kid", withHeader({ kid: 1 }), "key_id"),
  row("JW-7", "a token with an object as kid", withHeader({ kid: { kid: entraKey.keyId } }), "key_id"),
  row("JW-7", "a token with null as kid", withHeader({ kid: null }), "key_id"),
  row("JW-7", "a token with an empty kid", withHeader({ kid: "" }), "key_id"),
  row("JW-8", "a token with an unknown name in crit", withHeader({ crit: ["x"], x: 1 }), "header_not_allowed"),
  row("JW-8", "a token with an empty crit", withHeader({ crit: [] }), "header_not_allowed"),
  row("JW-8", "a token with a string as crit", withHeader({ crit: "exp" }), "header_not_allowed"),
  row("JW-8", "a token with an absent member in crit", withHeader({ crit: ["exp"] }), "header_not_allowed"),
  row("JW-9", "a token with b64 false in crit", withHeader({ b64: false, crit: ["b64"] }), "header_not_allowed"),
];

const formRows: readonly Row[] = [
  row(
    "JW-10",
    "a nested token with cty JWT",
    mint({ header: { ...validHeader, cty: "JWT" }, payload: valid }),
    "header_not_allowed",
  ),
  row("JW-10", "a nested token without cty", payloadOf(valid), "not_json"),
  row("JW-10", "a token with an array as payload", payloadOf("[]"), "not_json"),
  row("JW-10", "a token with null as payload", payloadOf("null"), "not_json"),
  row("JW-10", "a token with a string as payload", payloadOf('"x"'), "not_json"),
  row("JW-10", "a token with an empty payload", payloadOf(""), "not_compact"),
  row(
    "JW-10",
    "a token with a UTF-16 payload",
    payloadOf(Buffer.from(JSON.stringify({ iss: V2_ISSUER }), "utf16le")),
    "not_json",
  ),
  row(
    "JW-10",
    "a token with invalid UTF-8 in its payload",
    payloadOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
    "not_json",
  ),
  row("JW-10", "a token with text after the JSON of its payload", payloadOf("{}x"), "not_json"),
  row("JW-10", "a token whose header is not JSON", mint({ header: "alg=RS256" }), "not_json"),
  row("JW-10", "a token with an array as header", mint({ header: "[]" }), "not_json"),
  row("JW-10", "a token with null as header", mint({ header: "null" }), "not_json"),
  row("JW-11", "a token of five parts (JWE)", [...parts, "YWJj", "YWJj"].join("."), "not_compact"),
  row("JW-11", "a token of two parts", parts.slice(0, 2).join("."), "not_compact"),
  row("JW-11", "a token of four parts", [...parts, "YWJj"].join("."), "not_compact"),
  row(
    "JW-11",
    "a token in JSON serialization",
    JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] }),
    "not_compact",
  ),
  row("JW-11", "an empty token", "", "not_compact"),
  row("JW-11", "a token of two dots", "..", "not_compact"),
];

const claimRows: readonly Row[] = [
  row("JW-12", "a token with an array as iss", userToken({ iss: [V2_ISSUER] }), "issuer"),
  row("JW-12", "a token with a trailing slash after iss", userToken({ iss: `${V2_ISSUER}/` }), "issuer"),
  row("JW-12", "a token with iss in upper case", userToken({ iss: V2_ISSUER.toUpperCase() }), "issuer"),
  row("JW-12", "a token without iss", userToken({ iss: ABSENT }), "issuer"),
  row("JW-12", "a token with an object as aud", userToken({ aud: { aud: SERVICE_ID } }), "audience"),
  row("JW-12", "a token without aud", userToken({ aud: ABSENT }), "audience"),
  row("JW-12", "a token with a number as aud", userToken({ aud: 1 }), "audience"),
  row("JW-12", "a token with an empty array as aud", userToken({ aud: [] }), "audience"),
  row("JW-12", "a token with aud in braces", userToken({ aud: `{${SERVICE_ID}}` }), "audience"),
  row("JW-13", "a token with a string as exp", userToken({ exp: String(NOW + 60 * MINUTE) }), "claim_type"),
  row("JW-13", "a token with null as exp", userToken({ exp: null }), "claim_type"),
  row("JW-13", "a token with a string as nbf", userToken({ nbf: String(NOW) }), "claim_type"),
  row("JW-13", "a token with nbf in the future", userToken({ nbf: NOW + 61 }), "not_yet_valid"),
  row("JW-13", "a token with a string as iat", userToken({ iat: String(NOW) }), "claim_type"),
  row("JW-14", "a token with a negative exp", userToken({ exp: -1 }), "claim_type"),
  row("JW-14", "a token that expired exactly the clock tolerance ago", userToken({ exp: NOW - 60 }), "expired"),
];

const spellingRows: readonly Row[] = [
  row("JW-15", "a token with a padded signature", `${valid}=`, "not_compact"),
  row(
    "JW-15",
    "a token with + of standard base64 in its signature",
    replacePart(valid, 2, (part) => `+${part.slice(1)}`),
    "not_compact",
  ),
  row(
    "JW-15",
    "a token with / of standard base64 in its signature",
    replacePart(valid, 2, (part) => `/${part.slice(1)}`),
    "not_compact",
  ),
  row("JW-15", "a token with a zero-width character", `${valid}\u200b`, "not_compact"),
  row("JW-16", "a token with a leading space", ` ${valid}`, "not_compact"),
  row("JW-16", "a token with a space before its first dot", valid.replace(".", " ."), "not_compact"),
];

describe.each([
  ["algorithms", algorithmRows],
  ["keys and crit", keyRows],
  ["form and nesting", formRows],
  ["registered claims", claimRows],
  ["spellings", spellingRows],
])("attacks that jose refuses: %s", (_title, rows) => {
  it.each(rows)("$id $what $outcome", async ({ token, verdict }) => {
    expect(await strictService.judge(token)).toBe(verdict);
  });
});

describe("attacks that jose refuses: keys in the key set", () => {
  it("JW-17 a token is refused if two keys of the key set have its kid", async () => {
    const twins = { keys: [publish(entraKey), publish(attackerKey, { kid: entraKey.keyId })] };
    expect(await createService({}, twins).judge(valid)).toBe("keys_unavailable");
    const withAnother = { keys: [...twins.keys, publish(createSigningKey())] };
    expect(await createService({}, withAnother).judge(valid)).toBe("key_unknown");
  });

  it("JW-17 a token without kid is refused (key_id) if the key set has two keys", async () => {
    const two = { keys: [publish(entraKey), publish(attackerKey)] };
    expect(await createService({}, two).judge(withHeader({ kid: ABSENT }))).toBe("key_id");
  });

  it("JW-18 a token signed with a symmetric key from the key set is refused", async () => {
    const secret = Buffer.alloc(32, 7);
    const oct = { kty: "oct", use: "sig", kid: "oct", k: secret.toString("base64url") };
    const service = createService({}, { keys: [oct, publish(entraKey)] });
    const header = { typ: "JWT", kid: "oct" };
    expect(await service.judge(mint({ header: { ...header, alg: "HS256" }, sign: hs256(secret) }))).toBe("algorithm");
    expect(await service.judge(mint({ header: { ...header, alg: "RS256" }, sign: hs256(secret) }))).toBe("key_unknown");
  });

  it("JW-18 a token with the kid of an elliptic curve key is refused (key_unknown)", async () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const ec = { ...publicKey.export({ format: "jwk" }), use: "sig", kid: "ec" };
    const service = createService({}, { keys: [ec, publish(entraKey)] });
    expect(await service.judge(withHeader({ kid: "ec" }))).toBe("key_unknown");
  });

  it("JW-19 a token signed with a published RSA key of 1024 bits is refused (key_unknown)", async () => {
    const weak = createSigningKey(1024);
    const service = createService({}, { keys: [publish(weak), publish(entraKey)] });
    expect(await service.judge(mint({ key: weak }))).toBe("key_unknown");
    expect(await service.judge(applicationToken())).toBe("accepted");
  });
});

describe("the valid tokens that all forged tokens derive from", () => {
  it("are accepted unchanged", async () => {
    expect(await strictService.judge(valid)).toBe("accepted");
    expect(await strictService.judge(applicationToken())).toBe("accepted");
  });
});
