/**
 * Clients that cannot send an Entra token: their own Entra secret or assertion is proved at Entra, or their secret is
 * ignored because a user's token authenticates the request. Each is off unless the policy entry lists it.
 */
import { afterEach, describe, expect, test } from "vitest";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  jwtBearerForm,
  userToken,
} from "../support/callers.ts";
import {
  basic,
  OWN_CREDENTIALS,
  ownAssertion,
  post,
  registerCertificate,
  secretOf,
} from "../support/own-credentials.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer, Call } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, clock } = useWorld({ settings: OWN_CREDENTIALS, newServiceForEachTest: true });
afterEach(() => world.tenant.state.reset());

const HANDLE = `gte_${"A".repeat(43)}`;
const APP_GRAPH = { grant_type: "client_credentials", audience: "graph" };
const token = (call: Call) => service.call("/oauth2/token", call);
const withStatus = (answer: Answer) => ({ status: answer.status, ...answer.json() });
/** Requests with which the service asked Entra about the credential of this client. */
const proofs = (client: keyof typeof CLIENT_IDS) =>
  world.tenant.state.requests({ endpoint: "token", client: CLIENT_IDS[client], grantType: "client_credentials" });

describe("entra_secret: the application's own secret", () => {
  test.each([
    ["Authorization: Basic", (secret: string) => ({ headers: basic("web", secret), form: {} })],
    [
      "Basic and client_id",
      (secret: string) => ({ headers: basic("web", secret), form: { client_id: CLIENT_IDS.web } }),
    ],
    ["the form", (secret: string) => ({ form: post("web", secret) })],
    [
      "Basic with form-urlencoding",
      (secret: string) => ({ headers: basic("web", secret.replaceAll("~", "%7E")), form: {} }),
    ],
  ])("by %s authenticates the application", async (_title, authentication) => {
    const { form, ...call } = authentication(secretOf(world, "web"));
    const answer = await token({ ...call, form: exchangeForm(userToken(world), form) });
    expect(withStatus(answer)).toMatchObject({ status: 200, token_type: "Bearer" });
    expect(service.lastEvent()).toMatchObject({
      clientAuthentication: "entra_secret",
      callerKind: "application",
      callerClientId: CLIENT_IDS.web,
      policyEntry: "web-backend",
    });
  });

  test("is proved with client credentials for the scope .default of this service, in the client's own name", async () => {
    await token({ headers: basic("web", secretOf(world, "web")), form: exchangeForm(userToken(world)) });
    expect(proofs("web")).toHaveLength(1);
    expect(proofs("web")[0]?.form).toMatchObject({ scope: `api://${CLIENT_IDS.service}/.default` });
  });

  test("works for client_credentials, jwt-bearer, the revocation and the pushed request", async () => {
    const headers = basic("web", secretOf(world, "web"));
    const reports = await token({ headers: basic("reports", secretOf(world, "reports")), form: APP_GRAPH });
    expect(reports.status).toBe(200);
    expect((await token({ headers, form: jwtBearerForm(userToken(world)) })).status).toBe(200);
    expect((await service.call("/oauth2/revoke", { headers, form: { token: HANDLE } })).status).toBe(200);
    const pushed = await service.call("/oauth2/par", {
      headers,
      form: {
        client_id: CLIENT_IDS.web,
        response_type: "code",
        redirect_uri: "http://localhost:9999/callback",
        code_challenge: "x".repeat(43),
        code_challenge_method: "S256",
        audience: "graph",
      },
    });
    expect(pushed.status).toBe(201);
  });

  test("calls Entra once for many requests at once, and not again while its token is valid", async () => {
    const call = () => token({ headers: basic("reports", secretOf(world, "reports")), form: APP_GRAPH });
    const answers = await Promise.all(Array.from({ length: 20 }, call));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect((await call()).status).toBe(200);
    expect(proofs("reports")).toHaveLength(1);
  });

  test("calls Entra again when its token has expired", async () => {
    const call = () =>
      service.call("/oauth2/revoke", { headers: basic("web", secretOf(world, "web")), form: { token: HANDLE } });
    expect((await call()).status).toBe(200);
    clock.advance(2 * 60 * 60_000);
    expect((await call()).status).toBe(200);
    expect(proofs("web")).toHaveLength(2);
  });

  test.each([
    ["wrong by one character", (): string => `${secretOf(world, "web")}x`, 7000215],
    ["the secret of another application", () => secretOf(world, "daemon"), 7000215],
    [
      "expired",
      () => {
        world.tenant.state.expireSecrets({ app: "web" });
        return secretOf(world, "web");
      },
      7000222,
    ],
  ])("401 invalid_client with a Basic challenge: the secret is %s", async (_title, secret, aadsts) => {
    const answer = await token({ headers: basic("web", secret()), form: exchangeForm(userToken(world)) });
    expect(withStatus(answer)).toMatchObject({
      status: 401,
      error: "invalid_client",
      code: "client_secret_refused",
      action: "fix_request",
      error_codes: [aadsts],
    });
    expect(answer.headers.get("www-authenticate")).toBe(
      `Basic realm="${world.tenant.state.tenantId}", charset="UTF-8"`,
    );
    expect(service.lastEvent()).toMatchObject({
      outcome: "refused",
      code: "client_secret_refused",
      clientAuthentication: "entra_secret",
      policyEntry: "web-backend",
      aadsts: [aadsts],
    });
    expect(service.lastEvent()).not.toHaveProperty("callerClientId");
  });

  test.each([
    [700016, "does not exist"],
    [7000112, "is disabled"],
  ])("401 invalid_client: Entra says %d, the application %s", async (code) => {
    world.tenant.state.order({ endpoint: "token", client: "web", aadsts: code });
    const answer = await token({ headers: basic("web", secretOf(world, "web")), form: exchangeForm(userToken(world)) });
    expect(withStatus(answer)).toMatchObject({ status: 401, error: "invalid_client", error_codes: [code] });
  });

  test("400 unauthorized_client: the application lacks the app role Exchange.Call", async () => {
    const POLICY = policyWithEntries({
      daemon: { clientId: CLIENT_IDS.stranger, clientAuthentication: ["entra_secret"] },
    });
    const at = world.serve({ settings: { POLICY } });
    const answer = await at.call("/oauth2/token", {
      headers: basic("stranger", secretOf(world, "stranger")),
      form: { grant_type: "refresh_token", refresh_token: HANDLE },
    });
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "unauthorized_client", code: "token_role_missing" });
  });

  test("an app role that is assigned after a refusal takes effect with the next request", async () => {
    const { roleAssignments, registration } = world.tenant.state.directory;
    const objectId = registration("web")?.objectId;
    const at = roleAssignments.findIndex(({ principalOid }) => principalOid === objectId);
    const removed = roleAssignments.splice(at, 1);
    const call = () =>
      service.call("/oauth2/revoke", { headers: basic("web", secretOf(world, "web")), form: { token: HANDLE } });
    expect(withStatus(await call())).toMatchObject({ status: 400, code: "token_role_missing" });
    roleAssignments.push(...removed);
    expect((await call()).status).toBe(200);
  });

  test("400 unauthorized_client: the registration of the service requires an assignment (AADSTS501051)", async () => {
    world.tenant.state.order({ endpoint: "token", client: "web", aadsts: 501051 });
    const answer = await token({ headers: basic("web", secretOf(world, "web")), form: exchangeForm(userToken(world)) });
    expect(withStatus(answer)).toMatchObject({ status: 400, code: "token_role_missing" });
  });

  test("500: Entra does not know the service itself (AADSTS500011), which no client can mend", async () => {
    world.tenant.state.order({ endpoint: "token", client: "web", aadsts: 500011 });
    const answer = await token({ headers: basic("web", secretOf(world, "web")), form: exchangeForm(userToken(world)) });
    expect(withStatus(answer)).toMatchObject({ status: 500, code: "registration_refused" });
  });

  test("503: Entra is down, and the client has as many requests as a guess; after the outage it has a new minute", async () => {
    world.tenant.state.order({ endpoint: "token", client: "web", status: 503, body: "", times: 0 });
    const call = () => token({ headers: basic("web", secretOf(world, "web")), form: exchangeForm(userToken(world)) });
    for (let round = 0; round < 5; round++) {
      expect(withStatus(await call())).toMatchObject({ status: 503, code: "entra_unavailable" });
    }
    world.tenant.state.clearOrders();
    expect(withStatus(await call())).toMatchObject({ status: 429, code: "client_budget_used_up" });
    clock.advance(60_000);
    expect((await call()).status).toBe(200);
  });

  test("429: Entra throttles the client", async () => {
    world.tenant.state.order({
      endpoint: "token",
      client: "web",
      status: 429,
      body: "",
      headers: { "retry-after": "7" },
    });
    const answer = await token({ headers: basic("web", secretOf(world, "web")), form: exchangeForm(userToken(world)) });
    expect(withStatus(answer)).toMatchObject({ status: 429, code: "throttled" });
    expect(answer.headers.get("retry-after")).toBe("7");
  });

  test("policy still decides: the secret of an application without the flow gets no token", async () => {
    const answer = await token({ headers: basic("web", secretOf(world, "web")), form: APP_GRAPH });
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "unauthorized_client", code: "flow_not_allowed" });
  });
});

