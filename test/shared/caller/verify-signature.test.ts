/**
 * jose with every option given: the checks of this layer alone, without the layers before and after it.
 */
import { importJWK } from "jose";
import { describe, expect, it } from "vitest";
import { createCallerRules } from "../../../shared/caller/caller-rules.ts";
import { verifySignature } from "../../../shared/caller/verify-signature.ts";
import {
  ABSENT,
  type Members,
  mint,
  ps256,
  userToken,
  v1UserToken,
  validHeader,
  withHeader,
} from "../../forged-tokens/support/mint.ts";
import { strictSettings } from "../../forged-tokens/support/service.ts";
import { attackerKey, entraKey, NOW, USER_ID, V1_AUDIENCE } from "../../forged-tokens/support/tenant.ts";

const rules = createCallerRules(strictSettings);
const v1Rules = createCallerRules({ ...strictSettings, v1Audiences: [V1_AUDIENCE] });

async function verify(compact: string, by = rules) {
  const key = await importJWK(entraKey.publicKey.export({ format: "jwk" }), "RS256");
  if (key instanceof Uint8Array) throw new Error("not an RSA key");
  return verifySignature({ compact, key }, by, NOW);
}

describe("the signature check", () => {
  it.each([
    ["signature", "another key", mint({ header: validHeader, key: attackerKey })],
    ["algorithm", "PS256", mint({ header: { ...validHeader, alg: "PS256" }, sign: ps256(entraKey) })],
    ["header_type", "typ", withHeader({ typ: "at+jwt" })],
    ["not_json", "a payload that is not an object", mint({ payload: "[]" })],
    ["unverifiable", "a header without alg, which an earlier step refuses", mint({ header: "{}" })],
  ])("gives %s for %s", async (refusal, _what, token) => {
    expect(await verify(token)).toBe(refusal);
  });

  it.each<[string, Members]>([
    ["issuer", { iss: "https://attacker.example" }],
    ["audience", { aud: USER_ID }],
    ["expired", { exp: NOW - 60 }],
    ["not_yet_valid", { nbf: NOW + 61 }],
    ["claim_type", { nbf: "1" }],
    ["claim_type", { exp: ABSENT }],
    ["claim_type", { nbf: ABSENT }],
    ["claim_type", { iat: ABSENT }],
  ])("gives %s for %j", async (refusal, changes) => {
    expect(await verify(userToken(changes))).toBe(refusal);
  });

  it("accepts valid tokens, and v1 tokens only if they are allowed", async () => {
    expect(await verify(userToken())).toBeUndefined();
    expect(await verify(userToken(), v1Rules)).toBeUndefined();
    expect(await verify(v1UserToken(), v1Rules)).toBeUndefined();
    expect(await verify(v1UserToken())).toBe("issuer");
  });
});
