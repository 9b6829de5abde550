/**
 * Level 1 beyond hit and miss: renewals in the background, tokens that stay in use while Entra cannot answer, the order
 * of replies. Promises resolve in a chosen order; no test sleeps.
 */
import { describe, expect, test } from "vitest";
import type { LookUp } from "../../shared/cache/look-up.ts";
import type { RenewalReport } from "../../shared/cache/renewals.ts";
import { type Acquire, createTokenCache } from "../../shared/cache/token-cache.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import type { EntraToken } from "../../shared/entra/entra-token.ts";
import { createThrottleMemory } from "../../shared/throttling/throttle-memory.ts";

const NOW = 1_000_000;
const HOUR = 3_600;
const LOOK_UP: LookUp = {
  key: "key",
  minimumSeconds: 0,
  bypass: false,
  notAfterSeconds: undefined,
  mayUse: () => true,
};
const UNAVAILABLE: Failure = { kind: "dependency_failed", dependency: "entra", problem: "unavailable" };
const LATE: Failure = { kind: "dependency_failed", dependency: "entra", problem: "timeout" };
const THROTTLED: Failure = { kind: "throttled", retryAfterSeconds: 30 };
const REFUSED: Failure = { kind: "grant_refused", reason: "unknown" };

interface TokenChanges {
  readonly lives?: number;
  readonly refreshAfter?: number;
  readonly from?: number;
}

function token(name: string, { lives = HOUR, refreshAfter, from = NOW }: TokenChanges = {}): EntraToken {
  return {
    accessToken: new SecretValue(name),
    expiresAtSeconds: from + lives,
    refreshAtSeconds: refreshAfter === undefined ? undefined : from + refreshAfter,
    scopes: [],
    refreshToken: undefined,
    user: undefined,
  };
}

type Answer = Result<EntraToken, Failure>;

