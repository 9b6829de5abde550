/** One call to Entra for all instances: the lease, the wait for it, and what works while level 2 is unavailable. */
import { describe, expect, test } from "vitest";
import type { CachedToken } from "../../shared/cache/cached-token.ts";
import type { LookUp } from "../../shared/cache/look-up.ts";
import type { Found, SharedTokens } from "../../shared/cache/shared-tokens.ts";
import { createTokenCache } from "../../shared/cache/token-cache.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import type { EntraToken } from "../../shared/entra/entra-token.ts";

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

function token(name: string, expiresAtSeconds = NOW + HOUR): CachedToken {
  return {
    accessToken: new SecretValue(name),
    expiresAtSeconds,
    refreshAtSeconds: undefined,
    scopes: [],
    refreshToken: undefined,
    acquiredAtSeconds: NOW,
    user: undefined,
  };
}

/** A level 2 in memory, with leases. `unavailable` makes it behave as without a connection. */
function createShared() {
  const entries = new Map<string, CachedToken | string>();
  const newest = new Map<string, string>();
  const state = { unavailable: false, looks: 0, leases: 0 };
  const shared: SharedTokens = {
    async findOrLease(key): Promise<Found> {
      state.looks += 1;
      if (state.unavailable) return { kind: "unavailable" };
      const entry = entries.get(key);
      if (entry === undefined) {
        const lease = `lease ${++state.leases}`;
        entries.set(key, lease);
        return { kind: "leased", lease };
      }
      return typeof entry === "string" ? { kind: "busy" } : { kind: "token", token: entry };
    },
    async find(key) {
      const entry = state.unavailable ? undefined : entries.get(key);
      return typeof entry === "object" ? entry : undefined;
    },
    async findInFamily(family) {
      const key = newest.get(family) ?? "";
      const token = await shared.find(key);
      return token && { key, token };
    },
    async put(key, token, _untilSeconds, family) {
      if (state.unavailable) return;
      entries.set(key, token);
      if (family !== undefined) newest.set(family, key);
    },
    async release(key, lease) {
      if (entries.get(key) === lease) entries.delete(key);
    },
  };
  return { shared, entries, state };
}

function instance(shared: SharedTokens, clock = { now: NOW }) {
  const cache = createTokenCache({ maxBytes: 1_000_000, nowSeconds: () => clock.now, shared });
  const calls = { count: 0 };
  const look = async (give: () => Promise<Result<EntraToken, Failure>>, changes: Partial<LookUp> = {}) => {
    const found = await cache.getOrAcquire({ ...LOOK_UP, ...changes }, () => {
      calls.count += 1;
      return give();
    });
    return found.ok ? `${found.value.level} ${found.value.token.accessToken.reveal()}` : found.failure.kind;
  };
  return { look, calls, clock };
}

const give = (name: string) => async () => succeed(token(name));
const never = () => Promise.reject(new Error("must not be called"));
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("several instances", () => {
  test("an instance takes the token that another one acquired, and then answers from its own memory", async () => {
    const { shared, state } = createShared();
    const [first, second] = [instance(shared), instance(shared)];
    expect(await first.look(give("a"))).toBe("miss a");
    expect(await second.look(never)).toBe("shared a");
    const looks = state.looks;
    expect(await second.look(never)).toBe("hit a");
    expect(state.looks).toBe(looks);
  });

  test("three instances that need a token at the same time make one call to Entra", async () => {
    const { shared } = createShared();
    const instances = [instance(shared), instance(shared), instance(shared)];
    const entra = Promise.withResolvers<Result<EntraToken, Failure>>();
    const looking = instances.map(({ look }) => look(() => entra.promise));
    await settle();
    entra.resolve(succeed(token("a")));
    const seen = await Promise.all(looking);
    expect(seen.sort()).toEqual(["miss a", "shared a", "shared a"]);
    expect(instances.reduce((sum, { calls }) => sum + calls.count, 0)).toBe(1);
  });

  test("an instance whose call fails releases the lease, and the next instance calls Entra", async () => {
    const { shared } = createShared();
    const [first, second] = [instance(shared), instance(shared)];
    const entra = Promise.withResolvers<Result<EntraToken, Failure>>();
    const failing = first.look(() => entra.promise);
    await settle();
    const waiting = second.look(give("b"));
    await settle();
    entra.resolve(fail(UNAVAILABLE));
    expect(await failing).toBe("dependency_failed");
    expect(await waiting).toBe("miss b");
  });

  test("if the instance with the lease crashes, the others wait a bounded time and then call Entra", async () => {
    const { shared, entries } = createShared();
    entries.set("key", "lease of a crashed instance");
    const { look, calls } = instance(shared);
    expect(await look(give("b"))).toBe("miss b");
    expect(calls.count).toBe(1);
    expect(entries.get("key")).toMatchObject({ accessToken: expect.anything() });
  });

  test("a shared token that ends before minimumSeconds is replaced", async () => {
    const { shared } = createShared();
    const [first, second] = [instance(shared), instance(shared)];
    await first.look(async () => succeed(token("short", NOW + 600)));
    const long = async () => succeed(token("long", NOW + 9_000));
    expect(await second.look(long, { minimumSeconds: 1_000 })).toBe("miss long");
    expect(await instance(shared).look(never)).toBe("shared long");
  });

  test("an instance stores a token from level 2 no longer than until the end of the assertion", async () => {
    const { shared } = createShared();
    await instance(shared).look(give("a"));
    const { look, clock } = instance(shared);
    const notAfterSeconds = NOW + 600;
    expect(await look(never, { notAfterSeconds })).toBe("shared a");
    clock.now = NOW + 479;
    expect(await look(never, { notAfterSeconds })).toBe("hit a");
    clock.now = NOW + 600;
    expect(await look(give("b"), { notAfterSeconds })).toBe("shared a");
    expect(await look(give("b"), { notAfterSeconds })).toBe("shared a");
  });

  test("a request that bypasses the cache replaces the entry for all instances", async () => {
    const { shared } = createShared();
    const first = instance(shared);
    await first.look(give("a"));
    expect(await first.look(give("b"), { bypass: true })).toBe("bypass b");
    expect(await instance(shared).look(never)).toBe("shared b");
  });
});

