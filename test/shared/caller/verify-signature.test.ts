/**
 * The signature check alone: it reads no claim, so every token that Entra signed passes.
 */
import { importJWK } from "jose";
import { describe, expect, it } from "vitest";
import { verifySignature } from "../../../shared/caller/verify-signature.ts";
import {
  ABSENT,
  type Members,
  mint,
  ps256,
  userToken,
  v1UserToken,
  validHeader,
} from "../../forged-tokens/support/mint.ts";
import { attackerKey, entraKey, NOW, USER_ID } from "../../forged-tokens/support/tenant.ts";

async function verify(compact: string) {
  const key = await importJWK(entraKey.publicKey.export({ format: "jwk" }), "RS256");
  if (key instanceof Uint8Array) throw new Error("not an RSA key");
  return verifySignature({ compact, key });
}

describe("the signature check", () => {
  it.each([
    ["signature", "another key", mint({ header: validHeader, key: attackerKey })],
    ["algorithm", "PS256", mint({ header: { ...validHeader, alg: "PS256" }, sign: ps256(entraKey) })],
    ["unverifiable", "a header without alg, which an earlier step refuses", mint({ header: "{}" })],
  ])("gives %s for %s", async (refusal, _what, token) => {
    expect(await verify(token)).toBe(refusal);
  });

  it.each<Members>([
    { iss: "https://attacker.example" },
    { aud: USER_ID },
    { exp: NOW - 60 },
    { nbf: NOW + 61 },
    { nbf: "1" },
    { exp: ABSENT },
  ])("accepts a token of Entra with %j, which the check of the claims refuses", async (changes) => {
    expect(await verify(userToken(changes))).toBeUndefined();
  });

  it("accepts valid tokens of both versions", async () => {
    expect(await verify(userToken())).toBeUndefined();
    expect(await verify(v1UserToken())).toBeUndefined();
  });
});
