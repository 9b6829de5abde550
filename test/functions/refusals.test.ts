/** What a refusal tells the known caller: what it sent, what its own entry allows, and where the code is explained. */
import { describe, expect, test } from "vitest";
import { newPkce, parForm } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

const asUser = () => bearer(userToken(world));
const asApplication = (client = "web") => bearer(appToken(world, { client }));
const token = (form: Record<string, string>, headers: Record<string, string> = {}) =>
  service.call("/oauth2/token", { form, headers });
const header = (json: unknown, api = "graph") =>
  service.call(`/AuthorizationHeader/${api}`, { json, headers: asUser() });

/** The message, in either dialect. */
function messageOf(answer: Answer): string {
  const { error_description, detail } = answer.json();
  return String(error_description ?? detail);
}

describe("a scope that the entry does not list", () => {
  const FACTS = "API: graph. Refused: User.Raed, Files.Read. Did you mean User.Read? Allowed: User.Read, Mail.Read.";

  test("POST /oauth2/token names the scopes and the list of the entry", async () => {
    const answer = await token(exchangeForm(userToken(world), { scope: "User.Raed Files.Read Mail.Read" }));
    expect([answer.status, answer.json()["code"]]).toEqual([400, "scope_not_allowed"]);
    expect(messageOf(answer)).toContain(FACTS);
  });

  test("POST /AuthorizationHeader/{api} names the scopes and the list of the entry", async () => {
    const answer = await header({ scopes: ["User.Raed", "Files.Read"] });
    expect([answer.status, answer.json()["code"]]).toEqual([403, "scope_not_allowed"]);
    expect(messageOf(answer)).toContain(FACTS);
  });

  test("a scope of another API in another case is refused with the right spelling", async () => {
    const answer = await header({ scopes: ["orders.read"] }, "orders");
    expect(messageOf(answer)).toContain("Refused: orders.read. Did you mean Orders.Read? Allowed: Orders.Read.");
  });

  test("a grant: the message lists the scopes of the grant", async () => {
    const made = await token(exchangeForm(userToken(world), { scope: "offline_access" }));
    const form = {
      grant_type: "refresh_token",
      refresh_token: String(made.json()["refresh_token"]),
      scope: "Files.Read",
    };
    expect(messageOf(await token(form, asUser()))).toContain("Refused: Files.Read. Allowed: User.Read, Mail.Read.");
  });
});

test("an unknown API: the message names it, the APIs of the entry and the one that was meant", async () => {
  const facts = "Unknown: graphs. Did you mean graph? Known: graph, orders.";
  expect(messageOf(await header({}, "graphs"))).toContain(facts);
  expect(messageOf(await token(exchangeForm(userToken(world), { audience: "graphs" })))).toContain(facts);
  const { audience: _, ...form } = exchangeForm(userToken(world), { resource: "https://graph.microsoft.con" });
  expect(messageOf(await token(form))).toContain("Did you mean https://graph.microsoft.com? Known: https://graph");
});

test("an API that the entry does not have: the message names the APIs of the entry", async () => {
  const answer = await token(exchangeForm(userToken(world, { client: "public" }), { audience: "orders" }));
  expect(messageOf(answer)).toContain("Refused: orders. Allowed: graph.");
});

test("no API: the message names the APIs of the entry", async () => {
  const { audience: _, ...form } = exchangeForm(userToken(world));
  expect(messageOf(await token(form))).toContain("Allowed: graph, orders.");
});

test("a flow that the entry does not have: the message names the flows of the entry, in both dialects", async () => {
  const facts = "Refused: client-credentials. Allowed: on-behalf-of, refresh-token, authorization-code.";
  const oauth = await token({ grant_type: "client_credentials", audience: "graph" }, asApplication());
  const problem = await service.call("/AuthorizationHeaderUnauthenticated/graph", { headers: asApplication() });
  expect([oauth.status, messageOf(oauth)]).toEqual([400, expect.stringContaining(facts)]);
  expect([problem.status, messageOf(problem)]).toEqual([403, expect.stringContaining(facts)]);
});

test("a missing app role: the message names it", async () => {
  const explain = await service.call("/policy/explain", { json: {}, headers: asUser() });
  const link = await service.call("/signin/links", { json: { api: "graph", caller: "daemon" }, headers: asUser() });
  expect(messageOf(explain)).toContain("Required app role: Policy.Explain.");
  expect(messageOf(link)).toContain("Required app role: Grant.Create.");
});

