/** The token cache: lifetime of entries, shared calls, what is never stored. Promises resolve in a chosen order. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LookUp } from "../../../shared/cache/look-up.ts";
import { createTokenCache, type TokenCache } from "../../../shared/cache/token-cache.ts";
import type { Failure } from "../../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { EntraToken } from "../../../shared/entra/entra-token.ts";

const NOW = 1_000_000;
const LOOK_UP: LookUp = {
  key: "key",
  minimumSeconds: 0,
  bypass: false,
  notAfterSeconds: undefined,
  mayUse: () => true,
};
const FAILURE: Failure = { kind: "dependency_failed", dependency: "entra", problem: "timeout" };

function token(name: string, lifetimeSeconds = 3_600, refresh?: string): EntraToken {
  return {
    accessToken: new SecretValue(name),
    expiresAtSeconds: NOW + lifetimeSeconds,
    refreshAtSeconds: undefined,
    scopes: ["User.Read"],
    refreshToken: refresh === undefined ? undefined : new SecretValue(refresh),
    user: undefined,
  };
}

function frozen(maxBytes = 1_000_000) {
  const clock = { now: NOW };
  return { clock, cache: createTokenCache({ maxBytes, nowSeconds: () => clock.now }) };
}

/** An Entra that returns what the test gives, and counts the calls. */
function entra(give: () => Result<EntraToken, Failure>) {
  const calls = { count: 0 };
  const acquire = () => {
    calls.count += 1;
    return Promise.resolve(give());
  };
  return { calls, acquire };
}

async function see(cache: TokenCache, given: Result<EntraToken, Failure>, lookUp: Partial<LookUp> = {}) {
  const answer = await cache.getOrAcquire({ ...LOOK_UP, ...lookUp }, () => Promise.resolve(given));
  return answer.ok ? `${answer.value.level} ${answer.value.token.accessToken.reveal()}` : answer.failure.kind;
}

describe("the lifetime of an entry", () => {
  test.each<[string, number, number | undefined, number]>([
    ["a token of one hour: until two minutes before its end", 3_600, undefined, 3_480],
    ["a token of four minutes: until two minutes before its end", 240, undefined, 120],
    ["a token of 100 seconds: half of that", 100, undefined, 50],
    ["an assertion that ends before the token: until two minutes before its end (SEC-10)", 3_600, NOW + 1_000, 880],
    ["an assertion that ends after the token: no change", 3_600, NOW + 9_999, 3_480],
    ["an assertion that ends in 60 seconds: half of that", 3_600, NOW + 60, 30],
  ])("%s", async (_name, lifetime, notAfterSeconds, usedSeconds) => {
    const seenAfter = async (seconds: number) => {
      const { clock, cache } = frozen();
      await see(cache, succeed(token("a", lifetime)), { notAfterSeconds });
      clock.now = NOW + seconds;
      return see(cache, succeed(token("b")), { notAfterSeconds });
    };
    expect(await seenAfter(usedSeconds - 1)).toBe("hit a");
    expect(await seenAfter(usedSeconds)).toBe("miss b");
  });

  test.each<[string, number, number | undefined]>([
    ["a token that has just expired", 0, undefined],
    ["a token that expired before it was returned", -10, undefined],
    ["an assertion that has just expired", 3_600, NOW],
    ["an assertion that expired earlier", 3_600, NOW - 10],
  ])("%s: the token is not stored", async (_name, lifetime, notAfterSeconds) => {
    const { cache } = frozen();
    expect(await see(cache, succeed(token("a", lifetime)), { notAfterSeconds })).toBe("miss a");
    expect(await see(cache, succeed(token("b", lifetime)), { notAfterSeconds })).toBe("miss b");
  });

  test("an entry that ends before minimumSeconds is replaced by a new token", async () => {
    const { clock, cache } = frozen();
    await see(cache, succeed(token("a")));
    clock.now = NOW + 1_000;
    expect(await see(cache, succeed(token("b", 9_000)), { minimumSeconds: 2_600 })).toBe("hit a");
    expect(await see(cache, succeed(token("b", 9_000)), { minimumSeconds: 2_601 })).toBe("miss b");
    expect(await see(cache, succeed(token("c")))).toBe("hit b");
  });

  test("a new token that ends before minimumSeconds is returned, because Entra has no longer one", async () => {
    const { cache } = frozen();
    expect(await see(cache, succeed(token("a", 600)), { minimumSeconds: 3_600 })).toBe("miss a");
  });

  test("property: a hit never comes at or after the end of the token or of the right to it", () => {
    const seconds = fc.integer({ min: -100, max: 10_000 });
    return fc.assert(
      fc.asyncProperty(seconds, fc.option(seconds, { nil: undefined }), seconds, async (life, right, later) => {
        const { clock, cache } = frozen();
        const notAfterSeconds = right === undefined ? undefined : NOW + right;
        await see(cache, succeed(token("a", life)), { notAfterSeconds });
        clock.now = NOW + Math.max(0, later);
        const seen = await see(cache, succeed(token("b")), { notAfterSeconds });
        const alive = clock.now < NOW + life && clock.now < (notAfterSeconds ?? Number.POSITIVE_INFINITY);
        expect(seen === "miss b" || alive).toBe(true);
      }),
    );
  });
});

