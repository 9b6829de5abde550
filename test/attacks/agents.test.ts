/**
 * Agent identities as callers: what the entry of a blueprint matches, and every way in which another token could pass as
 * an agent's, or an agent's as another. Each token is minted with the tenant's real keys (E-113, E-114).
 */
import { afterEach, describe, expect, test } from "vitest";
import { hiddenFields, newBrowser, pathOf } from "../sign-in/support/browser.ts";
import { signInByLink } from "../sign-in/support/sign-in.ts";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  USER_IDS,
  userToken,
} from "../support/callers.ts";
import { policyWith, type TestPolicy } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const BLUEPRINT = CLIENT_IDS.agentBlueprint;
const GRAPH = ["User.Read", "Mail.Read"];

const AGENTS = {
  name: "agents",
  displayName: "Contoso's agents",
  kind: "application",
  blueprint: BLUEPRINT,
  flows: ["on-behalf-of", "refresh-token"],
  apis: { graph: GRAPH },
  offlineAccess: true,
  unattended: true,
};
const AGENT_PEOPLE = {
  name: "agent-people",
  kind: "user",
  blueprint: BLUEPRINT,
  flows: ["on-behalf-of"],
  apis: { graph: GRAPH },
};
const withAgents = (change: (policy: TestPolicy) => void = () => undefined) => ({
  POLICY: policyWith((policy) => {
    policy.callers.push({ ...AGENTS }, { ...AGENT_PEOPLE });
    change(policy);
  }),
});

const { world, service } = useWorld({ settings: withAgents() });

afterEach(() => world.tenant.state.setOwnKey({ clientId: CLIENT_IDS.service, own: false }));

type Minted = NonNullable<Parameters<typeof userToken>[1]>;

const agent = (client = "mailAgent", claims: Record<string, unknown> = {}) => appToken(world, { client, claims });
const person = (client = "mailAgent", more: Minted = {}) => userToken(world, { client, ...more });
const header = (token: string, at: ServiceUnderTest = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token) });
const forPerson = (token: string, subject: string, at: ServiceUnderTest = service) =>
  at.call("/oauth2/token", { form: { ...exchangeForm(subject), ...clientAssertion(token) } });
const redeem = (handle: string, token: string, at: ServiceUnderTest = service) =>
  at.call("/AuthorizationHeader/graph", { json: { grant: handle }, headers: bearer(token) });

/** A grant that a person made through a link of this agent. */
async function grantOf(client: string): Promise<string> {
  const json = { api: "graph", expectedUser: USER_IDS.alice };
  const made = await service.call("/signin/links", { json, headers: bearer(agent(client)) });
  expect(made.status).toBe(201);
  const browser = newBrowser(service);
  const back = await signInByLink(service, browser, { link: pathOf(String(made.json()["url"])) });
  const page = await browser.open(back.headers.get("location") ?? "");
  expect(page.text).toContain(CLIENT_IDS[client as keyof typeof CLIENT_IDS]);
  const done = await browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision: "allow" });
  expect(done.status).toBe(200);
  return String(made.json()["grant"]);
}

describe("the entry of a blueprint", () => {
  test.each(["mailAgent", "newAgent"] as const)("matches %s, which has no separate entry", async (client) => {
    const answer = await forPerson(agent(client), person(client));
    expect(answer.status).toBe(200);
    expect(service.lastEvent()).toMatchObject({
      policyEntry: "agents",
      callerClientId: CLIENT_IDS[client],
      agent: "autonomous",
      blueprint: BLUEPRINT,
    });
  });

  test("of kind user matches a person through an agent, and the audit event says so", async () => {
    expect((await header(person())).status).toBe(200);
    expect(service.lastEvent()).toMatchObject({
      policyEntry: "agent-people",
      agent: "for_person",
      blueprint: BLUEPRINT,
    });
  });

  test.each([["/"], [""]])("matches an agent whose token has the scp %j of an unscoped token", async (scp) => {
    expect((await forPerson(agent("mailAgent", { scp }), person())).status).toBe(200);
  });

  test("an ordinary client has neither agent nor blueprint in its audit event", async () => {
    await header(userToken(world));
    expect(service.lastEvent()).not.toHaveProperty("agent");
    expect(service.lastEvent()).not.toHaveProperty("blueprint");
  });

  test("POST /policy/explain answers for any agent of a blueprint", async () => {
    const headers = bearer(userToken(world, { user: "erin" }));
    const ask = async (blueprint: string | undefined) => {
      const caller = { kind: "user", clientId: CLIENT_IDS.newAgent, blueprint };
      return (
        await service.call("/policy/explain", { json: { caller, flow: "on-behalf-of", api: "graph" }, headers })
      ).json();
    };
    expect(await ask(BLUEPRINT)).toMatchObject({ allowed: true, entry: "agent-people" });
    expect(await ask(undefined)).toMatchObject({ allowed: false, reason: "caller_not_listed" });
  });
});