describe("entra_secret of an entry with a registration of its own", () => {
  const INTRANET = {
    name: "intranet-backend",
    kind: "application",
    clientId: CLIENT_IDS.intranet,
    registration: "narrow",
    flows: ["on-behalf-of"],
    apis: { graph: ["User.Read"] },
    clientAuthentication: ["entra_secret"],
  };
  const POLICY = policyWith(({ callers }) => void callers.push(INTRANET));
  /** The intranet has the app role of this registration, and of no other. */
  const assign = (resourceId: string) => {
    const { roleAssignments, registration } = world.tenant.state.directory;
    const principalOid = registration("intranet")?.objectId ?? "";
    const others = roleAssignments.filter((one) => one.principalOid !== principalOid);
    roleAssignments.splice(0, roleAssignments.length, ...others, { principalOid, resourceId, role: "Exchange.Call" });
  };
  const exchange = () =>
    world.serve({ settings: { POLICY } }).call("/oauth2/token", {
      headers: basic("intranet", secretOf(world, "intranet")),
      form: exchangeForm(userToken(world, { client: "intranet", resource: "narrow" })),
    });

  test("is proved for that registration", async () => {
    assign(CLIENT_IDS.narrow);
    expect((await exchange()).status).toBe(200);
    expect(proofs("intranet")[0]?.form).toMatchObject({ scope: `api://${CLIENT_IDS.narrow}/.default` });
  });

  test("the app role of another registration does not count", async () => {
    assign(CLIENT_IDS.service);
    expect(withStatus(await exchange())).toMatchObject({ status: 400, code: "token_role_missing" });
  });
});