describe("single flight", () => {
  test("fifty concurrent requests for one token make one call to Entra", async () => {
    const { cache } = frozen();
    const { promise, resolve } = Promise.withResolvers<Result<EntraToken, Failure>>();
    let count = 0;
    const acquire = () => {
      count += 1;
      return promise;
    };
    const waiting = Array.from({ length: 50 }, () => cache.getOrAcquire(LOOK_UP, acquire));
    resolve(succeed(token("a")));
    const answers = await Promise.all(waiting);
    expect(count).toBe(1);
    const levels = answers.map((answer) => (answer.ok ? answer.value.level : "failed"));
    expect(levels.filter((level) => level === "miss")).toHaveLength(1);
    expect(levels.filter((level) => level === "joined")).toHaveLength(49);
    const tokens = new Set(answers.map((answer) => (answer.ok ? answer.value.token.accessToken.reveal() : "")));
    expect([...tokens]).toEqual(["a"]);
  });

  test("a look-up does not wait for a running call of another key", async () => {
    const { cache } = frozen();
    const slow = Promise.withResolvers<Result<EntraToken, Failure>>();
    const first = cache.getOrAcquire({ ...LOOK_UP, key: "slow" }, () => slow.promise);
    expect(await see(cache, succeed(token("quick")), { key: "quick" })).toBe("miss quick");
    slow.resolve(succeed(token("late")));
    expect(await first).toMatchObject({ value: { level: "miss" } });
  });

  test("all waiting requests get a failure; it is not stored, and the next request calls Entra", async () => {
    const { cache } = frozen();
    const { promise, resolve } = Promise.withResolvers<Result<EntraToken, Failure>>();
    const waiting = [cache.getOrAcquire(LOOK_UP, () => promise), cache.getOrAcquire(LOOK_UP, () => promise)];
    resolve(fail(FAILURE));
    expect(await Promise.all(waiting)).toEqual([fail(FAILURE), fail(FAILURE)]);
    expect(await see(cache, succeed(token("b")))).toBe("miss b");
  });

  test("a call that throws is not stored, and the next request calls Entra", async () => {
    const { cache } = frozen();
    await expect(cache.getOrAcquire(LOOK_UP, () => Promise.reject(new Error("bug")))).rejects.toThrow("bug");
    expect(await see(cache, succeed(token("b")))).toBe("miss b");
  });

  test("a request after the call gets the entry, not the finished call", async () => {
    const { cache } = frozen();
    const { calls, acquire } = entra(() => succeed(token("a")));
    await cache.getOrAcquire(LOOK_UP, acquire);
    await cache.getOrAcquire(LOOK_UP, acquire);
    expect(calls.count).toBe(1);
  });
});

