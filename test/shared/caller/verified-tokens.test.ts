/**
 * A verified token is recognised by its exact bytes only, and no longer than its signature and key are valid: the real
 * validator with the real key store; the test controls the clock and the network.
 */
import { describe, expect, test } from "vitest";
import type { CheckedClaims } from "../../../shared/caller/caller-claims.ts";
import { createIssuerKeys, KEY_SET_MAX_AGE_MS } from "../../../shared/caller/issuer-keys.ts";
import { createCallerValidator } from "../../../shared/caller/validate-caller.ts";
import { createVerifiedTokens } from "../../../shared/caller/verified-tokens.ts";
import { succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { mint, userClaims, userToken, validHeader } from "../../forged-tokens/support/mint.ts";
import { KEY_SET_URL, strictSettings } from "../../forged-tokens/support/service.ts";
import {
  createSigningKey,
  entraKey,
  HOUR,
  NOW,
  publish,
  publishedKeySet,
  TENANT_ID,
  V2_ISSUER,
} from "../../forged-tokens/support/tenant.ts";

const successor = createSigningKey();

function setUp(maxBytes?: number) {
  const world = { now: NOW, keySet: publishedKeySet as unknown, keyLookUps: 0 };
  const keys = createIssuerKeys({
    keySetUrl: KEY_SET_URL,
    tenantId: TENANT_ID,
    tenantIssuer: V2_ISSUER,
    outbound: { send: async () => succeed({ status: 200, headers: {}, body: JSON.stringify(world.keySet) }) },
    now: () => world.now * 1_000,
    onProblem: () => undefined,
  });
  // A look-up of the key means a signature check: a recognised token needs none.
  const counted = {
    find: (keyId: string) => {
      world.keyLookUps += 1;
      return keys.find(keyId);
    },
  };
  const verified = createVerifiedTokens({ keys, ...(maxBytes === undefined ? {} : { maxBytes }) });
  const validator = createCallerValidator({ ...strictSettings, keys: counted, verified });
  const validate = async (token: string) => {
    const before = world.keyLookUps;
    const result = await validator.validate(new SecretValue(token), world.now);
    const how = world.keyLookUps === before ? "recognised" : "verified";
    if (result.ok) return how;
    return result.failure.kind === "token_refused" ? `${how}: ${result.failure.reason}` : result.failure.kind;
  };
  return { world, keys, validator, validate };
}

describe("a verified token", () => {
  test("is recognised and gives the same caller", async () => {
    const { validator } = setUp();
    const token = userToken();
    const first = await validator.validate(new SecretValue(token), NOW);
    const second = await validator.validate(new SecretValue(token), NOW);
    expect(second).toEqual(first);
    expect(second.ok && second.value.token.reveal()).toBe(token);
  });

  test("expires at its time even if it is remembered", async () => {
    const { world, validate } = setUp();
    const token = userToken({ exp: NOW + 100 });
    expect(await validate(token)).toBe("verified");
    expect(await validate(token)).toBe("recognised");
    world.now = NOW + 99;
    expect(await validate(token)).toBe("recognised");
    // From its `exp` on it is verified again, and it is still valid within the tolerance of a minute.
    world.now = NOW + 100;
    expect(await validate(token)).toBe("verified");
    world.now = NOW + 160;
    expect(await validate(token)).toBe("verified: expired");
  });

  test("is refused as not yet valid if the clock is set back", async () => {
    const { world, validate } = setUp();
    const token = userToken();
    await validate(token);
    world.now = NOW - HOUR;
    expect(await validate(token)).toBe("recognised: not_yet_valid");
  });

  test("is verified again after ten minutes", async () => {
    const { world, validate } = setUp();
    const token = userToken();
    await validate(token);
    world.now = NOW + 599;
    expect(await validate(token)).toBe("recognised");
    world.now = NOW + 600;
    expect(await validate(token)).toBe("verified");
    expect(await validate(token)).toBe("recognised");
  });

  test("is forgotten as soon as its key leaves the key set", async () => {
    const { world, keys, validate } = setUp();
    const token = userToken();
    await validate(token);
    world.keySet = { keys: [publish(successor)] };
    await keys.find(successor.keyId);
    expect(await validate(token)).toBe("verified: key_unknown");
  });

  test("is forgotten as soon as its key id belongs to another key", async () => {
    const { world, keys, validate } = setUp();
    const token = userToken();
    await validate(token);
    world.keySet = { keys: [publish(successor, { kid: entraKey.keyId })] };
    world.now += KEY_SET_MAX_AGE_MS / 1_000 + 1;
    const later = userToken({ iat: world.now, nbf: world.now, exp: world.now + HOUR });
    await keys.find(entraKey.keyId);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await validate(later)).toBe("verified: signature");
  });

  test("is not remembered if the key set changes during the signature check", async () => {
    const { world, keys, validate } = setUp();
    await keys.ready();
    const validating = validate(userToken());
    world.keySet = { keys: [publish(successor)] };
    await keys.find(successor.keyId);
    expect(await validating).toMatch(/^verified/);
    expect(await validate(userToken())).toBe("verified: key_unknown");
  });
});

