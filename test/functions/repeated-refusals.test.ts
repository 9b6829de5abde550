/**
 * A refusal of Entra keeps its cause: a caller who repeats a refused request gets the same refusal with `Retry-After`,
 * and never only the service's own limit. Consent and a new token take effect within seconds.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { bearer, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service } = useWorld({ newServiceForEachTest: true });
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;

let token = "";
const ask = (api = "graph", json?: object) =>
  service.call(`/AuthorizationHeader/${api}`, { headers: bearer(token), ...(json === undefined ? {} : { json }) });

async function refuseTenTimes(): Promise<void> {
  for (let round = 0; round < 10; round++) await ask();
}

beforeEach(() => {
  token = userToken(world, { user: "carol" });
});

describe("eleven exchanges of a user without consent", () => {
  test("all get consent_required, the eleventh with Retry-After and without a call to Entra", async () => {
    const answers = [];
    for (let round = 0; round < 11; round++) answers.push(await ask());
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 11 }, () => 403));
    expect(answers.map((answer) => answer.json()["code"])).toEqual(
      Array.from({ length: 11 }, () => "consent_required"),
    );
    expect(answers.map(({ headers }) => headers.get("retry-after") !== null)).toEqual([
      ...Array.from({ length: 10 }, () => false),
      true,
    ]);
    const last = answers.at(-1);
    expect(last?.json()).toMatchObject({ error_codes: [65001], scopes: expect.any(Array), action: "ask_admin" });
    const seconds = Number(last?.headers.get("retry-after"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(5);
    expect(tokenRequests()).toBe(10);
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "consent_required", aadsts: [65001] });
  });

  test("do not use up the budget of another API", async () => {
    await refuseTenTimes();
    const other = await ask("orders");
    expect(other.json()).toMatchObject({ code: "consent_required" });
    expect(other.headers.get("retry-after")).toBeNull();
  });

  test("end with a token within five seconds after the consent", async () => {
    await refuseTenTimes();
    world.tenant.state.addConsent({ user: "carol", scopes: ["User.Read", "Mail.Read"] });
    const early = await ask();
    expect(early.json()).toMatchObject({ code: "consent_required" });
    clock.advance(Number(early.headers.get("retry-after")) * 1_000);
    expect((await ask()).status).toBe(200);
    world.tenant.state.withdrawConsent({ user: "carol", scopes: ["User.Read", "Mail.Read"] });
  });

  test("do not answer for a new token of the same user", async () => {
    await refuseTenTimes();
    token = userToken(world, { user: "carol" });
    const answer = await ask();
    expect(answer.json()).toMatchObject({ code: "consent_required" });
    expect(answer.headers.get("retry-after")).toBeNull();
    expect(tokenRequests()).toBe(11);
  });

  test("with forceRefresh get the same cause after the budget of uncached requests", async () => {
    for (let round = 0; round < 10; round++) await ask("graph", { forceRefresh: true });
    const eleventh = await ask("graph", { forceRefresh: true });
    expect(eleventh.json()).toMatchObject({ status: 403, code: "consent_required" });
    expect(Number(eleventh.headers.get("retry-after"))).toBeGreaterThan(5);
    expect(tokenRequests()).toBe(10);
  });
});

test("repeated refusals cause at most 22 calls to Entra in one minute, and each keeps its cause", async () => {
  const codes = new Set<unknown>();
  for (let second = 0; second < 59; second++) {
    codes.add((await ask()).json()["code"]);
    clock.advance(1_000);
  }
  expect([...codes]).toEqual(["consent_required"]);
  expect(tokenRequests()).toBeLessThanOrEqual(22);
});

test("new tokens after the budget get Entra's answer 20 times in a minute, and then budget_used_up", async () => {
  await refuseTenTimes();
  const codes: unknown[] = [];
  for (let round = 0; round < 21; round++) {
    token = userToken(world, { user: "carol" });
    codes.push((await ask()).json()["code"]);
  }
  expect(codes).toEqual([...Array.from({ length: 20 }, () => "consent_required"), "budget_used_up"]);
  expect(tokenRequests()).toBe(30);
});