test("a caller without an entry: the message names its client id, and the app role of an entry for that client", async () => {
  const withRole = world.serve({ settings: { POLICY: policyWithEntries({ "web-users": { role: "Reader" } }) } });
  const answer = await withRole.call("/oauth2/token", { form: exchangeForm(userToken(world)) });
  expect(messageOf(answer)).toMatch(/Caller: user ca11e400-[0-9a-f-]+\. Required app role: Reader\./);
});

test("an unlisted redirect_uri: the message has the listed ones", async () => {
  const form = parForm(newPkce(), { redirect_uri: "http://localhost:9999/callback/" });
  const answer = await service.call("/oauth2/par", { form, headers: asApplication() });
  expect([answer.status, answer.json()["code"]]).toEqual([400, "redirect_uri_not_allowed"]);
  expect(messageOf(answer)).toContain(
    "Refused: http://localhost:9999/callback/. Did you mean http://localhost:9999/callback? Allowed: http://localhost:9999/callback.",
  );
});

describe("a parameter that the route does not have", () => {
  test("POST /AuthorizationHeader/{api} names the parameters that it has", async () => {
    expect(messageOf(await header({ scope: ["User.Read"] }))).toBe(
      "The parameter scope is not supported here. Did you mean scopes? Supported: scopes, grant, codeVerifier, claims, minimumSeconds, forceRefresh.",
    );
  });

  test("POST /signin/links names the parameters that it has", async () => {
    const answer = await service.call("/signin/links", { json: { Api: "graph" }, headers: asApplication("daemon") });
    expect(messageOf(answer)).toContain(
      "Did you mean api? Supported: api, caller, expectedUser, codeChallenge, scopes, apis, claims.",
    );
  });

  test("GET /AuthorizationHeader/{api} spells the parameter as the caller did", async () => {
    const query = "?optionsOverride.AcquireTokenOptions.FmiPath=x";
    const answer = await service.call(`/AuthorizationHeader/graph${query}`, { headers: asUser() });
    expect(messageOf(answer)).toContain("optionsOverride.AcquireTokenOptions.FmiPath");
  });
});

test("a person with Grant.Create does not see the list of the application's entry", async () => {
  const headers = bearer(userToken(world, { claims: { roles: ["Grant.Create"] } }));
  const json = { api: "graph", scopes: ["Files.Read"], caller: "daemon" };
  const other = await service.call("/signin/links", { json, headers });
  const own = await service.call("/signin/links", { json, headers: asApplication("daemon") });
  expect(messageOf(other)).toMatch(/Refused: Files\.Read\. Leave it out/);
  expect(messageOf(own)).toContain("Refused: Files.Read. Allowed: User.Read, Mail.Read.");
});

test("an unauthenticated caller learns nothing about the policy", async () => {
  for (const scope of ["User.Read", "Files.Read"]) {
    const answer = await token(exchangeForm("eyJhbGciOiJSUzI1NiJ9.e30.x", { scope }));
    expect(messageOf(answer)).not.toMatch(/Files|User|Mail|graph|orders/);
  }
});

test("every refusal links to the heading of its code, at the administrator's address if there is one", async () => {
  const DOCUMENTATION_URL = "https://wiki.contoso.example/gte/troubleshooting";
  const published = world.serve({ settings: { DOCUMENTATION_URL } });
  for (const at of [service, published]) {
    const start = at === service ? "docs/troubleshooting.md" : DOCUMENTATION_URL;
    const oauth = await at.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope: "X" }) });
    const problem = await at.call("/AuthorizationHeader/graph");
    expect(oauth.json()["docs"]).toBe(`${start}#scope_not_allowed`);
    expect(problem.json()["docs"]).toBe(`${start}#caller_missing`);
  }
});

describe("missing consent", () => {
  test.each([
    ["POST /oauth2/token", (at: typeof service) => at.call("/oauth2/token", { form: exchangeForm(userToken(world)) })],
    [
      "GET /AuthorizationHeader/{api}",
      (at: typeof service) => at.call("/AuthorizationHeader/graph", { headers: asUser() }),
    ],
  ])("%s names scopes, API, the administrator's next step, the AADSTS number and the trace id", async (_name, send) => {
    world.tenant.state.order({ endpoint: "token", aadsts: 65001 });
    const answer = await send(world.serve());
    const { code, action, trace_id } = answer.json();
    expect([code, action]).toEqual(["consent_required", "ask_admin"]);
    expect(messageOf(answer)).toBe(
      "Consent is missing for Mail.Read, User.Read of https://graph.microsoft.com. An administrator grants admin consent " +
        `to this service's registration in Entra. Then repeat the request (AADSTS65001, trace ${trace_id}).`,
    );
  });
});