describe("a token that differs from a verified token", () => {
  test("in one bit is not recognised", async () => {
    const { validate } = setUp();
    const token = userToken();
    await validate(token);
    for (let at = 0; at < token.length; at += 7) {
      for (const bit of [1, 2, 4]) {
        const changed = String.fromCharCode(token.charCodeAt(at) ^ bit);
        const forged = token.slice(0, at) + changed + token.slice(at + 1);
        expect(await validate(forged), `character ${at}`).not.toBe("recognised");
        expect(await validate(forged), `character ${at}`).toMatch(/: /);
      }
    }
    expect(await validate(token)).toBe("recognised");
  });

  test("only in its signature is not recognised", async () => {
    const { validate } = setUp();
    const token = userToken();
    await validate(token);
    const other = mint({ header: validHeader, payload: userClaims, key: successor });
    expect(await validate(other)).toBe("verified: signature");
    const unsigned = `${token.slice(0, token.lastIndexOf(".") + 1)}AAAA`;
    expect(await validate(unsigned)).toBe("verified: signature");
  });

  test("in one claim is verified separately", async () => {
    const { validate } = setUp();
    await validate(userToken());
    expect(await validate(userToken({ uti: "another" }))).toBe("verified");
  });

  test("by added characters is not recognised", async () => {
    const { validate } = setUp();
    const token = userToken();
    await validate(token);
    for (const forged of [
      ` ${token}`,
      `${token} `,
      `${token}.`,
      `${token}=`,
      `\u{feff}${token}`,
      token.toUpperCase(),
    ]) {
      expect(await validate(forged)).toMatch(/: /);
    }
  });

  test("a refused token is never remembered", async () => {
    const { validate } = setUp();
    const stranger = userToken({ tid: "11111111-1111-4111-8111-111111111111" });
    expect(await validate(stranger)).toBe("verified: tenant");
    expect(await validate(stranger)).toBe("verified: tenant");
  });
});

test("the memory of verified tokens is bounded, and the oldest token is removed first", async () => {
  const tokens = Array.from({ length: 20 }, (_, index) => userToken({ uti: `token-${index + 10}` }));
  const { validate } = setUp((tokens[0]?.length ?? 0) * 10);
  for (const token of tokens) {
    expect(await validate(token)).toBe("verified");
  }
  for (const token of tokens.slice(10)) {
    expect(await validate(token)).toBe("recognised");
  }
  expect(await validate(tokens[9] ?? "")).toBe("verified");
  expect(await validate(tokens[10] ?? "")).toBe("verified");
  expect(await validate(tokens[19] ?? "")).toBe("recognised");
});

test("the memory of verified tokens returns the claims and nothing else", () => {
  const { keys } = setUp();
  const verified = createVerifiedTokens({ keys });
  const claims = { expiresAtSeconds: NOW + 60 } as CheckedClaims;
  verified.remember({ digest: "digest", bytes: 1_000, claims, generation: keys.generation }, NOW);
  expect(verified.find("digest", NOW)).toBe(claims);
});