describe("entra_assertion: the application's own private_key_jwt", () => {
  test("authenticates the application with the token that Entra issues for it", async () => {
    const signer = registerCertificate(world, "web");
    const answer = await token({ form: exchangeForm(userToken(world), ownAssertion(world, signer)) });
    expect(answer.status).toBe(200);
    expect(service.lastEvent()).toMatchObject({
      clientAuthentication: "entra_assertion",
      callerClientId: CLIENT_IDS.web,
      policyEntry: "web-backend",
    });
    expect(proofs("web")).toHaveLength(1);
  });

  test("may be used again until it expires, without another call to Entra", async () => {
    const assertion = ownAssertion(world, registerCertificate(world, "web"));
    const call = () => service.call("/oauth2/revoke", { form: { token: HANDLE, ...assertion } });
    expect((await call()).status).toBe(200);
    expect((await call()).status).toBe(200);
    expect(proofs("web")).toHaveLength(1);
    clock.advance(301_000);
    expect(withStatus(await call())).toMatchObject({ status: 401, code: "client_assertion_refused" });
    expect(proofs("web")).toHaveLength(1);
  });

  test("an Entra token as client assertion still works, and is not sent to Entra", async () => {
    const answer = await token({ form: exchangeForm(userToken(world), clientAssertion(appToken(world))) });
    expect(answer.status).toBe(200);
    expect(service.lastEvent()).toMatchObject({ clientAuthentication: "client_assertion" });
    expect(proofs("web")).toHaveLength(0);
  });
});

