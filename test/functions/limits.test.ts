/**
 * Limits between callers: a budget belongs to one user at one client, refusals by Entra use it up too, applications do
 * not share tokens that one of them requested with claims, and a request whose deadline has passed issues no grant.
 */
import { expect, test } from "vitest";
import { SecretValue } from "../../shared/core/secret-value.ts";
import { exchangeToken } from "../../shared/exchange/exchange-token.ts";
import { appToken, bearer, CLIENT_IDS, userToken } from "../support/callers.ts";
import { policyWith } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";

// The clock of the service stands still, so that a budget does not refill on a slow machine.
const startedMs = Date.now();
const surroundings = { nowMs: () => startedMs };
const { world, service, restart } = useWorld({ newServiceForEachTest: true, surroundings });

const refresh = (client: string, user = "alice") =>
  service.call("/AuthorizationHeader/graph", {
    headers: bearer(userToken(world, { user, client })),
    json: { forceRefresh: true },
  });
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;

test("a user's budget at one client is not used up by another client", async () => {
  for (let used = 0; used < 10; used++) {
    expect((await refresh("web")).status).toBe(200);
  }
  const over = await refresh("web");
  expect(over.status).toBe(429);
  expect(over.json()).toMatchObject({ code: "budget_used_up", action: "retry" });
  expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "budget_used_up" });
  expect((await refresh("public")).status).toBe(200);
  expect((await refresh("web", "bob")).status).toBe(200);
});

test("Entra's throttling of a user at one client does not affect another client", async () => {
  const { state } = world.tenant;
  const header = (client: string) =>
    service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world, { client })) });
  state.order({ endpoint: "token", user: "alice", aadsts: 50196 });
  expect((await header("web")).json()).toMatchObject({ status: 429, code: "throttled" });
  expect((await header("web")).json()).toMatchObject({ status: 429, code: "throttled" });
  expect((await header("public")).status).toBe(200);
});

test("repeated refusals by Entra cause ten calls to Entra, and the service then repeats the last refusal", async () => {
  const token = userToken(world, { user: "carol" });
  const statuses: number[] = [];
  for (let round = 0; round < 15; round++) {
    statuses.push((await service.call("/AuthorizationHeader/graph", { headers: bearer(token) })).status);
  }
  expect(statuses).toEqual(Array.from({ length: 15 }, () => 403));
  expect(tokenRequests()).toBe(10);
});

test("a token that one application requested with claims is not released to another", async () => {
  const POLICY = policyWith(({ apis, callers }) => {
    apis["graph"] = { ...apis["graph"], scopes: ["User.Read", "Mail.Read", ".default"] };
    for (const entry of callers.filter(({ name }) => name === "daemon" || name === "web-backend")) {
      Object.assign(entry, { flows: ["client-credentials"], apis: { graph: [".default"] }, redirectUris: [] });
      Object.assign(entry, { offlineAccess: false, unattended: false });
    }
  });
  restart({ surroundings, settings: { APP_ONLY_CLIENT_ID: CLIENT_IDS.appOnly, POLICY } });
  const header = (client: string, json: object) =>
    service.call("/AuthorizationHeaderUnauthenticated/graph", { headers: bearer(appToken(world, { client })), json });
  const claims = { access_token: { acrs: { essential: true, value: "c1" } } };
  expect((await header("web", { claims })).status).toBe(200);
  expect((await header("daemon", {})).status).toBe(200);
  expect(service.lastEvent()).toMatchObject({ cache: "miss", callerClientId: CLIENT_IDS.daemon });
});

test("a request whose deadline has passed issues no grant", async () => {
  const subject = new SecretValue(userToken(world));
  const result = await exchangeToken(
    service.service.exchangeContext,
    {
      clientAuthentication: { method: "bearer", token: subject },
      claimedClientId: undefined,
      grantRequest: { flow: "on-behalf-of", subject, presentedAs: "assertion" },
      tokenParameters: {
        audiences: ["graph"],
        resources: [],
        scopes: undefined,
        offlineAccess: true,
        claims: undefined,
        forceRefresh: false,
        minimumSeconds: 0,
      },
      correlationId: "c0440000-0000-4000-8000-000000000001",
      signal: AbortSignal.abort(),
    },
    { add: () => undefined },
  );
  expect(result).toEqual({ ok: false, failure: { kind: "deadline_passed" } });
  const { text } = await service.call("/grants", { headers: bearer(userToken(world)) });
  expect(text).toBe('{"grants":[]}');
});

test("a request whose subject would authenticate it, but that has no subject, has no caller", async () => {
  const result = await exchangeToken(
    service.service.exchangeContext,
    {
      clientAuthentication: { method: "subject_itself" },
      claimedClientId: undefined,
      grantRequest: { flow: "client-credentials" },
      tokenParameters: {
        audiences: ["graph"],
        resources: [],
        scopes: undefined,
        offlineAccess: false,
        claims: undefined,
        forceRefresh: false,
        minimumSeconds: 0,
      },
      correlationId: "c0440000-0000-4000-8000-000000000002",
    },
    { add: () => undefined },
  );
  expect(result).toEqual({ ok: false, failure: { kind: "caller_missing" } });
});
