/**
 * Entra does not downscope, so a token of an earlier request answers a request for a part of its scopes. Without that,
 * a caller could make one call to Entra for each subset of its scopes, and Entra would throttle the user for every caller.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../shared/cache/redis/support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../shared/cache/redis/support/redis-server.ts";
import { appToken, bearer, claimsOf, exchangeForm, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWith } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

/** All that the local tenant knows of Graph: 9 scopes. */
const SCOPES = [
  "User.Read",
  "User.Read.All",
  "User.ReadBasic.All",
  "User.ReadWrite",
  "Mail.Read",
  "Mail.ReadWrite",
  "Mail.Send",
  "Files.Read",
  "Files.ReadWrite",
];
/** Every subset but the empty one. */
const SUBSETS = Array.from({ length: 2 ** SCOPES.length - 1 }, (_, index) =>
  SCOPES.filter((_scope, bit) => ((index + 1) >> bit) % 2 === 1),
);
const ENTRIES = ["web-users", "web-backend", "cli-users", "public-users"];

const POLICY = policyWith(({ apis, callers }) => {
  apis["graph"] = { ...apis["graph"], scopes: [...SCOPES, ".default"] };
  for (const entry of callers) {
    if (ENTRIES.includes(entry.name)) {
      entry["apis"] = { ...(entry["apis"] as object), graph: SCOPES };
      entry["limits"] = { requestsAtOnce: 1_000 };
    }
  }
});
const settings = { POLICY };
/** No request is refused because it waits long for its turn on a slow machine. */
const surroundings = { steadyMs: () => 0 };
const { world, clock, service } = useWorld({ newServiceForEachTest: true, settings, surroundings });

/** A token that these services have verified: more requests with it are admitted at once than with an unknown one. */
async function known(token: string, at: readonly ServiceUnderTest[] = [service]): Promise<string> {
  for (const one of at) expect((await one.call("/Validate", { headers: bearer(token) })).status).toBe(200);
  return token;
}

const ask = (token: string, scopes: readonly string[], more: object = {}, at: ServiceUnderTest = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { scopes, ...more } });
const callsToEntra = () => world.tenant.state.requestCounts()["token"] ?? 0;
const statuses = (answers: readonly Answer[]) => [...new Set(answers.map(({ status }) => status))];

beforeAll(() => {
  for (const user of ["alice", "bob"]) world.tenant.state.addConsent({ user, scopes: SCOPES });
});

test("511 subsets of nine scopes, one after the other, make one call to Entra", async () => {
  const token = userToken(world);
  const answers = [];
  for (const scopes of SUBSETS) answers.push(await ask(token, scopes));
  expect(answers).toHaveLength(511);
  expect(statuses(answers)).toEqual([200]);
  expect(new Set(answers.map((answer) => answer.json()["authorizationHeader"])).size).toBe(1);
  expect(callsToEntra()).toBe(1);
});

test("511 subsets at the same time make one call to Entra", async () => {
  const token = await known(userToken(world));
  const answers = await Promise.all(SUBSETS.map((scopes) => ask(token, scopes)));
  expect(statuses(answers)).toEqual([200]);
  expect(callsToEntra()).toBe(1);
});

test("the answer for a part of the scopes names the true scopes of the token", async () => {
  const token = userToken(world);
  await ask(token, ["Mail.Read"]);
  const part = await ask(token, ["User.Read"]);
  expect(part.json()["scopes"]).toEqual(expect.arrayContaining(SCOPES));
  expect(service.lastEvent()).toMatchObject({ cache: "hit", scopesAsked: ["User.Read"] });
});

test("511 subsets of which Entra refuses those with one scope make at most 31 calls in a minute", async () => {
  world.tenant.state.withdrawConsent({ user: "alice", scopes: ["Mail.Send"] });
  const token = userToken(world);
  const answers = [];
  for (const scopes of SUBSETS) answers.push(await ask(token, scopes));
  world.tenant.state.addConsent({ user: "alice", scopes: ["Mail.Send"] });
  const granted = answers.filter((_answer, index) => SUBSETS[index]?.includes("Mail.Send") === false);
  expect(statuses(granted)).toEqual([200]);
  expect(callsToEntra()).toBeLessThanOrEqual(31);
});

