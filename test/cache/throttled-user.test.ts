/** Entra throttles one user: until the wait is over the service does not call Entra for that user. Other users are not affected. */
import { afterEach, expect, test } from "vitest";
import { appToken, bearer, exchangeForm, userToken } from "../support/callers.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world } = useWorld();
const clock = { aheadMs: 0 };
afterEach(() => {
  clock.aheadMs = 0;
});

const serve = () => world.serve({ surroundings: { nowMs: () => Date.now() + clock.aheadMs } });
const get = (service: ServiceUnderTest, token: string) =>
  service.call("/AuthorizationHeader/graph", { headers: bearer(token) });
const throttle = (user: string, seconds: number) =>
  world.tenant.state.order({ endpoint: "token", client: "service", user, throttleSeconds: seconds, times: 1 });
const callsToEntra = () => world.tenant.state.requestCounts()["token:on-behalf-of"] ?? 0;

test("a throttled user gets 429 with the rest of the wait on every route, without another call to Entra", async () => {
  const service = serve();
  throttle("alice", 30);
  const first = await get(service, userToken(world));
  expect([first.status, first.headers.get("retry-after")]).toEqual([429, "30"]);
  const before = callsToEntra();
  clock.aheadMs = 12_000;
  const again = await get(service, userToken(world, { claims: { uti: "another" } }));
  expect([again.status, Number(again.headers.get("retry-after"))]).toEqual([429, expect.closeTo(18, -1)]);
  const form = exchangeForm(userToken(world));
  expect((await service.call("/oauth2/token", { form, headers: bearer(appToken(world)) })).status).toBe(429);
  expect(callsToEntra()).toBe(before);
});

test("another user gets a token for the same API and scopes", async () => {
  const service = serve();
  throttle("alice", 30);
  expect((await get(service, userToken(world))).status).toBe(429);
  expect((await get(service, userToken(world, { user: "bob" }))).status).toBe(200);
});

test("a throttled user still gets a cached token", async () => {
  const service = serve();
  const token = userToken(world);
  expect((await get(service, token)).status).toBe(200);
  throttle("alice", 30);
  const json = { forceRefresh: true };
  const forced = await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json });
  expect(forced.status).toBe(429);
  expect((await get(service, token)).status).toBe(200);
});

test("after the wait the service calls Entra again for the throttled user", async () => {
  const service = serve();
  throttle("alice", 30);
  expect((await get(service, userToken(world))).status).toBe(429);
  clock.aheadMs = 31_000;
  expect((await get(service, userToken(world))).status).toBe(200);
});

test("a failure other than throttling is not remembered: the next request calls Entra", async () => {
  const service = serve();
  world.tenant.state.order({ endpoint: "token", client: "service", status: 503, body: "", times: 2 });
  expect((await get(service, userToken(world))).status).toBe(503);
  expect((await get(service, userToken(world))).status).toBe(200);
});
