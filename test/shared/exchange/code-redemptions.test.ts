/** A repeated request with an authorization code joins the redemption that is under way, or gets its late result. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { EntraToken } from "../../../shared/entra/entra-token.ts";
import { createCodeRedemptions } from "../../../shared/exchange/code-redemptions.ts";

const TIMEOUT = fail({ kind: "dependency_failed", dependency: "entra", problem: "timeout" });
const USED = fail({ kind: "code_refused", reason: "already_redeemed" });
const token = (refreshToken?: string): EntraToken => ({
  accessToken: new SecretValue("a.b.c"),
  expiresAtSeconds: 5_000,
  refreshAtSeconds: undefined,
  scopes: ["User.Read"],
  refreshToken: refreshToken === undefined ? undefined : new SecretValue(refreshToken),
  user: undefined,
});
const refreshTokenOf = (result: Result<EntraToken, Failure>) =>
  result.ok ? (result.value.refreshToken?.reveal() ?? "none") : result;

const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = { now: 1_000 };
  const redemptions = createCodeRedemptions({ nowSeconds: () => clock.now, waitMs: 20 });
  const calls: PromiseWithResolvers<Result<EntraToken, Failure>>[] = [];
  const redeem = (code = "code", needsRefreshToken = false) =>
    redemptions.redeem({ entraCode: new SecretValue(code), needsRefreshToken }, () => {
      const call = Promise.withResolvers<Result<EntraToken, Failure>>();
      calls.push(call);
      return call.promise;
    });
  const answer = (result: Result<EntraToken, Failure>) => calls[0]?.resolve(result);
  return { clock, calls, redeem, answer };
}

describe("Entra answers after the caller got 504", () => {
  test("the repeated request gets the token from the same call to Entra", async () => {
    const { calls, redeem, answer } = setUp();
    expect(await redeem()).toEqual(TIMEOUT);
    answer(succeed(token("1.r")));
    await settled();
    expect(refreshTokenOf(await redeem())).toBe("none");
    expect(calls).toHaveLength(1);
  });

  test("a repeated request that waits already gets the token with its refresh token", async () => {
    const { calls, redeem, answer } = setUp();
    expect(await redeem("code", true)).toEqual(TIMEOUT);
    const repeated = redeem("code", true);
    answer(succeed(token("1.r")));
    expect(refreshTokenOf(await repeated)).toBe("1.r");
    expect(calls).toHaveLength(1);
  });

  test("a repeated request for a grant is refused, because the refresh token is not kept", async () => {
    const { redeem, answer } = setUp();
    await redeem("code", true);
    answer(succeed(token("1.r")));
    await settled();
    expect(await redeem("code", true)).toEqual(USED);
  });

  test("the token is given once: the next request calls Entra, which refuses a used code", async () => {
    const { calls, redeem, answer } = setUp();
    await redeem();
    answer(succeed(token()));
    await redeem();
    void redeem();
    expect(calls).toHaveLength(2);
  });

  test("the token is forgotten after a minute", async () => {
    const { clock, calls, redeem, answer } = setUp();
    await redeem();
    answer(succeed(token()));
    clock.now += 60;
    void redeem();
    expect(calls).toHaveLength(2);
  });

  test("a failure is forgotten: the repeated request calls Entra", async () => {
    const { calls, redeem, answer } = setUp();
    await redeem();
    answer(fail({ kind: "internal" }));
    await settled();
    void redeem();
    expect(calls).toHaveLength(2);
  });
});

describe("two requests with the same code at the same time", () => {
  test("share one call to Entra and its token", async () => {
    const { calls, redeem, answer } = setUp();
    const both = [redeem(), redeem()];
    answer(succeed(token()));
    expect((await Promise.all(both)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(calls).toHaveLength(1);
  });

  test("get one refresh token, so that one code makes one grant", async () => {
    const { redeem, answer } = setUp();
    const both = [redeem("code", true), redeem("code", true)];
    answer(succeed(token("1.r")));
    expect((await Promise.all(both)).map(refreshTokenOf)).toEqual(["1.r", USED]);
  });

  test("do not share a call with another code", async () => {
    const { calls, redeem } = setUp();
    await Promise.all([redeem("one"), redeem("two")]);
    expect(calls).toHaveLength(2);
  });
});

test("a replay of a code whose token was delivered calls Entra", async () => {
  const { calls, redeem, answer } = setUp();
  const first = redeem();
  answer(succeed(token()));
  expect((await first).ok).toBe(true);
  void redeem();
  expect(calls).toHaveLength(2);
});

test("an unexpected error reaches the request and is forgotten", async () => {
  const { calls, redeem } = setUp();
  const first = redeem();
  calls[0]?.reject(new Error("bug"));
  await expect(first).rejects.toThrow("bug");
  void redeem();
  expect(calls).toHaveLength(2);
});