test("511 subsets at the same time, all of which Entra refuses, make at most missesPerMinute calls", async () => {
  const token = await known(userToken(world, { user: "carol" }));
  const answers = await Promise.all(SUBSETS.map((scopes) => ask(token, scopes)));
  expect(statuses(answers).toSorted()).toEqual([403, 429]);
  expect(callsToEntra()).toBeLessThanOrEqual(120);
  const over = answers.find(({ status }) => status === 429);
  expect(over?.json()).toMatchObject({ code: "budget_used_up", action: "retry" });
  expect(Number(over?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("missesPerMinute of the entry bounds the calls for a stream of new tokens of one user, and affects no other user", async () => {
  const changed = policyWith(({ callers }) => {
    for (const entry of callers) entry["limits"] = { missesPerMinute: 3 };
  });
  const small = world.serve({ settings: { POLICY: changed } });
  const answers = [];
  for (let round = 0; round < 5; round++) answers.push(await ask(userToken(world), ["User.Read"], {}, small));
  // The surplus is refused here: the local policy lists two scopes.
  expect(callsToEntra()).toBe(3);
  expect(answers.slice(3).map((answer) => answer.json()["code"])).toEqual(["budget_used_up", "budget_used_up"]);
  await ask(userToken(world, { user: "bob" }), ["User.Read"], {}, small);
  expect(callsToEntra()).toBe(4);
  clock.advance(MINUTE);
  await ask(userToken(world), ["User.Read"], {}, small);
  expect(callsToEntra()).toBe(5);
});

test("refusals as misconfigured use up the budget of refusals", async () => {
  world.tenant.state.order({ endpoint: "token", user: "alice", times: 0, aadsts: 70011 });
  const answers = [];
  for (const scopes of SUBSETS.slice(0, 100)) answers.push(await ask(userToken(world), scopes));
  expect(answers[0]?.status).toBe(500);
  expect(callsToEntra()).toBe(30);
});

describe("a token with more scopes is never the answer to", () => {
  const first = (more: Parameters<typeof userToken>[1] = {}) => ask(userToken(world, more), SCOPES);

  test("another user", async () => {
    await first();
    const answer = await ask(userToken(world, { user: "bob" }), ["User.Read"]);
    expect(claimsOf(tokenIn(answer))["oid"]).toMatch(/^b0b/);
    expect(callsToEntra()).toBe(2);
  });

  test("another token of the same user", async () => {
    await first();
    await ask(userToken(world, { claims: { uti: "another" } }), ["User.Read"]);
    expect(service.lastEvent()["cache"]).toBe("miss");
  });

  test("the same user at another client", async () => {
    await first();
    expect((await ask(userToken(world, { client: "public" }), ["User.Read"])).status).toBe(200);
    expect(service.lastEvent()["cache"]).toBe("miss");
  });

  test("another caller that presents the same user's token", async () => {
    const subject = userToken(world);
    await ask(subject, SCOPES);
    const exchange = () =>
      service.call("/oauth2/token", {
        headers: bearer(appToken(world)),
        form: exchangeForm(subject, { scope: "User.Read" }),
      });
    expect((await exchange()).status).toBe(200);
    expect(service.lastEvent()).toMatchObject({ cache: "miss", policyEntry: "web-backend" });
  });

  test("a caller at another registration", async () => {
    await first();
    const answer = await ask(userToken(world, { client: "intranet", resource: "narrow" }), ["User.Read"]);
    expect(answer.json()["scopes"]).toEqual(["User.Read"]);
    expect(service.lastEvent()).toMatchObject({ cache: "miss", registration: "narrow" });
  });

  test("a request for another API", async () => {
    const token = userToken(world);
    await ask(token, SCOPES);
    const orders = await service.call("/AuthorizationHeader/orders", { headers: bearer(token) });
    expect(orders.status).toBe(200);
    expect(service.lastEvent()["cache"]).toBe("miss");
  });

  test("another grant of the same user, or the token that the grant was made with", async () => {
    const token = userToken(world);
    const grantOf = async () => {
      const form = exchangeForm(token, { scope: `${SCOPES.join(" ")} offline_access` });
      return String((await service.call("/oauth2/token", { form })).json()["refresh_token"]);
    };
    const [one, two] = [await grantOf(), await grantOf()];
    const redeem = async (handle: string, scope: string) => {
      const form = { grant_type: "refresh_token", refresh_token: handle, audience: "graph", scope };
      const { status } = await service.call("/oauth2/token", { headers: bearer(token), form });
      return [status, service.lastEvent()["cache"]];
    };
    expect(await redeem(one, SCOPES.join(" "))).toEqual([200, "miss"]);
    expect(await redeem(two, "User.Read")).toEqual([200, "miss"]);
    expect(await redeem(one, "User.Read")).toEqual([200, "hit"]);
  });

  test("a request with claims", async () => {
    const token = userToken(world);
    await ask(token, SCOPES);
    await ask(token, ["User.Read"], { claims: { access_token: { xms_cc: { values: ["cp1"] } } } });
    expect(service.lastEvent()["cache"]).toBe("bypass");
    expect(callsToEntra()).toBe(2);
  });

  test("forceRefresh", async () => {
    const token = userToken(world);
    await ask(token, SCOPES);
    await ask(token, ["User.Read"], { forceRefresh: true });
    expect(service.lastEvent()["cache"]).toBe("bypass");
    expect(callsToEntra()).toBe(2);
  });

  test("a request after the user token has expired", async () => {
    const token = userToken(world);
    await ask(token, SCOPES);
    clock.advance(120 * MINUTE);
    expect((await ask(token, ["User.Read"])).status).toBe(401);
  });

  test("a caller that policy does not allow every scope of the token: Entra is called, and the surplus is not released", async () => {
    const token = userToken(world);
    const reduced = policyWith(({ apis, callers }) => {
      apis["graph"] = { ...apis["graph"], scopes: [...SCOPES, ".default"] };
      for (const entry of callers) {
        if (entry.name === "web-users") entry["apis"] = { graph: ["User.Read", "Mail.Read"] };
      }
    });
    const strict = world.serve({ settings: { POLICY: reduced } });
    expect((await ask(token, ["User.Read"], {}, strict)).json()).toMatchObject({ code: "scope_surplus" });
    expect((await ask(token, ["Mail.Read"], {}, strict)).json()).toMatchObject({ code: "scope_surplus" });
    expect(callsToEntra()).toBe(2);
  });
});

describeWithRedis("two instances and one Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(() => redis.restart());
  afterAll(() => redis?.stop());

  async function instance(): Promise<ServiceUnderTest> {
    const one = world.serve({ settings: { POLICY, REDIS_URL: redis.url } });
    const { sharedTokens } = one.service;
    sharedTokens?.warm();
    await eventually(async () => (await sharedTokens?.findOrLease(`warm ${Math.random()}`))?.kind === "leased");
    return one;
  }

  test("511 subsets on both at the same time make at most two calls to Entra", async () => {
    const [one, two] = [await instance(), await instance()];
    const token = await known(userToken(world), [one, two]);
    const answers = await Promise.all(SUBSETS.map((scopes, index) => ask(token, scopes, {}, index % 2 ? one : two)));
    expect(statuses(answers)).toEqual([200]);
    expect(callsToEntra()).toBeLessThanOrEqual(2);
  });

  test("a new instance answers a subset with the token that another instance stored, and another user's never", async () => {
    const one = await instance();
    const token = userToken(world);
    const given = await ask(token, SCOPES, {}, one);
    const two = await instance();
    await eventually(async () => Number(await redis.command("DBSIZE")) >= 2);
    const part = await ask(token, ["User.Read"], {}, two);
    expect(two.lastEvent()["cache"]).toBe("shared");
    expect(part.json()["authorizationHeader"]).toBe(given.json()["authorizationHeader"]);
    await ask(userToken(world, { user: "bob" }), ["User.Read"], {}, two);
    expect(two.lastEvent()["cache"]).toBe("miss");
    expect(callsToEntra()).toBe(2);
  });

  test("a pointer of another user, copied to this user's family, is not followed", async () => {
    const one = await instance();
    const keys = async () => (await redis.command("KEYS", "gte1:*")) as string[];
    const pointers = async () => {
      const found = [];
      for (const key of await keys()) if (Number(await redis.command("STRLEN", key)) < 200) found.push(key);
      return found;
    };
    await redis.command("FLUSHALL");
    await ask(userToken(world), SCOPES, {}, one);
    await eventually(async () => (await keys()).length === 2);
    const [alices] = await pointers();
    const bob = userToken(world, { user: "bob" });
    await ask(bob, SCOPES, {}, one);
    await eventually(async () => (await keys()).length === 4);
    const bobs = (await pointers()).find((key) => key !== alices);
    await redis.command("COPY", String(alices), String(bobs), "REPLACE");
    const two = await instance();
    const answer = await ask(bob, ["User.Read"], {}, two);
    expect(claimsOf(tokenIn(answer))["oid"]).toMatch(/^b0b/);
    expect(two.lastEvent()["cache"]).toBe("miss");
  });
});

function tokenIn(answer: Answer): string {
  return String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
}