/** A cache, its clock, and an Entra that replies when the test says so. */
function setUp() {
  const clock = { now: NOW };
  const reports: RenewalReport[] = [];
  const cache = createTokenCache({
    maxBytes: 1_000_000,
    nowSeconds: () => clock.now,
    onRenewalFailed: (report) => reports.push(report),
  });
  const waiting: ((answer: Answer) => void)[] = [];
  const calls = { count: 0 };
  const acquire: Acquire = () => {
    calls.count += 1;
    return new Promise((resolve) => waiting.push(resolve));
  };
  /** Runs everything that does not wait for Entra. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const answer = async (given: Answer) => {
    waiting.shift()?.(given);
    await settle();
  };
  const look = async (changes: Partial<LookUp> = {}) => {
    const found = await cache.getOrAcquire({ ...LOOK_UP, ...changes }, acquire);
    if (!found.ok) return found.failure.kind;
    const { level, token: given, warning } = found.value;
    return [level, given.accessToken.reveal(), warning].filter((part) => part !== undefined).join(" ");
  };
  const fill = async (first: EntraToken, changes: Partial<LookUp> = {}) => {
    const looking = look(changes);
    await answer(succeed(first));
    await looking;
  };
  return { clock, reports, calls, settle, answer, look, fill };
}

describe("refresh-ahead", () => {
  test("a token is renewed in the background ten minutes before the cache stops using it", async () => {
    const { clock, look, fill, answer, calls } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 120 - 601;
    expect(await look()).toBe("hit a");
    expect(calls.count).toBe(1);
    clock.now += 1;
    expect(await look()).toBe("hit a");
    expect(calls.count).toBe(2);
    expect(await look()).toBe("hit a");
    expect(calls.count).toBe(2);
    await answer(succeed(token("b", { from: clock.now })));
    expect(await look()).toBe("hit b");
    expect(calls.count).toBe(2);
  });

  test("a long-lived token is renewed at the time that Entra suggests", async () => {
    const { clock, look, fill, calls } = setUp();
    await fill(token("a", { lives: 28 * HOUR, refreshAfter: 12 * HOUR }));
    clock.now = NOW + 12 * HOUR - 1;
    await look();
    expect(calls.count).toBe(1);
    clock.now += 1;
    expect(await look()).toBe("hit a");
    expect(calls.count).toBe(2);
  });

  test("an entry that ends with its assertion is not renewed, because a newer token would end at the same time", async () => {
    const { clock, look, fill, calls } = setUp();
    const notAfterSeconds = NOW + HOUR;
    await fill(token("a", { lives: 28 * HOUR, refreshAfter: 60 }), { notAfterSeconds });
    for (const later of [60, 1_800, 3_000, HOUR - 121]) {
      clock.now = NOW + later;
      expect(await look({ notAfterSeconds })).toBe("hit a");
    }
    expect(calls.count).toBe(1);
  });

  test("a token that ends before its assertion is renewed", async () => {
    const { clock, look, fill, calls } = setUp();
    const notAfterSeconds = NOW + 2 * HOUR;
    await fill(token("a"), { notAfterSeconds });
    clock.now = NOW + HOUR - 700;
    await look({ notAfterSeconds });
    expect(calls.count).toBe(2);
  });

  test("a failed renewal is repeated after growing pauses, and hits carry a warning until one succeeds", async () => {
    const { clock, look, fill, answer, calls, reports } = setUp();
    await fill(token("a", { lives: 24 * HOUR, refreshAfter: HOUR }));
    clock.now = NOW + HOUR;
    expect(await look()).toBe("hit a");
    await answer(fail(UNAVAILABLE));
    for (const pause of [30, 60, 120, 240, 300, 300]) {
      const before = calls.count;
      clock.now += pause - 1;
      expect(await look()).toBe("hit a entra_unavailable");
      expect(calls.count).toBe(before);
      clock.now += 1;
      await look();
      expect(calls.count).toBe(before + 1);
      await answer(fail(LATE));
    }
    expect(reports[0]).toEqual({ reason: "dependency_failed", count: 1 });
    expect(reports.length).toBeLessThan(8);
    clock.now += 300;
    await look();
    await answer(succeed(token("b", { from: clock.now })));
    expect(await look()).toBe("hit b");
  });

  test("a renewal that Entra refuses sets no warning, and the token is used until its normal time", async () => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 700;
    await look();
    await answer(fail(REFUSED));
    expect(await look()).toBe("hit a");
    clock.now = NOW + HOUR - 120;
    const looking = look();
    await answer(fail(REFUSED));
    expect(await looking).toBe("grant_refused");
  });

  test("a renewal that throws counts as failed and affects no request", async () => {
    const { clock, look, fill, settle, reports } = setUp();
    await fill(token("a"));
    const cache = createTokenCache({
      maxBytes: 1_000_000,
      nowSeconds: () => clock.now,
      onRenewalFailed: (report) => reports.push(report),
    });
    await cache.getOrAcquire(LOOK_UP, () => Promise.resolve(succeed(token("a"))));
    clock.now = NOW + HOUR - 700;
    await cache.getOrAcquire(LOOK_UP, () => Promise.reject(new Error("bug")));
    await settle();
    expect(reports).toEqual([{ reason: "internal", count: 1 }]);
    expect(await look()).toBe("hit a");
  });

  test("at most sixteen renewals run at the same time", async () => {
    const { clock, look, fill, calls } = setUp();
    for (let index = 0; index < 40; index++) {
      await fill(token("a"), { key: `key ${index}` });
    }
    clock.now = NOW + HOUR - 700;
    for (let index = 0; index < 40; index++) {
      expect(await look({ key: `key ${index}` })).toBe("hit a");
    }
    expect(calls.count).toBe(40 + 16);
  });

  test("a request that needs a new token during a renewal joins the renewal", async () => {
    const { clock, look, fill, answer, calls } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 700;
    await look();
    clock.now = NOW + HOUR - 60;
    const looking = look();
    await answer(succeed(token("b", { from: clock.now })));
    expect(await looking).toBe("joined b");
    expect(calls.count).toBe(2);
  });
});

describe("while Entra cannot answer", () => {
  test.each([
    ["Entra answers 5xx", UNAVAILABLE, "entra_unavailable"],
    ["Entra times out", LATE, "entra_unavailable"],
    ["Entra throttles", THROTTLED, "entra_throttled"],
  ] as const)("%s: a token in its last two minutes is still used, with a warning", async (_name, failure, warning) => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 60;
    const looking = look();
    await answer(fail(failure));
    expect(await looking).toBe(`hit a ${warning}`);
  });

  test("a token in its last ten seconds is not used", async () => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 9;
    const looking = look();
    await answer(fail(UNAVAILABLE));
    expect(await looking).toBe("dependency_failed");
  });

  test("a token is not used in the last ten seconds of its assertion", async () => {
    const { clock, look, fill, answer } = setUp();
    const notAfterSeconds = NOW + 600;
    await fill(token("a"), { notAfterSeconds });
    clock.now = NOW + 595;
    const looking = look({ notAfterSeconds });
    await answer(fail(UNAVAILABLE));
    expect(await looking).toBe("dependency_failed");
  });

  test("a request for a longer lifetime gets the cached token, with a warning", async () => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + 1_000;
    const looking = look({ minimumSeconds: 3_000 });
    await answer(fail(UNAVAILABLE));
    expect(await looking).toBe("hit a entra_unavailable");
  });

  test("a request that bypasses the cache gets the error, not the cached token", async () => {
    const { look, fill, answer } = setUp();
    await fill(token("a"));
    const looking = look({ bypass: true });
    await answer(fail(UNAVAILABLE));
    expect(await looking).toBe("dependency_failed");
  });
});

describe("minimumSeconds", () => {
  test("causes at most one call to Entra a minute, for any value", async () => {
    const { clock, look, fill, answer, calls } = setUp();
    await fill(token("a"), { minimumSeconds: 86_400 });
    clock.now = NOW + 59;
    expect(await look({ minimumSeconds: 86_400 })).toBe("hit a");
    expect(calls.count).toBe(1);
    clock.now = NOW + 60;
    const looking = look({ minimumSeconds: 86_400 });
    await answer(succeed(token("b", { from: clock.now })));
    expect(await looking).toBe("miss b");
  });
});

describe("replies out of order", () => {
  test("the token of an earlier call does not replace the token of a later call", async () => {
    const { look, answer } = setUp();
    const first = look();
    const second = look({ bypass: true });
    // The first call is still running when the second one starts.
    const slow = { answered: false };
    void first.then(() => {
      slow.answered = true;
    });
    await answer(succeed(token("old")));
    await answer(succeed(token("new")));
    expect([await first, await second]).toEqual(["miss old", "bypass new"]);
    expect(await look()).toBe("hit new");
  });

  test("the token of an earlier call does not replace the token of a later call even if it arrives last", async () => {
    const clock = { now: NOW };
    const cache = createTokenCache({ maxBytes: 1_000_000, nowSeconds: () => clock.now });
    const slow = Promise.withResolvers<Answer>();
    const first = cache.getOrAcquire(LOOK_UP, () => slow.promise);
    await cache.getOrAcquire({ ...LOOK_UP, bypass: true }, async () => succeed(token("new")));
    slow.resolve(succeed(token("old")));
    await first;
    const found = await cache.getOrAcquire(LOOK_UP, () => Promise.reject(new Error("must not be called")));
    expect(found.ok && found.value.token.accessToken.reveal()).toBe("new");
  });
});

describe("the throttle memory", () => {
  test("counts down the time that Entra returned, for that user only", () => {
    const clock = { now: NOW };
    const throttles = createThrottleMemory(() => clock.now);
    throttles.remember("alice", 30);
    expect([throttles.remaining("alice"), throttles.remaining("bob")]).toEqual([30, undefined]);
    clock.now += 29;
    expect(throttles.remaining("alice")).toBe(1);
    clock.now += 1;
    expect(throttles.remaining("alice")).toBeUndefined();
  });

  test("is bounded to ten thousand users", () => {
    const throttles = createThrottleMemory(() => NOW);
    for (let user = 0; user <= 10_000; user++) {
      throttles.remember(`user ${user}`, 60);
    }
    expect([throttles.remaining("user 0"), throttles.remaining("user 10000")]).toEqual([undefined, 60]);
  });
});
