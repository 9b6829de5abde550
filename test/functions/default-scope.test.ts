/**
 * `.default` in a request that acts for a person. The Graph SDKs request `https://graph.microsoft.com/.default` by
 * themselves. The caller gets what a request without scopes gets, and Entra never receives `.default` unless the policy
 * entry lists it.
 */
import { afterEach, describe, expect, test } from "vitest";
import { newBrowser } from "../sign-in/support/browser.ts";
import { codeForClient, codeForm, createLink, entraRequest, newPkce, redeem } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, jwtBearerForm, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld({ newServiceForEachTest: true });
afterEach(() => {
  world.tenant.state.withdrawConsent({ scopes: ["Files.Read"] });
});

const GRAPH = "https://graph.microsoft.com";
const DEFAULT = `${GRAPH}/.default`;
const LISTED = [`${GRAPH}/Mail.Read`, `${GRAPH}/User.Read`];

/** The permissions that Entra received in the last request for a token. */
function sentToEntra(): string[] {
  const scope = world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form?.["scope"];
  return permissionsIn(String(scope));
}

function permissionsIn(scope: string): string[] {
  return scope
    .split(" ")
    .filter((name) => name.includes("/"))
    .sort();
}

function expectListed(answer: Answer): void {
  const { scope, scopes } = answer.json();
  const returned = Array.isArray(scopes) ? scopes : String(scope).split(" ");
  expect([answer.status, [...returned].sort()]).toEqual([200, ["Mail.Read", "User.Read"]]);
  expect(sentToEntra()).toEqual(LISTED);
}

describe("the entry does not list .default: the caller gets the list of its entry", () => {
  test.each([DEFAULT, `${GRAPH}//.default`, ".default", `openid profile ${DEFAULT}`])(
    "POST /oauth2/token with token-exchange and scope %s",
    async (scope) => {
      expectListed(await service.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope }) }));
    },
  );

  test("POST /oauth2/token with jwt-bearer by an application", async () => {
    const { audience: _, ...form } = jwtBearerForm(userToken(world), { scope: DEFAULT });
    expectListed(await service.call("/oauth2/token", { form, headers: bearer(appToken(world)) }));
  });

  test("GET and POST /AuthorizationHeader/{api}", async () => {
    const headers = bearer(userToken(world));
    const query = new URLSearchParams({ "optionsOverride.Scopes": DEFAULT });
    expectListed(await service.call(`/AuthorizationHeader/graph?${query}`, { headers }));
    expectListed(await service.call("/AuthorizationHeader/graph", { headers, json: { scopes: [DEFAULT] } }));
  });

  test("a request with .default and a request without scopes share one cached token", async () => {
    const token = userToken(world);
    const first = await service.call("/oauth2/token", { form: exchangeForm(token, { scope: DEFAULT }) });
    const second = await service.call("/oauth2/token", { form: exchangeForm(token) });
    expect(second.json()["access_token"]).toBe(first.json()["access_token"]);
  });

  test("a grant, and its redemption in both dialects", async () => {
    const scope = `${DEFAULT} offline_access`;
    const made = await service.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope }) });
    expectListed(made);
    const handle = String(made.json()["refresh_token"]);
    const headers = bearer(userToken(world));
    const form = { grant_type: "refresh_token", refresh_token: handle, scope: DEFAULT };
    expectListed(await service.call("/oauth2/token", { form, headers }));
    const json = { grant: handle, scopes: [".default"] };
    expectListed(await service.call("/AuthorizationHeader/graph", { json, headers }));
  });

  test("an authorization code", async () => {
    const pkce = newPkce();
    const changes = { scope: `${DEFAULT} offline_access`, audience: undefined };
    const { code } = await codeForClient(service, newBrowser(service), { pkce, changes });
    expectListed(await redeem(service, codeForm(code, pkce, { scope: DEFAULT })));
  });

  test("a sign-in link", async () => {
    const link = await createLink(service, { api: "graph", scopes: [DEFAULT] });
    const sent = entraRequest(await newBrowser(service).open(link));
    expect(permissionsIn(sent["scope"] ?? "")).toEqual(LISTED);
  });

  test("a grant for two APIs", async () => {
    const scope = `${DEFAULT} https://api.contoso.local/orders/.default offline_access`;
    const form = exchangeForm(userToken(world), { scope });
    expect((await service.call("/oauth2/token", { form })).status).toBe(200);
    const { grants } = (await service.call("/grants", { headers: bearer(userToken(world)) })).json() as {
      grants: { apis: Record<string, string[]> }[];
    };
    expect(grants.map(({ apis }) => apis)).toContainEqual({
      graph: ["Mail.Read", "User.Read"],
      orders: ["Orders.Read"],
    });
  });

  test("a token with a scope outside the list is not released", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const answer = await service.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope: DEFAULT }) });
    expect([answer.status, answer.json()["code"]]).toEqual([500, "scope_surplus"]);
  });

  test("next to another scope it is refused, as Entra refuses it", async () => {
    const scope = `${DEFAULT} User.Read`;
    const answer = await service.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope }) });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "scope_not_allowed"]);
  });

  test("an API that the entry does not list is refused", async () => {
    const form = exchangeForm(userToken(world, { client: "public" }), {
      scope: "https://api.contoso.local/orders/.default",
      audience: "orders",
    });
    expect((await service.call("/oauth2/token", { form })).json()).toMatchObject({ code: "api_not_allowed" });
  });
});

test("the entry lists .default: Entra receives .default", async () => {
  const apis = { graph: ["User.Read", "Mail.Read", ".default"] };
  const literal = world.serve({ settings: { POLICY: policyWithEntries({ "web-users": { apis } }) } });
  const answer = await literal.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope: DEFAULT }) });
  expect([answer.status, sentToEntra()]).toEqual([200, [DEFAULT]]);
});
