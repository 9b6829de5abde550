/**
 * Level 1 beyond hit and miss: renewals in the background, tokens that serve on while Entra is away, the order of
 * answers. Promises resolve in a chosen order; nothing sleeps.
 */
import { describe, expect, test } from "vitest";
import type { RenewalReport } from "../../shared/cache/renewals.ts";
import { type Acquire, createTokenCache, type LookUp } from "../../shared/cache/token-cache.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import type { EntraToken } from "../../shared/entra/entra-token.ts";
import { createThrottleMemory } from "../../shared/throttling/throttle-memory.ts";

const NOW = 1_000_000;
const HOUR = 3_600;
const LOOK_UP: LookUp = { key: "key", minimumSeconds: 0, bypass: false, notAfterSeconds: undefined };
const AWAY: Failure = { kind: "dependency_failed", dependency: "entra", problem: "unavailable" };
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

/** A cache, its clock, and an Entra that answers when it is told to. */
function setUp() {
  const clock = { now: NOW };
  const reports: RenewalReport[] = [];
  const cache = createTokenCache({
    maxBytes: 1_000_000,
    nowSeconds: () => clock.now,
    onRenewalFailed: (report) => reports.push(report),
  });
  const waiting: ((answer: Answer) => void)[] = [];
  const asked = { times: 0 };
  const acquire: Acquire = () => {
    asked.times += 1;
    return new Promise((resolve) => waiting.push(resolve));
  };
  /** Everything that can go on without Entra has gone on. */
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
  return { clock, reports, asked, settle, answer, look, fill };
}

