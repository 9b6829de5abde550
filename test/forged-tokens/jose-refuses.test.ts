/**
 * Attacks that jose 6.2.17 refuses by itself. Kept as regression tests of the whole stage, with
 * the exact code; several are now refused earlier than jose would see them.
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
    row("JW-1", `alg ${alg}, empty signature`, signedAs(alg, noSignature), "not_compact"),
    row("JW-1", `alg ${alg}, genuine signature`, signedAs(alg, rs256(entraKey)), "algorithm"),
  ]),
  row("JW-2", "alg empty", withHeader({ alg: "" }), "algorithm"),
  row("JW-2", "alg missing", withHeader({ alg: ABSENT }), "algorithm"),
  row("JW-2", "alg array", withHeader({ alg: ["RS256"] }), "algorithm"),
  row("JW-3", "alg rs256", withHeader({ alg: "rs256" }), "algorithm"),
  row("JW-4", "HS256 keyed by the public key's PEM", signedAs("HS256", hs256(publicPem)), "algorithm"),
  row("JW-4", "HS256 keyed by the public JWK", signedAs("HS256", hs256(JSON.stringify(publicJwk))), "algorithm"),
  row(
    "JW-4",
    "HS256 keyed by the modulus",
    signedAs("HS256", hs256(Buffer.from(String(publicJwk.n), "base64url"))),
    "algorithm",
  ),
  row("JW-4", "HMAC under alg RS256", signedAs("RS256", hs256(publicPem)), "signature"),
  row("JW-5", "PS256 with Entra's own key", signedAs("PS256", ps256(entraKey)), "algorithm"),
  row("JW-5", "RS512 with Entra's own key", signedAs("RS512", rs512(entraKey)), "algorithm"),
  row("JW-5", "PS256 signature under alg RS256", signedAs("RS256", ps256(entraKey)), "signature"),
  row("JW-5", "RS512 signature under alg RS256", signedAs("RS256", rs512(entraKey)), "signature"),
  row(
    "SEC-18",
    "ES256 with r = s = 0",
    signedAs("ES256", () => Buffer.alloc(64)),
    "algorithm",
  ),
];

const keyRows: readonly Row[] = [
  row(
    "JW-6",
    "RS256, empty signature",
    replacePart(valid, 2, () => ""),
    "not_compact",
  ),
  row(
    "JW-6",
    "RS256, signature of zeros",
    signedAs("RS256", () => Buffer.alloc(256)),
    "signature",
  ),
  row(
    "JW-6",
    "attacker's jwk embedded under our kid",
    mint({
      header: { ...validHeader, jwk: attackerKey.publicKey.export({ format: "jwk" }) },
      sign: rs256(attackerKey),
    }),
    "header_not_allowed",
  ),
  row("JW-6", "attacker's signature under our kid", signedAs("RS256", rs256(attackerKey)), "signature"),
  row("JW-7", "kid unknown", mint({ key: attackerKey }), "key_unknown"),
  row("JW-7", "kid a path", withHeader({ kid: "../../x" }), "key_unknown"),
  row("JW-7", "kid a name of Object.prototype", withHeader({ kid: "__proto__" }), "key_unknown"),
  row("JW-7", "kid number", withHeader({ kid: 1 }), "key_id"),
  row("JW-7", "kid object", withHeader({ kid: { kid: entraKey.keyId } }), "key_id"),
  row("JW-7", "kid null", withHeader({ kid: null }), "key_id"),
  row("JW-7", "kid empty", withHeader({ kid: "" }), "key_id"),
  row("JW-8", "crit with an unknown name", withHeader({ crit: ["x"], x: 1 }), "header_not_allowed"),
  row("JW-8", "crit empty", withHeader({ crit: [] }), "header_not_allowed"),
  row("JW-8", "crit a string", withHeader({ crit: "exp" }), "header_not_allowed"),
  row("JW-8", "crit naming an absent member", withHeader({ crit: ["exp"] }), "header_not_allowed"),
  row("JW-9", "b64 false with crit", withHeader({ b64: false, crit: ["b64"] }), "header_not_allowed"),
];

const formRows: readonly Row[] = [
  row(
    "JW-10",
    "nested JWT, cty JWT",
    mint({ header: { ...validHeader, cty: "JWT" }, payload: valid }),
    "header_not_allowed",
  ),
  row("JW-10", "nested JWT without cty", payloadOf(valid), "not_json"),
  row("JW-10", "payload array", payloadOf("[]"), "not_json"),
  row("JW-10", "payload null", payloadOf("null"), "not_json"),
  row("JW-10", "payload string", payloadOf('"x"'), "not_json"),
  row("JW-10", "payload empty", payloadOf(""), "not_compact"),
  row("JW-10", "payload UTF-16", payloadOf(Buffer.from(JSON.stringify({ iss: V2_ISSUER }), "utf16le")), "not_json"),
  row("JW-10", "payload invalid UTF-8", payloadOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), "not_json"),
  row("JW-10", "payload with trailing garbage", payloadOf("{}x"), "not_json"),
  row("JW-10", "header not JSON", mint({ header: "alg=RS256" }), "not_json"),
  row("JW-10", "header array", mint({ header: "[]" }), "not_json"),
  row("JW-10", "header null", mint({ header: "null" }), "not_json"),
  row("JW-11", "five parts (JWE)", [...parts, "YWJj", "YWJj"].join("."), "not_compact"),
  row("JW-11", "two parts", parts.slice(0, 2).join("."), "not_compact"),
  row("JW-11", "four parts", [...parts, "YWJj"].join("."), "not_compact"),
  row(
    "JW-11",
    "JSON serialisation",
    JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] }),
    "not_compact",
  ),
  row("JW-11", "empty", "", "not_compact"),
  row("JW-11", "two dots", "..", "not_compact"),
];

const claimRows: readonly Row[] = [
  row("JW-12", "iss array", userToken({ iss: [V2_ISSUER] }), "issuer"),
  row("JW-12", "iss with a trailing slash", userToken({ iss: `${V2_ISSUER}/` }), "issuer"),
  row("JW-12", "iss in other case", userToken({ iss: V2_ISSUER.toUpperCase() }), "issuer"),
  row("JW-12", "iss missing", userToken({ iss: ABSENT }), "issuer"),
  row("JW-12", "aud object", userToken({ aud: { aud: SERVICE_ID } }), "audience"),
  row("JW-12", "aud missing", userToken({ aud: ABSENT }), "audience"),
  row("JW-12", "aud number", userToken({ aud: 1 }), "audience"),
  row("JW-12", "aud empty array", userToken({ aud: [] }), "audience"),
  row("JW-12", "aud in another spelling", userToken({ aud: `{${SERVICE_ID}}` }), "audience"),
  row("JW-13", "exp string", userToken({ exp: String(NOW + 60 * MINUTE) }), "claim_type"),
  row("JW-13", "exp null", userToken({ exp: null }), "claim_type"),
  row("JW-13", "nbf string", userToken({ nbf: String(NOW) }), "claim_type"),
  row("JW-13", "nbf in the future", userToken({ nbf: NOW + 61 }), "not_yet_valid"),
  row("JW-13", "iat string", userToken({ iat: String(NOW) }), "claim_type"),
  row("JW-14", "exp negative", userToken({ exp: -1 }), "expired"),
  row("JW-14", "exp equal to now less the tolerance", userToken({ exp: NOW - 60 }), "expired"),
];

const spellingRows: readonly Row[] = [
  row("JW-15", "padded signature", `${valid}=`, "not_compact"),
  row(
    "JW-15",
    "standard base64 +",
    replacePart(valid, 2, (part) => `+${part.slice(1)}`),
    "not_compact",
  ),
  row(
    "JW-15",
    "standard base64 /",
    replacePart(valid, 2, (part) => `/${part.slice(1)}`),
    "not_compact",
  ),
  row("JW-15", "zero-width character", `${valid}\u200b`, "not_compact"),
  row("JW-16", "leading space", ` ${valid}`, "not_compact"),
  row("JW-16", "space before the first dot", valid.replace(".", " ."), "not_compact"),
];

describe.each([
  ["algorithms", algorithmRows],
  ["keys and critical members", keyRows],
  ["form and nesting", formRows],
  ["registered claims", claimRows],
  ["spellings", spellingRows],
])("refused by jose: %s", (_title, rows) => {
  it.each(rows)("$id $what → $verdict", async ({ token, verdict }) => {
    expect(await strictService.judge(token)).toBe(verdict);
  });
});

describe("refused by jose: key sets", () => {
  it("JW-17 two keys with the same kid → neither is used", async () => {
    const twins = { keys: [publish(entraKey), publish(attackerKey, { kid: entraKey.keyId })] };
    expect(await createService({}, twins).judge(valid)).toBe("keys_unavailable");
    const withAnother = { keys: [...twins.keys, publish(createSigningKey())] };
    expect(await createService({}, withAnother).judge(valid)).toBe("key_unknown");
  });

  it("JW-17 no kid and two keys → key_id", async () => {
    const two = { keys: [publish(entraKey), publish(attackerKey)] };
    expect(await createService({}, two).judge(withHeader({ kid: ABSENT }))).toBe("key_id");
  });

  it("JW-18 symmetric key in the key set → never used", async () => {
    const secret = Buffer.alloc(32, 7);
    const oct = { kty: "oct", use: "sig", kid: "oct", k: secret.toString("base64url") };
    const service = createService({}, { keys: [oct, publish(entraKey)] });
    const header = { typ: "JWT", kid: "oct" };
    expect(await service.judge(mint({ header: { ...header, alg: "HS256" }, sign: hs256(secret) }))).toBe("algorithm");
    expect(await service.judge(mint({ header: { ...header, alg: "RS256" }, sign: hs256(secret) }))).toBe("key_unknown");
  });

  it("JW-18 elliptic curve key in the key set → never used", async () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const ec = { ...publicKey.export({ format: "jwk" }), use: "sig", kid: "ec" };
    const service = createService({}, { keys: [ec, publish(entraKey)] });
    expect(await service.judge(withHeader({ kid: "ec" }))).toBe("key_unknown");
  });

  it("JW-19 RSA key of 1024 bits in the key set → dropped, and its tokens refused without an exception", async () => {
    const weak = createSigningKey(1024);
    const service = createService({}, { keys: [publish(weak), publish(entraKey)] });
    expect(await service.judge(mint({ key: weak }))).toBe("key_unknown");
    expect(await service.judge(applicationToken())).toBe("accepted");
  });
});

describe("the tokens that every forgery starts from", () => {
  it("are accepted as they are", async () => {
    expect(await strictService.judge(valid)).toBe("accepted");
    expect(await strictService.judge(applicationToken())).toBe("accepted");
  });
});