describe("bypass (claims, forceRefresh)", () => {
  test("calls Entra although there is an entry, and replaces the entry", async () => {
    const { cache } = frozen();
    await see(cache, succeed(token("a")));
    expect(await see(cache, succeed(token("b")), { bypass: true })).toBe("bypass b");
    expect(await see(cache, succeed(token("c")))).toBe("hit b");
  });

  test("leaves the entry in place if the call fails", async () => {
    const { cache } = frozen();
    await see(cache, succeed(token("a")));
    expect(await see(cache, fail(FAILURE), { bypass: true })).toBe("dependency_failed");
    expect(await see(cache, succeed(token("c")))).toBe("hit a");
  });

  test("does not join a running call", async () => {
    const { cache } = frozen();
    const running = Promise.withResolvers<Result<EntraToken, Failure>>();
    const first = cache.getOrAcquire(LOOK_UP, () => running.promise);
    expect(await see(cache, succeed(token("b")), { bypass: true })).toBe("bypass b");
    running.resolve(succeed(token("a")));
    expect(await first).toMatchObject({ value: { level: "miss" } });
  });
});

describe("what the cache stores", () => {
  test("the refresh token is not stored: only the request that called Entra gets it", async () => {
    const { cache } = frozen();
    const fresh = await cache.getOrAcquire(LOOK_UP, () => Promise.resolve(succeed(token("a", 3_600, "1.refresh"))));
    expect(fresh.ok && fresh.value.token.refreshToken?.reveal()).toBe("1.refresh");
    const stored = await cache.getOrAcquire(LOOK_UP, () => Promise.reject(new Error("must not be called")));
    expect(stored).toMatchObject({ value: { level: "hit", token: { refreshToken: undefined } } });
  });

  test("the tokens of ten thousand users stay within the limit in bytes; the least recently used are evicted first (TC-25)", async () => {
    const maxBytes = 500_000;
    const entryBytes = 1_024 + 8 + 2_000;
    const { cache } = frozen(maxBytes);
    const { calls, acquire } = entra(() => succeed(token("x".repeat(2_000))));
    for (let user = 0; user < 10_000; user++) {
      await cache.getOrAcquire({ ...LOOK_UP, key: String(user).padStart(8, "0") }, acquire);
    }
    let stored = 0;
    for (let user = 9_999; user >= 9_500; user--) {
      const before = calls.count;
      const answer = await cache.getOrAcquire({ ...LOOK_UP, key: String(user).padStart(8, "0") }, () =>
        Promise.resolve(fail(FAILURE)),
      );
      stored += answer.ok ? 1 : 0;
      expect(calls.count).toBe(before);
    }
    expect(stored).toBeGreaterThan(100);
    expect(stored).toBeLessThanOrEqual(Math.floor(maxBytes / entryBytes));
    expect(await see(cache, succeed(token("again")), { key: "00000000" })).toBe("miss again");
  });

  test("a token larger than the whole cache is returned but not stored", async () => {
    const { cache } = frozen(2_000);
    expect(await see(cache, succeed(token("x".repeat(3_000))))).toMatch(/^miss x/);
    expect(await see(cache, succeed(token("b")))).toBe("miss b");
  });
});

