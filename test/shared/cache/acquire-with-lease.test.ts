/** The lease of an acquisition and of a renewal, with a level 2 that the test answers for. */
import { describe, expect, test } from "vitest";
import { type AcquiredToken, acquireWithLease, renewWithLease } from "../../../shared/cache/acquire-with-lease.ts";
import type { Found, SharedTokens } from "../../../shared/cache/shared-tokens.ts";
import type { Failure } from "../../../shared/core/failure.ts";
import { fail, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { EntraToken } from "../../../shared/entra/entra-token.ts";

const TOKEN: EntraToken = {
  accessToken: new SecretValue("token-of-entra"),
  expiresAtSeconds: 2_000,
  refreshAtSeconds: undefined,
  scopes: [],
  refreshToken: undefined,
  user: undefined,
};
const ACQUIRED: AcquiredToken = { token: TOKEN, acquiredAtSeconds: 1_000, level: "miss" };
const DOWN: Failure = { kind: "dependency_failed", dependency: "entra", problem: "unavailable" };

function level2(found: Found) {
  const released: string[] = [];
  const shared: SharedTokens = {
    findOrLease: async () => found,
    find: async () => undefined,
    findInFamily: async () => undefined,
    put: async () => undefined,
    release: async (key, lease) => void released.push(`${key} ${lease}`),
  };
  return { shared, released };
}

const input = (answer: "token" | "failure") => ({
  key: "key",
  isGoodEnough: () => true,
  callEntra: async () => (answer === "token" ? succeed(ACQUIRED) : fail(DOWN)),
});

describe("a renewal", () => {
  test.each(["token", "failure"] as const)(
    "releases its lease after a %s, so that another instance can renew",
    async (answer) => {
      const { shared, released } = level2({ kind: "leased", lease: "lease-1" });
      const renewed = await renewWithLease(shared, input(answer));
      expect(renewed?.ok).toBe(answer === "token");
      expect(released).toEqual(["key:renewal lease-1"]);
    },
  );

  test("calls Entra without a lease if level 2 is unavailable, and releases none", async () => {
    const { shared, released } = level2({ kind: "unavailable" });
    expect((await renewWithLease(shared, input("token")))?.ok).toBe(true);
    expect(released).toEqual([]);
  });

  test("is left to the instance that has the lease", async () => {
    const { shared } = level2({ kind: "busy" });
    expect(await renewWithLease(shared, input("token"))).toBe(undefined);
  });
});

describe("an acquisition", () => {
  test("releases its lease if the call fails, and keeps it for the token if it succeeds", async () => {
    const failed = level2({ kind: "leased", lease: "lease-1" });
    expect((await acquireWithLease(failed.shared, input("failure"))).ok).toBe(false);
    expect(failed.released).toEqual(["key lease-1"]);
    const served = level2({ kind: "leased", lease: "lease-1" });
    expect(await acquireWithLease(served.shared, input("token"))).toEqual(succeed(ACQUIRED));
    expect(served.released).toEqual([]);
  });

  test("without a lease releases none if the call fails", async () => {
    const { shared, released } = level2({ kind: "unavailable" });
    expect((await acquireWithLease(shared, input("failure"))).ok).toBe(false);
    expect(released).toEqual([]);
  });
});
