/**
 * Cases that the tables of forged tokens do not cover: an unsuitable key, keys that cannot be read, the order of steps.
 */
import { importJWK } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createCallerValidator } from "../../../shared/caller/validate-caller.ts";
import { fail, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { TOKEN_REFUSALS } from "../../../shared/core/token-refusal.ts";
import { ABSENT, mint, userToken, validHeader, withHeader } from "../../forged-tokens/support/mint.ts";
import { strictSettings } from "../../forged-tokens/support/service.ts";
import {
  attackerKey,
  createSigningKey,
  entraKey,
  NOW,
  SERVICE_ID,
  type SigningKey,
} from "../../forged-tokens/support/tenant.ts";

async function validatorWith(key: SigningKey) {
  const imported = await importJWK(key.publicKey.export({ format: "jwk" }), "RS256");
  if (imported instanceof Uint8Array) throw new Error("not an RSA key");
  return createCallerValidator({ ...strictSettings, keys: { find: async () => succeed(imported) } });
}

const refused = (reason: keyof typeof TOKEN_REFUSALS) => fail({ kind: "token_refused", reason });
/** A genuine token names its registration. */
const genuine = (reason: keyof typeof TOKEN_REFUSALS) =>
  fail({ kind: "token_refused", reason, registration: SERVICE_ID });
const secret = (token: string) => new SecretValue(token);

afterEach(() => {
  vi.useRealTimers();
});

describe("the caller validator", () => {
  it("JW-19 refuses a token with a separate code if jose rejects the key with a TypeError", async () => {
    const weak = createSigningKey(1024);
    const validator = await validatorWith(weak);
    expect(await validator.validate(secret(mint({ key: weak })), NOW)).toEqual(refused("unverifiable"));
  });

  it("reports keys that cannot be read as unavailable, not as a refused token", async () => {
    const keys = { find: async () => fail("keys_unavailable" as const) };
    const validator = createCallerValidator({ ...strictSettings, keys });
    expect(await validator.validate(secret(userToken()), NOW)).toEqual(fail({ kind: "keys_unavailable" }));
  });

  it("checks form and header before it looks for a key", async () => {
    const find = vi.fn(async () => fail("key_unknown" as const));
    const validator = createCallerValidator({ ...strictSettings, keys: { find } });
    expect(await validator.validate(secret("x"), NOW)).toEqual(refused("not_compact"));
    expect(await validator.validate(secret(withHeader({ alg: "none" })), NOW)).toEqual(refused("algorithm"));
    expect(await validator.validate(secret(withHeader({ kid: ABSENT })), NOW)).toEqual(refused("key_id"));
    expect(find).not.toHaveBeenCalled();
    expect(await validator.validate(secret(userToken()), NOW)).toEqual(refused("key_unknown"));
    expect(find).toHaveBeenCalledExactlyOnceWith(entraKey.keyId, expect.any(Function), undefined);
  });

  it("checks the signature before the claims", async () => {
    const validator = await validatorWith(entraKey);
    const forged = mint({ header: validHeader, payload: { exp: 1 }, key: attackerKey });
    expect(await validator.validate(secret(forged), NOW)).toEqual(refused("signature"));
  });

  it("uses only the given time, not the machine's clock", async () => {
    const validator = await validatorWith(entraKey);
    for (const clock of [0, (NOW + 1_000_000) * 1000]) {
      vi.useFakeTimers({ now: clock, toFake: ["Date"] });
      expect((await validator.validate(secret(userToken()), NOW)).ok).toBe(true);
    }
    expect(await validator.validate(secret(userToken()), NOW + 1_000_000)).toEqual(genuine("expired"));
  });

  it("validates a token again on every call", async () => {
    const validator = await validatorWith(entraKey);
    const token = secret(userToken());
    expect((await validator.validate(token, NOW)).ok).toBe(true);
    expect(await validator.validate(token, NOW + 7200)).toEqual(genuine("expired"));
  });
});