describe("refresh-ahead", () => {
  test("ten minutes before a token stops being given out it is renewed, and nobody waits", async () => {
    const { clock, look, fill, answer, asked } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 120 - 601;
    expect(await look()).toBe("hit a");
    expect(asked.times).toBe(1);
    clock.now += 1;
    expect(await look()).toBe("hit a");
    expect(asked.times).toBe(2);
    expect(await look()).toBe("hit a");
    expect(asked.times).toBe(2);
    await answer(succeed(token("b", { from: clock.now })));
    expect(await look()).toBe("hit b");
    expect(asked.times).toBe(2);
  });

  test("a long-lived token is renewed when Entra suggests it", async () => {
    const { clock, look, fill, asked } = setUp();
    await fill(token("a", { lives: 28 * HOUR, refreshAfter: 12 * HOUR }));
    clock.now = NOW + 12 * HOUR - 1;
    await look();
    expect(asked.times).toBe(1);
    clock.now += 1;
    expect(await look()).toBe("hit a");
    expect(asked.times).toBe(2);
  });

  test("an entry that ends with its assertion is not renewed: a newer token would end with it too", async () => {
    const { clock, look, fill, asked } = setUp();
    const notAfterSeconds = NOW + HOUR;
    await fill(token("a", { lives: 28 * HOUR, refreshAfter: 60 }), { notAfterSeconds });
    for (const later of [60, 1_800, 3_000, HOUR - 121]) {
      clock.now = NOW + later;
      expect(await look({ notAfterSeconds })).toBe("hit a");
    }
    expect(asked.times).toBe(1);
  });

  test("a token that ends before its assertion is renewed", async () => {
    const { clock, look, fill, asked } = setUp();
    const notAfterSeconds = NOW + 2 * HOUR;
    await fill(token("a"), { notAfterSeconds });
    clock.now = NOW + HOUR - 700;
    await look({ notAfterSeconds });
    expect(asked.times).toBe(2);
  });

  test("a failure is silent, is tried again after growing pauses, and leaves a warning while Entra is away", async () => {
    const { clock, look, fill, answer, asked, reports } = setUp();
    await fill(token("a", { lives: 24 * HOUR, refreshAfter: HOUR }));
    clock.now = NOW + HOUR;
    expect(await look()).toBe("hit a");
    await answer(fail(AWAY));
    for (const pause of [30, 60, 120, 240, 300, 300]) {
      const before = asked.times;
      clock.now += pause - 1;
      expect(await look()).toBe("hit a entra_unavailable");
      expect(asked.times).toBe(before);
      clock.now += 1;
      await look();
      expect(asked.times).toBe(before + 1);
      await answer(fail(LATE));
    }
    expect(reports[0]).toEqual({ reason: "dependency_failed", count: 1 });
    expect(reports.length).toBeLessThan(8);
    clock.now += 300;
    await look();
    await answer(succeed(token("b", { from: clock.now })));
    expect(await look()).toBe("hit b");
  });

  test("a refusal is no warning: the token serves to its end and not longer", async () => {
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

  test("a call that throws is a failed renewal, and no more", async () => {
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

  test("sixteen renewals run at once, whatever is due", async () => {
    const { clock, look, fill, asked } = setUp();
    for (let index = 0; index < 40; index++) {
      await fill(token("a"), { key: `key ${index}` });
    }
    clock.now = NOW + HOUR - 700;
    for (let index = 0; index < 40; index++) {
      expect(await look({ key: `key ${index}` })).toBe("hit a");
    }
    expect(asked.times).toBe(40 + 16);
  });

  test("who needs the token while it is being renewed joins the renewal", async () => {
    const { clock, look, fill, answer, asked } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 700;
    await look();
    clock.now = NOW + HOUR - 60;
    const looking = look();
    await answer(succeed(token("b", { from: clock.now })));
    expect(await looking).toBe("joined b");
    expect(asked.times).toBe(2);
  });
});

describe("Entra is away", () => {
  test.each([
    ["5xx", AWAY, "entra_unavailable"],
    ["no answer in time", LATE, "entra_unavailable"],
    ["throttled", THROTTLED, "entra_throttled"],
  ] as const)("%s: a token in its last two minutes still serves, with a warning", async (_name, failure, warning) => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 60;
    const looking = look();
    await answer(fail(failure));
    expect(await looking).toBe(`hit a ${warning}`);
  });

  test("with ten seconds left it is no help any more", async () => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + HOUR - 9;
    const looking = look();
    await answer(fail(AWAY));
    expect(await looking).toBe("dependency_failed");
  });

  test("the end of the assertion is the end, away or not", async () => {
    const { clock, look, fill, answer } = setUp();
    const notAfterSeconds = NOW + 600;
    await fill(token("a"), { notAfterSeconds });
    clock.now = NOW + 595;
    const looking = look({ notAfterSeconds });
    await answer(fail(AWAY));
    expect(await looking).toBe("dependency_failed");
  });

  test("who asked for a longer life gets what there is", async () => {
    const { clock, look, fill, answer } = setUp();
    await fill(token("a"));
    clock.now = NOW + 1_000;
    const looking = look({ minimumSeconds: 3_000 });
    await answer(fail(AWAY));
    expect(await looking).toBe("hit a entra_unavailable");
  });

  test("who went past the cache gets the error: the kept token is not what was asked for", async () => {
    const { look, fill, answer } = setUp();
    await fill(token("a"));
    const looking = look({ bypass: true });
    await answer(fail(AWAY));
    expect(await looking).toBe("dependency_failed");
  });
});

describe("a wish for a longer life", () => {
  test("asks Entra once a minute at most, whatever is wished", async () => {
    const { clock, look, fill, answer, asked } = setUp();
    await fill(token("a"), { minimumSeconds: 86_400 });
    clock.now = NOW + 59;
    expect(await look({ minimumSeconds: 86_400 })).toBe("hit a");
    expect(asked.times).toBe(1);
    clock.now = NOW + 60;
    const looking = look({ minimumSeconds: 86_400 });
    await answer(succeed(token("b", { from: clock.now })));
    expect(await looking).toBe("miss b");
  });
});

describe("answers out of order", () => {
  test("an older question's answer does not replace a newer one's", async () => {
    const { look, answer } = setUp();
    const first = look();
    const second = look({ bypass: true });
    // The second question is answered first.
    const slow = { answered: false };
    void first.then(() => {
      slow.answered = true;
    });
    await answer(succeed(token("old")));
    await answer(succeed(token("new")));
    expect([await first, await second]).toEqual(["miss old", "bypass new"]);
    expect(await look()).toBe("hit new");
  });

  test("not even when it comes last", async () => {
    const clock = { now: NOW };
    const cache = createTokenCache({ maxBytes: 1_000_000, nowSeconds: () => clock.now });
    const slow = Promise.withResolvers<Answer>();
    const first = cache.getOrAcquire(LOOK_UP, () => slow.promise);
    await cache.getOrAcquire({ ...LOOK_UP, bypass: true }, async () => succeed(token("new")));
    slow.resolve(succeed(token("old")));
    await first;
    const found = await cache.getOrAcquire(LOOK_UP, () => Promise.reject(new Error("never asked")));
    expect(found.ok && found.value.token.accessToken.reveal()).toBe("new");
  });
});

describe("the memory of throttling", () => {
  test("holds for the time that Entra named, counting down, and for nobody else", () => {
    const clock = { now: NOW };
    const throttles = createThrottleMemory(() => clock.now);
    throttles.remember("alice", 30);
    expect([throttles.remaining("alice"), throttles.remaining("bob")]).toEqual([30, undefined]);
    clock.now += 29;
    expect(throttles.remaining("alice")).toBe(1);
    clock.now += 1;
    expect(throttles.remaining("alice")).toBeUndefined();
  });

  test("is bounded in users", () => {
    const throttles = createThrottleMemory(() => NOW);
    for (let user = 0; user <= 10_000; user++) {
      throttles.remember(`user ${user}`, 60);
    }
    expect([throttles.remaining("user 0"), throttles.remaining("user 10000")]).toEqual([undefined, 60]);
  });
});