describe("a token that was revoked since", () => {
  const revokedUntil = (seconds: number): Partial<LookUp> => ({ mayUse: (acquired) => acquired > seconds });

  test("is not used, and the token that Entra returns now is", async () => {
    const { clock, cache } = frozen();
    await see(cache, succeed(token("a")));
    clock.now = NOW + 10;
    expect(await see(cache, succeed(token("b")), revokedUntil(NOW))).toBe("miss b");
    expect(await see(cache, succeed(token("c")), revokedUntil(NOW))).toBe("hit b");
  });

  test("is not used instead of a failure of Entra either", async () => {
    const { clock, cache } = frozen();
    await see(cache, succeed(token("a")));
    clock.now = NOW + 3_500;
    expect(await see(cache, fail(FAILURE))).toBe("hit a");
    expect(await see(cache, fail(FAILURE), revokedUntil(NOW))).toBe("dependency_failed");
  });

  test("is as old as the beginning of the call to Entra", async () => {
    const { clock, cache } = frozen();
    const { promise, resolve } = Promise.withResolvers<Result<EntraToken, Failure>>();
    const first = cache.getOrAcquire(LOOK_UP, () => promise);
    await Promise.resolve();
    clock.now = NOW + 5;
    resolve(succeed(token("a")));
    await first;
    expect(await see(cache, succeed(token("b")), revokedUntil(NOW + 1))).toBe("miss b");
  });

  test("is not given to a request that joined the call and began after the revocation", async () => {
    const { cache } = frozen();
    const { promise, resolve } = Promise.withResolvers<Result<EntraToken, Failure>>();
    const earlier = cache.getOrAcquire(LOOK_UP, () => promise);
    await Promise.resolve();
    const joined = see(cache, succeed(token("b")), revokedUntil(NOW));
    await Promise.resolve();
    resolve(succeed(token("a")));
    expect((await earlier).ok).toBe(true);
    expect(await joined).toBe("miss b");
  });

  describe("and has the scopes of another request", () => {
    const family: Partial<LookUp> = { wider: { family: () => "family", covers: () => true } };
    const part = { ...family, key: "part" };

    test("is not the answer to that request either", async () => {
      const { clock, cache } = frozen();
      await see(cache, succeed(token("a")), family);
      expect(await see(cache, succeed(token("b")), part)).toBe("hit a");
      clock.now = NOW + 10;
      expect(await see(cache, succeed(token("b")), { ...part, ...revokedUntil(NOW) })).toBe("miss b");
      expect(await see(cache, succeed(token("c")), { ...family, ...revokedUntil(NOW) })).toBe("hit b");
    });

    test("leaves that request a later token, although it ends sooner", async () => {
      const { clock, cache } = frozen();
      await see(cache, succeed(token("long", 9_000)), family);
      clock.now = NOW + 10;
      await see(cache, succeed(token("later")), { ...family, key: "another", bypass: true });
      expect(await see(cache, succeed(token("b")), part)).toBe("hit long");
      expect(await see(cache, succeed(token("b")), { ...part, ...revokedUntil(NOW) })).toBe("hit later");
      const asked = { ...part, mayUse: async (acquired: number) => acquired > NOW };
      expect(await see(cache, succeed(token("b")), asked)).toBe("hit later");
    });

    test("is not used instead of a failure of Entra", async () => {
      const { clock, cache } = frozen();
      await see(cache, succeed(token("a")), family);
      clock.now = NOW + 3_500;
      expect(await see(cache, fail(FAILURE), part)).toBe("hit a");
      expect(await see(cache, fail(FAILURE), { ...part, ...revokedUntil(NOW) })).toBe("dependency_failed");
    });

    test("counts as a token that there was, for every request whose scopes it has", async () => {
      const { cache } = frozen();
      const seen: boolean[] = [];
      const acquire = (name: string) => (hadToken: boolean) => {
        seen.push(hadToken);
        return Promise.resolve(succeed(token(name)));
      };
      const revoked = revokedUntil(NOW);
      const other: Partial<LookUp> = { wider: { family: () => "family", covers: () => false }, key: "other" };
      await cache.getOrAcquire({ ...LOOK_UP, ...family }, acquire("a"));
      await cache.getOrAcquire({ ...LOOK_UP, ...other }, acquire("b"));
      await cache.getOrAcquire({ ...LOOK_UP, ...family, ...revoked }, acquire("c"));
      await cache.getOrAcquire({ ...LOOK_UP, ...part, ...revoked }, acquire("d"));
      await cache.getOrAcquire({ ...LOOK_UP, bypass: true }, acquire("e"));
      expect(seen).toEqual([false, false, true, true, true]);
    });

    test("is not given to a request that waited for the call and began after the revocation", async () => {
      const { cache } = frozen();
      const { promise, resolve } = Promise.withResolvers<Result<EntraToken, Failure>>();
      const earlier = cache.getOrAcquire({ ...LOOK_UP, ...family }, () => promise);
      const waiting = see(cache, succeed(token("b")), part);
      const after = see(cache, succeed(token("c")), { ...part, key: "after", ...revokedUntil(NOW) });
      resolve(succeed(token("a")));
      expect((await earlier).ok).toBe(true);
      expect(await waiting).toBe("joined a");
      expect(await after).toBe("miss c");
    });
  });

  test("waits for the answer whether it was revoked", async () => {
    const { cache } = frozen();
    await see(cache, succeed(token("a")));
    expect(await see(cache, succeed(token("b")), { mayUse: async () => false })).toBe("miss b");
    expect(await see(cache, succeed(token("c")), { mayUse: async () => true })).toBe("hit b");
  });
});