const PARENT = { xms_par_app_azp: BLUEPRINT };
const ACTS = { ...PARENT, xms_act_fct: "3 9 11" };
const ALL = { ...ACTS, xms_sub_fct: "9 3 11" };

describe("no person's token turns into one through an agent", () => {
  test.each([
    ["the parent alone", PARENT],
    ["the parent, and facets that contain 11 only as a part of a number", { ...PARENT, xms_act_fct: "111 211" }],
    ["the parent, and a facet that is a number", { ...PARENT, xms_act_fct: 11 }],
    ["the parent, and facets that are a list", { ...PARENT, xms_act_fct: ["11"] }],
    ["the parent, and facets that are separated by commas", { ...PARENT, xms_act_fct: "3,11" }],
    ["the facets of an agent that acts for itself", ALL],
    ["a parent that is no GUID", { ...ACTS, xms_par_app_azp: `${BLUEPRINT} ` }],
    ["a parent in upper case", { ...ACTS, xms_par_app_azp: BLUEPRINT.toUpperCase() }],
    ["a list of parents", { ...ACTS, xms_par_app_azp: [BLUEPRINT] }],
    ["the facets without a parent", { xms_act_fct: "11" }],
  ])("with %s", async (_title, claims) => {
    const answer = await header(person("stranger", { claims }));
    expect(answer.json()).toMatchObject({ code: "caller_not_listed" });
    expect(service.lastEvent()).not.toHaveProperty("agent");
  });

  test("with the claims of an agent of another blueprint", async () => {
    const other = { ...ACTS, xms_par_app_azp: "a6e40000-0000-4000-8000-0000000000ff" };
    expect((await header(person("stranger", { claims: other }))).json()).toMatchObject({ code: "caller_not_listed" });
    expect(service.lastEvent()).toMatchObject({ agent: "for_person", blueprint: other.xms_par_app_azp });
  });

  test("with all claims from a claims mapping, which Entra signs with a key of the registration (E-7)", async () => {
    world.tenant.state.setOwnKey({ clientId: CLIENT_IDS.service, own: true });
    const at = world.serve({ settings: withAgents() });
    const mapped = person("stranger", { claims: ACTS });
    expect((await header(mapped, at)).json()).toMatchObject({ code: "caller_not_listed" });
    expect(at.lastEvent()).not.toHaveProperty("agent");
    // Nor does a second look at the same token, which is remembered as verified.
    expect((await header(mapped, at)).json()).toMatchObject({ code: "caller_not_listed" });
  });
});

describe("no ordinary application passes as an agent", () => {
  const stranger = (claims: Record<string, unknown>) =>
    appToken(world, { client: "stranger", claims: { roles: ["Exchange.Call"], ...claims } });
  test.each([
    ["the parent alone", PARENT],
    ["the facets of its client alone", ACTS],
    ["the facets of its subject alone", { ...PARENT, xms_sub_fct: "11" }],
    ["all claims, but without idtyp", { ...ALL, idtyp: undefined }],
    ["the parent that is the application itself", { ...ALL, xms_par_app_azp: CLIENT_IDS.stranger }],
  ])("with %s", async (_title, claims) => {
    const answer = await forPerson(stranger(claims), person());
    expect(answer.json()).toMatchObject({ code: "caller_not_listed" });
    expect(service.lastEvent()).not.toHaveProperty("agent");
  });

  test("a blueprint itself is not one of its agents", async () => {
    const token = appToken(world, { client: "agentBlueprint", claims: { roles: ["Exchange.Call"] } });
    expect((await forPerson(token, person())).json()).toMatchObject({ code: "caller_not_listed" });
  });
});