describe("ignored_with_subject: the user's token authenticates the request", () => {
  const subject = () => userToken(world, { client: "public" });

  test.each([
    ["token exchange by Basic", () => ({ headers: basic("public", "any secret"), form: exchangeForm(subject()) })],
    ["token exchange by form", () => ({ form: exchangeForm(subject(), post("public", "any secret")) })],
    ["jwt-bearer", () => ({ form: jwtBearerForm(subject(), post("public", "any secret")) })],
  ])("%s: the secret is neither checked nor sent anywhere", async (_title, call) => {
    expect((await token(call())).status).toBe(200);
    expect(service.lastEvent()).toMatchObject({
      clientAuthentication: "ignored_with_subject",
      callerKind: "user",
      callerClientId: CLIENT_IDS.public,
    });
    expect(proofs("public")).toHaveLength(0);
  });

  test("authenticates nothing else: not a refresh, a revocation or client_credentials", async () => {
    const headers = basic("public", "any secret");
    const calls: [string, Record<string, string>][] = [
      ["/oauth2/token", { grant_type: "refresh_token", refresh_token: HANDLE }],
      ["/oauth2/token", APP_GRAPH],
      ["/oauth2/revoke", { token: HANDLE }],
    ];
    for (const [path, form] of calls) {
      expect(withStatus(await service.call(path, { headers, form }))).toMatchObject({
        status: 400,
        code: "client_secret_not_accepted",
      });
    }
  });
});

describe("actor_token (RFC 8693 section 2.1)", () => {
  const actorForm = (actor: string) => ({
    actor_token: actor,
    actor_token_type: "urn:ietf:params:oauth:token-type:access_token",
  });

  test("RF-27: of a listed caller is recorded as act in the audit, and is not sent to Entra", async () => {
    const actor = appToken(world, { client: "daemon" });
    const answer = await token({ form: exchangeForm(userToken(world), actorForm(actor)) });
    expect(answer.status).toBe(200);
    const { objectId } = world.tenant.state.directory.registration("daemon") ?? {};
    expect(service.lastEvent()).toMatchObject({
      act: { clientId: CLIENT_IDS.daemon, objectId },
      callerClientId: CLIENT_IDS.web,
    });
    expect(JSON.stringify(world.tenant.state.requests())).not.toContain(actor.slice(-40));
  });

  test.each([
    ["is not a token", () => "x.y.z", "not_compact"],
    ["is expired", () => appToken(world, { client: "daemon", lifetimeSeconds: -600 }), "expired"],
    ["is for another API", () => appToken(world, { client: "daemon", resource: "orders" }), "audience"],
    ["is of a caller that the policy does not list", () => userToken(world, { client: "stranger" }), "not_listed"],
  ])("400 invalid_request: the actor token %s", async (_title, actor, reason) => {
    const answer = await token({ form: exchangeForm(userToken(world), actorForm(actor())) });
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "invalid_request", code: "actor_refused" });
    expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "actor_refused", reason });
    expect(service.lastEvent()).not.toHaveProperty("act");
    expect(world.tenant.state.requests({ endpoint: "token" })).toEqual([]);
  });
});

describe("audit: clientAuthentication names the method", () => {
  test.each([
    ["bearer", () => ({ headers: bearer(appToken(world)), form: exchangeForm(userToken(world)) })],
    ["client_assertion", () => ({ form: exchangeForm(userToken(world), clientAssertion(appToken(world))) })],
    ["subject_itself", () => ({ form: exchangeForm(userToken(world)) })],
  ])("%s", async (method, call) => {
    await token(call());
    expect(service.lastEvent()).toMatchObject({ outcome: "issued", clientAuthentication: method });
  });
});
