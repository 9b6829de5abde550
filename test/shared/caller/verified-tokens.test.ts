/**
 * A token that was verified is recognised by its bytes and by nothing else, and never longer than it deserves: the real
 * validator over the real key store, with the clock and the network held by the test.
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
  const world = { now: NOW, keySet: publishedKeySet as unknown, findings: 0 };
  const keys = createIssuerKeys({
    keySetUrl: KEY_SET_URL,
    tenantId: TENANT_ID,
    tenantIssuer: V2_ISSUER,
    outbound: { send: async () => succeed({ status: 200, headers: {}, body: JSON.stringify(world.keySet) }) },
    now: () => world.now * 1_000,
    onProblem: () => undefined,
  });
  // A look-up of the key is a signature check: whoever is recognised does not get so far.
  const counted = {
    find: (keyId: string) => {
      world.findings += 1;
      return keys.find(keyId);
    },
  };
  const verified = createVerifiedTokens({ keys, ...(maxBytes === undefined ? {} : { maxBytes }) });
  const validator = createCallerValidator({ ...strictSettings, keys: counted, verified });
  const judge = async (token: string) => {
    const before = world.findings;
    const result = await validator.validate(new SecretValue(token), world.now);
    const how = world.findings === before ? "recognised" : "verified";
    if (result.ok) return how;
    return result.failure.kind === "token_refused" ? `${how}: ${result.failure.reason}` : result.failure.kind;
  };
  return { world, keys, validator, judge };
}

describe("a token that was verified", () => {
  test("is recognised, and the caller is the same", async () => {
    const { validator } = setUp();
    const token = userToken();
    const first = await validator.validate(new SecretValue(token), NOW);
    const second = await validator.validate(new SecretValue(token), NOW);
    expect(second).toEqual(first);
    expect(second.ok && second.value.token.reveal()).toBe(token);
  });

  test("expires while it is remembered: the clock is asked on every request", async () => {
    const { world, judge } = setUp();
    const token = userToken({ exp: NOW + 100 });
    expect(await judge(token)).toBe("verified");
    expect(await judge(token)).toBe("recognised");
    world.now = NOW + 99;
    expect(await judge(token)).toBe("recognised");
    // From its `exp` on it is verified anew, and within the tolerance of a minute still good.
    world.now = NOW + 100;
    expect(await judge(token)).toBe("verified");
    world.now = NOW + 160;
    expect(await judge(token)).toBe("verified: expired");
  });

  test("a clock that was set back makes a remembered token too young", async () => {
    const { world, judge } = setUp();
    const token = userToken();
    await judge(token);
    world.now = NOW - HOUR;
    expect(await judge(token)).toBe("recognised: not_yet_valid");
  });

  test("is verified again after ten minutes", async () => {
    const { world, judge } = setUp();
    const token = userToken();
    await judge(token);
    world.now = NOW + 599;
    expect(await judge(token)).toBe("recognised");
    world.now = NOW + 600;
    expect(await judge(token)).toBe("verified");
    expect(await judge(token)).toBe("recognised");
  });

  test("is forgotten as soon as its key leaves the key set", async () => {
    const { world, keys, judge } = setUp();
    const token = userToken();
    await judge(token);
    world.keySet = { keys: [publish(successor)] };
    await keys.find(successor.keyId);
    expect(await judge(token)).toBe("verified: key_unknown");
  });

  test("is forgotten when its key id names another key now", async () => {
    const { world, keys, judge } = setUp();
    const token = userToken();
    await judge(token);
    world.keySet = { keys: [publish(successor, { kid: entraKey.keyId })] };
    world.now += KEY_SET_MAX_AGE_MS / 1_000 + 1;
    const later = userToken({ iat: world.now, nbf: world.now, exp: world.now + HOUR });
    await keys.find(entraKey.keyId);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await judge(later)).toBe("verified: signature");
  });

  test("is not remembered when the key set changed while its signature was checked", async () => {
    const { world, keys, judge } = setUp();
    await keys.ready();
    const judging = judge(userToken());
    world.keySet = { keys: [publish(successor)] };
    await keys.find(successor.keyId);
    expect(await judging).toMatch(/^verified/);
    expect(await judge(userToken())).toBe("verified: key_unknown");
  });
});

describe("no other token is taken for it", () => {
  test("one bit changed, anywhere", async () => {
    const { judge } = setUp();
    const token = userToken();
    await judge(token);
    for (let at = 0; at < token.length; at += 7) {
      for (const bit of [1, 2, 4]) {
        const changed = String.fromCharCode(token.charCodeAt(at) ^ bit);
        const forged = token.slice(0, at) + changed + token.slice(at + 1);
        expect(await judge(forged), `character ${at}`).not.toBe("recognised");
        expect(await judge(forged), `character ${at}`).toMatch(/: /);
      }
    }
    expect(await judge(token)).toBe("recognised");
  });

  test("the same header and payload under a signature of somebody else", async () => {
    const { judge } = setUp();
    const token = userToken();
    await judge(token);
    const other = mint({ header: validHeader, payload: userClaims, key: successor });
    expect(await judge(other)).toBe("verified: signature");
    const unsigned = `${token.slice(0, token.lastIndexOf(".") + 1)}AAAA`;
    expect(await judge(unsigned)).toBe("verified: signature");
  });

  test("the same claims, signed a second time for another caller: each is verified by itself", async () => {
    const { judge } = setUp();
    await judge(userToken());
    expect(await judge(userToken({ uti: "another" }))).toBe("verified");
  });

  test("with something before or after it", async () => {
    const { judge } = setUp();
    const token = userToken();
    await judge(token);
    for (const forged of [
      ` ${token}`,
      `${token} `,
      `${token}.`,
      `${token}=`,
      `\u{feff}${token}`,
      token.toUpperCase(),
    ]) {
      expect(await judge(forged)).toMatch(/: /);
    }
  });

  test("a refused token is never remembered", async () => {
    const { judge } = setUp();
    const stranger = userToken({ tid: "11111111-1111-4111-8111-111111111111" });
    expect(await judge(stranger)).toBe("verified: tenant");
    expect(await judge(stranger)).toBe("verified: tenant");
  });
});

test("what is remembered is bounded, and the oldest goes first", async () => {
  const tokens = Array.from({ length: 20 }, (_, index) => userToken({ uti: `token-${index + 10}` }));
  const { judge } = setUp((tokens[0]?.length ?? 0) * 10);
  for (const token of tokens) {
    expect(await judge(token)).toBe("verified");
  }
  for (const token of tokens.slice(10)) {
    expect(await judge(token)).toBe("recognised");
  }
  expect(await judge(tokens[9] ?? "")).toBe("verified");
  expect(await judge(tokens[10] ?? "")).toBe("verified");
  expect(await judge(tokens[19] ?? "")).toBe("recognised");
});

test("gives the claims and nothing else", () => {
  const { keys } = setUp();
  const verified = createVerifiedTokens({ keys });
  const claims = { expiresAtSeconds: NOW + 60 } as CheckedClaims;
  verified.remember({ digest: "digest", bytes: 1_000, claims, generation: keys.generation }, NOW);
  expect(verified.find("digest", NOW)).toBe(claims);
});