describe("no agent passes as a person", () => {
  test("the user account of an agent is refused, although the entries of the blueprint and of the client would match", async () => {
    const token = person("mailAgent", { claims: { xms_sub_fct: "2 13" } });
    const answer = await header(token);
    expect([answer.status, answer.json()["code"]]).toEqual([403, "agent_user_not_allowed"]);
    const subject = await forPerson(agent(), token);
    expect([subject.status, subject.json()["code"]]).toEqual([400, "agent_user_not_allowed"]);
    const ordinary = userToken(world, { claims: { xms_sub_fct: "13" } });
    expect((await header(ordinary)).json()).toMatchObject({ code: "agent_user_not_allowed" });
  });

  test.each([
    ["its own token with the scope of a person", { scp: "access_as_user" }, "token_claims_invalid"],
    ["its own token as that of a user", { scp: "access_as_user", idtyp: undefined }, "caller_not_listed"],
    ["an empty scp without facets", { scp: "", xms_sub_fct: undefined }, "token_claims_invalid"],
    ["the scp / without idtyp", { scp: "/", idtyp: undefined }, "token_scope_missing"],
    ["another subject than itself", { sub: "0b1ec700-0000-4000-8000-00000000dead" }, "token_claims_invalid"],
    ["no app role", { roles: undefined }, "token_role_missing"],
  ])("with %s", async (_title, claims, code) => {
    expect((await header(agent("mailAgent", claims))).json()).toMatchObject({ code });
  });

  test("the agent's own token is not exchanged as a person's", async () => {
    expect((await forPerson(agent(), agent())).json()).toMatchObject({ code: "subject_is_application" });
  });

  test("one agent does not present a person's token that another agent obtained", async () => {
    const answer = await forPerson(agent("mailAgent"), person("newAgent"));
    expect(answer.json()).toMatchObject({ code: "subject_client_not_allowed" });
  });
});

describe("grants and links of agents are bound to one agent", () => {
  test("an agent redeems its own grant, and no other agent of the same blueprint can", async () => {
    const handle = await grantOf("mailAgent");
    expect((await redeem(handle, agent("mailAgent"))).status).toBe(200);
    expect((await redeem(handle, agent("newAgent"))).json()).toMatchObject({ code: "grant_invalid" });
    expect(service.lastEvent()).toMatchObject({ reason: "not_bound" });
    const listed = await service.call("/grants", { headers: bearer(agent("newAgent")) });
    expect(listed.json()).toEqual({ grants: [] });
  });

  test("a person with Grant.Create cannot make a link for the entry of a blueprint: it names no application", async () => {
    const headers = bearer(userToken(world, { user: "erin" }));
    const answer = await service.call("/signin/links", { json: { api: "graph", caller: "agents" }, headers });
    expect([answer.status, answer.json()["code"]]).toEqual([400, "parameter_invalid"]);
  });
});

describe("an entry of one agent excludes the entry of its blueprint", () => {
  const own = (more: Record<string, unknown> = {}) => ({
    name: "new-agent",
    kind: "application",
    clientId: CLIENT_IDS.newAgent,
    flows: ["client-credentials"],
    apis: { graph: [".default"] },
    ...more,
  });
  const serveWithOwn = (more: Record<string, unknown> = {}) =>
    world.serve({ settings: withAgents(({ callers }) => void callers.push(own(more))) });

  test("for that agent only", async () => {
    const at = serveWithOwn();
    expect((await forPerson(agent("newAgent"), person("newAgent"), at)).json()).toMatchObject({
      code: "flow_not_allowed",
    });
    expect(at.lastEvent()).toMatchObject({ policyEntry: "new-agent", agent: "autonomous" });
    expect((await forPerson(agent("mailAgent"), person("mailAgent"), at)).status).toBe(200);
  });

  test("even if the agent lacks the role of its own entry", async () => {
    const at = serveWithOwn({ role: "Agent.Admin" });
    expect((await forPerson(agent("newAgent"), person("newAgent"), at)).json()).toMatchObject({
      code: "caller_not_listed",
    });
  });

  test("for a link that was made before, too", async () => {
    const json = { api: "graph", expectedUser: USER_IDS.alice };
    const made = await service.call("/signin/links", { json, headers: bearer(agent("newAgent")) });
    const link = pathOf(String(made.json()["url"]));
    expect((await newBrowser(service).open(link)).status).toBe(303);
    expect((await newBrowser(serveWithOwn()).open(link)).status).toBe(403);
  });
});