describe("renewals of several instances", () => {
  test("one instance renews a token, and the others take the renewed one", async () => {
    const { shared } = createShared();
    const clock = { now: NOW };
    const [first, second] = [instance(shared, clock), instance(shared, clock)];
    await first.look(give("a"));
    await second.look(never);
    clock.now = NOW + HOUR - 700;
    await first.look(async () => succeed(token("b", clock.now + HOUR)));
    await settle();
    expect(await first.look(never)).toBe("hit b");
    expect(await second.look(never)).toBe("hit a");
    await settle();
    expect(await second.look(never)).toBe("hit b");
    expect([first.calls.count, second.calls.count]).toEqual([2, 0]);
  });

  test("an instance does not renew a token while another one renews it", async () => {
    const { shared, entries } = createShared();
    const { look, calls, clock } = instance(shared);
    await look(give("a"));
    entries.set("key:renewal", "lease of another");
    clock.now = NOW + HOUR - 700;
    expect(await look(never)).toBe("hit a");
    await settle();
    expect(await look(never)).toBe("hit a");
    expect(calls.count).toBe(1);
  });
});

describe("a token of another instance that was revoked since", () => {
  const AFTER: Partial<LookUp> = { mayUse: async (acquired) => acquired > NOW };
  const FAMILY: Partial<LookUp> = { wider: { family: () => "family", covers: () => true } };
  const PART = { ...FAMILY, key: "part" };
  const LATER = NOW + HOUR - 700;

  test("is not used", async () => {
    const { shared } = createShared();
    await instance(shared).look(give("a"));
    expect(await instance(shared).look(never)).toBe("shared a");
    expect(await instance(shared).look(give("b"), AFTER)).toBe("miss b");
  });

  test("is not the answer to a request for a part of its scopes, and the next token replaces it", async () => {
    const { shared, entries } = createShared();
    const wide = instance(shared);
    await wide.look(give("a"), FAMILY);
    expect(await instance(shared).look(never, PART)).toBe("shared a");
    const later = instance(shared, { now: NOW + 10 });
    expect(await later.look(give("b"), { ...PART, ...AFTER })).toBe("miss b");
    expect(entries.get("part")).toMatchObject({ acquiredAtSeconds: NOW + 10 });
    expect(await instance(shared).look(never, { ...FAMILY, ...AFTER, key: "third" })).toBe("shared b");
  });

  test("is as old in the memory of the instance that found it as it was in level 2", async () => {
    const { shared } = createShared();
    await instance(shared).look(give("a"), FAMILY);
    const { look } = instance(shared, { now: NOW + 10 });
    expect(await look(never, PART)).toBe("shared a");
    expect(await look(give("b"), { ...PART, ...AFTER })).toBe("miss b");
  });

  test("is not taken as the renewal of a later token", async () => {
    const { shared, entries } = createShared();
    const { look, calls, clock } = instance(shared, { now: NOW + 10 });
    await look(give("a"));
    clock.now = LATER;
    entries.set("key", token("revoked", LATER + HOUR));
    expect(await look(async () => succeed(token("b", LATER + HOUR)), AFTER)).toBe("hit a");
    await settle();
    expect(await look(never, AFTER)).toBe("hit b");
    expect(calls.count).toBe(2);
  });

  test("does not become younger while another instance renews it", async () => {
    const { shared, entries } = createShared();
    const { look, clock } = instance(shared);
    await look(give("a"));
    entries.set("key:renewal", "lease of another");
    clock.now = LATER;
    expect(await look(never)).toBe("hit a");
    await settle();
    expect(await look(give("b"), AFTER)).toBe("miss b");
  });
});

describe("while level 2 is unavailable", () => {
  test("each instance calls Entra itself and caches the token in its own memory", async () => {
    const { shared, state } = createShared();
    state.unavailable = true;
    const [first, second] = [instance(shared), instance(shared)];
    expect(await first.look(give("a"))).toBe("miss a");
    expect(await first.look(never)).toBe("hit a");
    expect(await second.look(give("b"))).toBe("miss b");
  });

  test("a token is returned even if level 2 becomes unavailable during the call to Entra", async () => {
    const { shared, state } = createShared();
    const { look } = instance(shared);
    const entra = Promise.withResolvers<Result<EntraToken, Failure>>();
    const looking = look(() => entra.promise);
    await settle();
    state.unavailable = true;
    entra.resolve(succeed(token("a")));
    expect(await looking).toBe("miss a");
  });
});
