/**
 * `POST /oauth2/token` from request to answer: client authentication, the subject token, the selected API and the token
 * response. RFC 6749, 6750, 7523, 8693, 8707.
 */
import { describe, expect, test } from "vitest";
import {
  ACCESS_TOKEN,
  appToken,
  bearer,
  CLIENT_IDS,
  claimsOf,
  clientAssertion,
  exchangeForm,
  JWT_BEARER,
  jwtBearerForm,
  TOKEN_EXCHANGE,
  USER_IDS,
  userToken,
} from "../support/callers.ts";
import { applicationOnlySettings, policyWith, policyWithEntries, withoutApplicationOnly } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

type Form = Record<string, string>;

function post(form: Form | readonly (readonly [string, string])[], headers: Form = {}, at = service): Promise<Answer> {
  return at.call("/oauth2/token", { form, headers });
}

/** The number of requests that Entra's token endpoint received. */
function tokenRequests(): number {
  return world.tenant.state.requestCounts()["token"] ?? 0;
}

function expectRefusal(answer: Answer, status: number, error: string, code: string): void {
  expect({ status: answer.status, ...answer.json() }).toMatchObject({ status, error, code });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(tokenRequests()).toBe(0);
}

describe("POST /oauth2/token refuses the caller", () => {
  const rows: [title: string, () => { form: Form; headers?: Form }, status: number, error: string, code: string][] = [
    [
      "no credentials, with grant_type refresh_token",
      () => ({ form: { grant_type: "refresh_token", refresh_token: `gte_${"A".repeat(43)}` } }),
      401,
      "invalid_client",
      "caller_missing",
    ],
    [
      "no credentials, with grant_type client_credentials",
      () => ({ form: { grant_type: "client_credentials" } }),
      401,
      "invalid_client",
      "caller_missing",
    ],
    [
      "only a client_id",
      () => ({ form: { grant_type: "client_credentials", client_id: CLIENT_IDS.daemon } }),
      401,
      "invalid_client",
      "caller_missing",
    ],
    [
      "a Bearer value that is not a token",
      () => ({ form: exchangeForm(userToken(world)), headers: bearer("not-a-token") }),
      401,
      "invalid_client",
      "caller_refused",
    ],
    [
      "a Bearer token for another API",
      () => ({ form: exchangeForm(userToken(world)), headers: bearer(userToken(world, { resource: "orders" })) }),
      401,
      "invalid_client",
      "token_for_other_api",
    ],
    [
      "Basic authentication, even with the correct secret",
      () => ({
        form: exchangeForm(userToken(world)),
        headers: { authorization: `Basic ${Buffer.from(`${CLIENT_IDS.web}:secret`).toString("base64")}` },
      }),
      400,
      "invalid_request",
      "client_secret_not_accepted",
    ],
    [
      "client_secret",
      () => ({ form: exchangeForm(userToken(world), { client_id: CLIENT_IDS.web, client_secret: "hunter2-hunter2" }) }),
      400,
      "invalid_request",
      "client_secret_not_accepted",
    ],
    [
      "client_secret together with a valid Bearer token",
      () => ({
        form: exchangeForm(userToken(world), { client_secret: "hunter2-hunter2" }),
        headers: bearer(appToken(world)),
      }),
      400,
      "invalid_request",
      "client_secret_not_accepted",
    ],
    [
      "a Bearer token together with a client assertion",
      () => {
        const app = appToken(world);
        return { form: exchangeForm(userToken(world), clientAssertion(app)), headers: bearer(app) };
      },
      400,
      "invalid_request",
      "two_client_authentications",
    ],
    [
      "client_assertion without client_assertion_type",
      () => ({ form: exchangeForm(userToken(world), { client_assertion: appToken(world) }) }),
      400,
      "invalid_request",
      "parameter_invalid",
    ],
    [
      "client_assertion with another client_assertion_type",
      () => ({
        form: exchangeForm(userToken(world), {
          client_assertion: appToken(world),
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        }),
      }),
      400,
      "invalid_request",
      "parameter_invalid",
    ],
    [
      "client_assertion_type without client_assertion",
      () => ({
        form: exchangeForm(userToken(world), {
          client_assertion_type: clientAssertion("")["client_assertion_type"] ?? "",
        }),
      }),
      400,
      "invalid_request",
      "parameter_missing",
    ],
    [
      "a user's token as client assertion",
      () => ({ form: exchangeForm(userToken(world), clientAssertion(userToken(world))) }),
      401,
      "invalid_client",
      "caller_is_user",
    ],
    [
      "an app-only token without the service's app role",
      () => ({ form: exchangeForm(userToken(world)), headers: bearer(appToken(world, { client: "stranger" })) }),
      400,
      "unauthorized_client",
      "token_role_missing",
    ],
    [
      "a user with the client_id of another client",
      () => ({ form: exchangeForm(userToken(world), { client_id: CLIENT_IDS.daemon }) }),
      400,
      "invalid_request",
      "client_id_mismatch",
    ],
    [
      "an application with the client_id of another client",
      () => ({
        form: exchangeForm(userToken(world), { client_id: CLIENT_IDS.daemon }),
        headers: bearer(appToken(world)),
      }),
      400,
      "invalid_request",
      "client_id_mismatch",
    ],
    [
      "a user with the client_id of the service itself",
      () => ({ form: exchangeForm(userToken(world), { client_id: CLIENT_IDS.service }) }),
      400,
      "invalid_request",
      "client_id_mismatch",
    ],
    [
      "a user whose client is not in the policy",
      () => ({ form: exchangeForm(userToken(world, { client: "stranger" })) }),
      400,
      "unauthorized_client",
      "caller_not_listed",
    ],
    [
      "an application that is not in the policy",
      () => ({
        form: exchangeForm(userToken(world)),
        headers: bearer(appToken(world, { client: "stranger", claims: { roles: ["Exchange.Call"] } })),
      }),
      400,
      "unauthorized_client",
      "caller_not_listed",
    ],
    [
      "an application whose flows lack on-behalf-of",
      () => ({
        form: exchangeForm(userToken(world)),
        headers: bearer(appToken(world, { client: "daemon" })),
      }),
      400,
      "unauthorized_client",
      "flow_not_allowed",
    ],
  ];

  test.each(rows)("%s", async (_title, request, status, error, code) => {
    const { form, headers } = request();
    const answer = await post(form, headers);
    expectRefusal(answer, status, error, code);
    expect(answer.headers.has("www-authenticate")).toBe(status === 401);
    expect(answer.text).not.toContain("hunter2");
  });

  test("a 401 links to the resource metadata, and names an error only if a token was sent", async () => {
    const metadata = 'resource_metadata="http://localhost:7071/.well-known/oauth-protected-resource"';
    const without = await post({ grant_type: "client_credentials" });
    expect(without.headers.get("www-authenticate")).toMatch(/^Bearer realm="10ca1000-/);
    expect(without.headers.get("www-authenticate")).toContain(metadata);
    expect(without.headers.get("www-authenticate")).not.toContain("error=");
    const bad = await post({ grant_type: "client_credentials" }, bearer("bad"));
    expect(bad.headers.get("www-authenticate")).toContain(metadata);
    expect(bad.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });
});

describe("POST /oauth2/token refuses the subject token", () => {
  test.each([
    ["subject_token", exchangeForm, "invalid_request"],
    ["assertion", jwtBearerForm, "invalid_grant"],
  ] as const)("a user sends another user's token as %s", async (_name, toForm, error) => {
    const answer = await post(toForm(userToken(world, { user: "bob" })), bearer(userToken(world)));
    expectRefusal(answer, 400, error, "subject_not_the_caller");
    expect(service.lastEvent()).toMatchObject({ reason: "not_the_caller", callerObjectId: USER_IDS.alice });
  });

  test("a user sends another token of the same user: only the presented token is accepted", async () => {
    const answer = await post(exchangeForm(userToken(world)), bearer(userToken(world)));
    expectRefusal(answer, 400, "invalid_request", "subject_not_the_caller");
  });

  test.each([
    ["an application's token", "subject_is_application", () => appToken(world)],
    ["an ID token", "token_is_id_token", () => world.tenant.state.mintIdToken({ client: "service" })],
    ["a token for Graph", "token_for_graph", () => userToken(world, { resource: "graph" })],
    ["an expired token", "token_expired", () => userToken(world, { lifetimeSeconds: -120 })],
    ["a token without access_as_user", "token_scope_missing", () => userToken(world, { scopes: ["other"] })],
    ["a string that is not a token", "subject_refused", () => "gte_nothing"],
  ])("%s gives %s, sent alone and by an application", async (_title, code, subject) => {
    expectRefusal(await post(exchangeForm(subject())), 400, "invalid_request", code);
    expectRefusal(await post(jwtBearerForm(subject())), 400, "invalid_grant", code);
    expectRefusal(await post(exchangeForm(subject()), bearer(appToken(world))), 400, "invalid_request", code);
  });

  test("subjectClients defaults to the caller's own client", async () => {
    const answer = await post(exchangeForm(userToken(world, { client: "public" })), bearer(appToken(world)));
    expectRefusal(answer, 400, "unauthorized_client", "subject_client_not_allowed");
    expect(service.lastEvent()).toMatchObject({ policyEntry: "web-backend", subjectClientId: CLIENT_IDS.public });
  });

  test("an explicit subjectClients replaces the default, so the caller's own client must be listed too", async () => {
    const settings = { POLICY: policyWithEntries({ "web-backend": { subjectClients: [CLIENT_IDS.public] } }) };
    const answer = await post(exchangeForm(userToken(world)), bearer(appToken(world)), world.serve({ settings }));
    expectRefusal(answer, 400, "unauthorized_client", "subject_client_not_allowed");
  });

  test("the subject's client is not in the policy", async () => {
    const POLICY = policyWith((policy) => {
      policy.callers = policy.callers.filter(({ name }) => name !== "web-users");
    });
    const alone = world.serve({ settings: { POLICY } });
    const answer = await post(exchangeForm(userToken(world)), bearer(appToken(world)), alone);
    expectRefusal(answer, 400, "unauthorized_client", "subject_client_not_allowed");
  });

  test("the subject's client is public and its entry requires a confidential client", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { requireConfidentialClient: true } }) };
    const strict = world.serve({ settings });
    const subject = userToken(world, { clientAuth: "0" });
    expectRefusal(
      await post(exchangeForm(subject), bearer(appToken(world)), strict),
      400,
      "unauthorized_client",
      "subject_client_not_allowed",
    );
    expectRefusal(await post(exchangeForm(subject), {}, strict), 400, "unauthorized_client", "public_client");
  });
});

describe("POST /oauth2/token accepts the caller", () => {
  const served: [title: string, () => { form: Form; headers?: Form }][] = [
    ["a user with only a subject_token", () => ({ form: exchangeForm(userToken(world)) })],
    ["a user with only an assertion", () => ({ form: jwtBearerForm(userToken(world)) })],
    [
      "a user with subject_token_type jwt",
      () => ({ form: exchangeForm(userToken(world), { subject_token_type: "urn:ietf:params:oauth:token-type:jwt" }) }),
    ],
    [
      "a user with the same token as Bearer token and subject_token",
      () => {
        const token = userToken(world);
        return { form: exchangeForm(token), headers: bearer(token) };
      },
    ],
    [
      "a user with the same token as Bearer token and assertion",
      () => {
        const token = userToken(world);
        return { form: jwtBearerForm(token), headers: bearer(token) };
      },
    ],
    [
      "a user with its client_id in upper case",
      () => ({ form: exchangeForm(userToken(world), { client_id: CLIENT_IDS.web.toUpperCase() }) }),
    ],
    ["a user of a public client", () => ({ form: exchangeForm(userToken(world, { client: "public" })) })],
    [
      "an application with a Bearer token",
      () => ({ form: exchangeForm(userToken(world)), headers: bearer(appToken(world)) }),
    ],
    [
      "an application with a client assertion",
      () => ({ form: exchangeForm(userToken(world), clientAssertion(appToken(world))) }),
    ],
    [
      "an application with a client assertion and its client_id",
      () => ({
        form: jwtBearerForm(userToken(world), { ...clientAssertion(appToken(world)), client_id: CLIENT_IDS.web }),
      }),
    ],
    [
      "an application with the Bearer scheme in lower case",
      () => ({ form: exchangeForm(userToken(world)), headers: { authorization: `bearer ${appToken(world)}` } }),
    ],
  ];

  test.each(served)("%s", async (_title, request) => {
    const { form, headers } = request();
    const answer = await post(form, headers);
    expect(answer.json()).toMatchObject({ token_type: "Bearer" });
    const released = claimsOf(String(answer.json()["access_token"]));
    expect(released).toMatchObject({
      oid: USER_IDS.alice,
      aud: "https://graph.microsoft.com",
      appid: CLIENT_IDS.service,
    });
    expect(tokenRequests()).toBe(1);
  });

  test("with an explicit subject client, the scopes must be in both lists", async () => {
    const policy = policyWith(({ callers }) => {
      Object.assign(callers.find(({ name }) => name === "web-backend") ?? {}, { subjectClients: [CLIENT_IDS.public] });
      Object.assign(callers.find(({ name }) => name === "public-users") ?? {}, { apis: { graph: ["Mail.Read"] } });
    });
    const narrow = world.serve({ settings: { POLICY: policy } });
    const request = (scope: string) =>
      post(exchangeForm(userToken(world, { client: "public" }), { scope }), bearer(appToken(world)), narrow);
    expectRefusal(await request("User.Read"), 400, "invalid_scope", "scope_not_allowed");
    // Entra returns User.Read too. Only one of the lists has it, so the service does not release the token.
    expect((await request("Mail.Read")).json()).toMatchObject({ code: "scope_surplus" });
    expect(narrow.lastEvent()).toMatchObject({
      callerKind: "application",
      callerClientId: CLIENT_IDS.web,
      subjectClientId: CLIENT_IDS.public,
      subjectObjectId: USER_IDS.alice,
      scopesAsked: ["Mail.Read"],
    });
  });
});

describe("POST /oauth2/token selects the API", () => {
  const graph = "https://graph.microsoft.com";
  const orders = "https://api.contoso.local/orders";
  /** A token exchange without `audience`, unless `more` has one. */
  const exchange = (more: readonly (readonly [string, string])[], at = service) => {
    const { audience: _audience, ...form } = exchangeForm(userToken(world));
    return post([...Object.entries(form), ...more], {}, at);
  };

  test.each([
    ["audience", [["audience", "orders"]], orders],
    ["resource", [["resource", orders]], orders],
    ["a scope qualified with the resource", [["scope", `${orders}/Orders.Read`]], orders],
    [
      "an audience and a resource that agree",
      [
        ["audience", "graph"],
        ["resource", graph],
      ],
      graph,
    ],
    [
      "the same audience twice",
      [
        ["audience", "graph"],
        ["audience", "graph"],
      ],
      graph,
    ],
    [
      "an audience and unqualified scopes",
      [
        ["audience", "graph"],
        ["scope", "Mail.Read"],
      ],
      graph,
    ],
    [
      "an audience and qualified scopes",
      [
        ["audience", "graph"],
        ["scope", `${graph}/User.Read openid profile email`],
      ],
      graph,
    ],
    [
      "an audience and an empty resource, which counts as absent",
      [
        ["resource", ""],
        ["audience", "orders"],
      ],
      orders,
    ],
  ] as [string, [string, string][], string][])("from %s", async (_title, more, resource) => {
    const answer = await exchange(more);
    expect(answer.status).toBe(200);
    const { aud } = claimsOf(String(answer.json()["access_token"]));
    expect(aud).toBe(resource === graph ? graph : CLIENT_IDS.orders);
    expect(world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form?.["scope"]).toContain(`${resource}/`);
  });

  test.each([
    ["no API, where the caller has two", [], "invalid_target", "api_not_named"],
    [
      "two audiences",
      [
        ["audience", "graph"],
        ["audience", "orders"],
      ],
      "invalid_target",
      "api_ambiguous",
    ],
    [
      "an audience and a resource that differ",
      [
        ["audience", "graph"],
        ["resource", orders],
      ],
      "invalid_target",
      "api_ambiguous",
    ],
    [
      "scopes of two resources",
      [["scope", `${graph}/User.Read ${orders}/Orders.Read`]],
      "invalid_target",
      "api_ambiguous",
    ],
    [
      "an audience and a scope of another API",
      [
        ["audience", "graph"],
        ["scope", `${orders}/Orders.Read`],
      ],
      "invalid_target",
      "api_ambiguous",
    ],
    ["an unknown audience", [["audience", "mail"]], "invalid_target", "api_unknown"],
    ["an audience in another case", [["audience", "Graph"]], "invalid_target", "api_unknown"],
    ["the audience __proto__", [["audience", "__proto__"]], "invalid_target", "api_unknown"],
    ["the audience constructor", [["audience", "constructor"]], "invalid_target", "api_unknown"],
    ["the resource as audience", [["audience", graph]], "invalid_target", "api_unknown"],
    ["another API's resource with a trailing slash", [["resource", `${orders}/`]], "invalid_target", "api_unknown"],
    ["another API's resource in upper case", [["resource", orders.toUpperCase()]], "invalid_target", "api_unknown"],
    ["the resource with a fragment", [["resource", `${graph}#x`]], "invalid_target", "api_unknown"],
    [
      "a known and an unknown resource",
      [
        ["resource", graph],
        ["resource", "https://vault.azure.net"],
      ],
      "invalid_target",
      "api_unknown",
    ],
    [
      "a scope of an unknown resource",
      [["scope", "https://vault.azure.net/.default"]],
      "invalid_target",
      "api_unknown",
    ],
    [
      "a scope with another API's resource in upper case",
      [["scope", `${orders.toUpperCase()}/Orders.Read`]],
      "invalid_target",
      "api_unknown",
    ],
    [
      "a scope that the policy does not list",
      [
        ["audience", "graph"],
        ["scope", "Mail.Send"],
      ],
      "invalid_scope",
      "scope_not_allowed",
    ],
    [
      "two scopes of which the policy lists one",
      [
        ["audience", "graph"],
        ["scope", "User.Read Mail.Send"],
      ],
      "invalid_scope",
      "scope_not_allowed",
    ],
    [
      "a scope of another API in another case",
      [
        ["audience", "orders"],
        ["scope", "orders.read"],
      ],
      "invalid_scope",
      "scope_not_allowed",
    ],
    ["a scope with a second slash", [["scope", `${orders}//Orders.Read`]], "invalid_scope", "scope_not_allowed"],
    [
      "a percent-encoded scope",
      [
        ["audience", "graph"],
        ["scope", "User%2ERead"],
      ],
      "invalid_scope",
      "scope_not_allowed",
    ],
    [
      "a scope of an application id that the policy does not have",
      [
        ["scope", "499b84ac-1321-427f-aa17-267ca6975798/user_impersonation"],
        ["audience", "graph"],
      ],
      "invalid_target",
      "api_unknown",
    ],
    [
      "an unqualified scope of another API",
      [
        ["audience", "graph"],
        ["scope", "Orders.Read"],
      ],
      "invalid_scope",
      "scope_not_allowed",
    ],
    [
      "a quotation mark in a scope",
      [
        ["audience", "graph"],
        ["scope", 'User.Read"'],
      ],
      "invalid_scope",
      "scope_malformed",
    ],
    [
      "a line break in a scope",
      [
        ["audience", "graph"],
        ["scope", "User.Read\r\nX: y"],
      ],
      "invalid_scope",
      "scope_malformed",
    ],
    [
      "NUL in a scope",
      [
        ["audience", "graph"],
        ["scope", "User.Read\0"],
      ],
      "invalid_scope",
      "scope_malformed",
    ],
    [
      "a non-ASCII letter in a scope",
      [
        ["audience", "graph"],
        ["scope", "Usеr.Read"],
      ],
      "invalid_scope",
      "scope_malformed",
    ],
    [
      "a tab between scopes",
      [
        ["audience", "graph"],
        ["scope", "User.Read\tMail.Read"],
      ],
      "invalid_scope",
      "scope_malformed",
    ],
  ] as [string, [string, string][], string, string][])("refuses %s", async (_title, more, error, code) => {
    expectRefusal(await exchange(more), 400, error, code);
  });

  test("refuses an API that the caller's entry does not list", async () => {
    const answer = await post(exchangeForm(userToken(world, { client: "public" }), { audience: "orders" }));
    expectRefusal(answer, 400, "invalid_target", "api_not_allowed");
  });

  test("from a request that names none, if the policy has only one", async () => {
    const POLICY = policyWith(({ apis, callers }) => {
      delete apis["orders"];
      for (const { apis: lists } of callers) {
        delete (lists as Record<string, unknown>)["orders"];
      }
    });
    const answer = await exchange([], world.serve({ settings: { POLICY } }));
    expect(claimsOf(String(answer.json()["access_token"]))["aud"]).toBe(graph);
  });
});

describe("POST /oauth2/token refuses the request", () => {
  const base = () => exchangeForm(userToken(world));
  test.each([
    ["no grant_type", () => ({ subject_token: "x" }), "invalid_request", "parameter_missing"],
    [
      "an unknown grant_type",
      () => ({ grant_type: "urn:ietf:params:oauth:grant-type:saml2-bearer" }),
      "unsupported_grant_type",
      "unsupported_grant_type",
    ],
    [
      "the grant_type __proto__",
      () => ({ grant_type: "__proto__" }),
      "unsupported_grant_type",
      "unsupported_grant_type",
    ],
    [
      "the device code grant",
      () => ({ grant_type: "urn:ietf:params:oauth:grant-type:device_code" }),
      "unsupported_grant_type",
      "unsupported_grant_type",
    ],
    [
      "grant_type in upper case",
      () => ({ ...base(), grant_type: TOKEN_EXCHANGE.toUpperCase() }),
      "unsupported_grant_type",
      "unsupported_grant_type",
    ],
    [
      "no subject_token",
      () => ({ grant_type: TOKEN_EXCHANGE, subject_token_type: ACCESS_TOKEN }),
      "invalid_request",
      "parameter_missing",
    ],
    ["an empty subject_token", () => ({ ...base(), subject_token: "" }), "invalid_request", "parameter_missing"],
    [
      "no subject_token_type",
      () => ({ grant_type: TOKEN_EXCHANGE, subject_token: "x" }),
      "invalid_request",
      "parameter_missing",
    ],
    [
      "subject_token_type id_token",
      () => ({ ...base(), subject_token_type: "urn:ietf:params:oauth:token-type:id_token" }),
      "invalid_request",
      "parameter_invalid",
    ],
    [
      "actor_token without actor_token_type",
      () => ({ ...base(), actor_token: "x" }),
      "invalid_request",
      "parameter_missing",
    ],
    [
      "actor_token_type without actor_token",
      () => ({ ...base(), actor_token_type: ACCESS_TOKEN }),
      "invalid_request",
      "parameter_missing",
    ],
    [
      "requested_token_type refresh_token",
      () => ({ ...base(), requested_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }),
      "invalid_request",
      "parameter_not_supported",
    ],
    [
      "jwt-bearer without requested_token_use",
      () => ({ grant_type: JWT_BEARER, assertion: "x" }),
      "invalid_request",
      "parameter_missing",
    ],
    [
      "jwt-bearer with another requested_token_use",
      () => ({ ...jwtBearerForm("x"), requested_token_use: "exchange" }),
      "invalid_request",
      "parameter_invalid",
    ],
    [
      "jwt-bearer without an assertion",
      () => ({ grant_type: JWT_BEARER, requested_token_use: "on_behalf_of" }),
      "invalid_request",
      "parameter_missing",
    ],
    [
      "the refresh token grant without refresh_token",
      () => ({ grant_type: "refresh_token" }),
      "invalid_request",
      "parameter_missing",
    ],
    ["claims that are not JSON", () => ({ ...base(), claims: "nothing" }), "invalid_request", "parameter_invalid"],
    [
      "claims with an unknown member",
      () => ({ ...base(), claims: '{"userinfo":{}}' }),
      "invalid_request",
      "parameter_invalid",
    ],
    ["claims that are a list", () => ({ ...base(), claims: "[]" }), "invalid_request", "parameter_invalid"],
    [
      "claims of 5 KB",
      () => ({ ...base(), claims: JSON.stringify({ access_token: { x: { value: "y".repeat(5_000) } } }) }),
      "invalid_request",
      "parameter_invalid",
    ],
  ] as [string, () => Form, string, string][])("%s", async (_title, form, error, code) => {
    expectRefusal(await post(form()), 400, error, code);
  });

  test("the password grant, without reading its parameters; the answer lists the supported grant types", async () => {
    const answer = await post({
      grant_type: "password",
      username: "alice@contoso.local",
      password: "hunter2",
      client_secret: "s",
    });
    expectRefusal(answer, 400, "unsupported_grant_type", "unsupported_grant_type");
    expect(answer.json()["error_description"]).toMatch(/token-exchange.*jwt-bearer.*refresh_token.*client_credentials/);
    expect(answer.text + service.logs.at(-1)).not.toMatch(/hunter2|alice@/);
  });

  test("an Entra refresh token from a caller that may not import one", async () => {
    const answer = await post({ grant_type: "refresh_token", refresh_token: "1.AXabc" }, bearer(userToken(world)));
    expectRefusal(answer, 400, "unauthorized_client", "import_not_allowed");
  });

  test("offline_access from a caller whose entry does not allow it", async () => {
    const answer = await post(
      exchangeForm(userToken(world, { client: "public" }), { scope: "User.Read offline_access" }),
    );
    expectRefusal(answer, 400, "invalid_scope", "offline_access_not_allowed");
  });
});

describe("POST /oauth2/token with client_credentials", () => {
  const form = { grant_type: "client_credentials", audience: "graph" };

  test("is refused unless the app-only registration is configured", async () => {
    const off = world.serve({ settings: withoutApplicationOnly() });
    for (const client of ["daemon", "web"]) {
      const answer = await post(form, bearer(appToken(world, { client })), off);
      expectRefusal(answer, 400, "unauthorized_client", "flow_not_allowed");
    }
  });

  test("returns the app-only registration's token, only to the entitled application", async () => {
    const app = world.serve({ settings: applicationOnlySettings() });
    expectRefusal(await post(form, bearer(appToken(world)), app), 400, "unauthorized_client", "flow_not_allowed");
    expectRefusal(await post(form, bearer(userToken(world)), app), 400, "unauthorized_client", "application_required");
    expectRefusal(
      await post({ ...form, scope: "User.Read" }, bearer(appToken(world, { client: "daemon" })), app),
      400,
      "invalid_scope",
      "scope_not_allowed",
    );

    const answer = await post(form, bearer(appToken(world, { client: "daemon" })), app);
    expect(Object.keys(answer.json()).sort()).toEqual([
      "access_token",
      "expires_in",
      "issued_token_type",
      "token_type",
    ]);
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({
      appid: CLIENT_IDS.appOnly,
      roles: ["User.Read.All"],
    });
    const again = await post({ ...form, ...clientAssertion(appToken(world, { client: "daemon" })) }, {}, app);
    expect(again.json()["access_token"]).toBe(answer.json()["access_token"]);
    expect(tokenRequests()).toBe(1);
  });

  test("an entry that lists delegated scopes only does not give every application permission", async () => {
    const settings = applicationOnlySettings();
    const policy = JSON.parse(settings["POLICY"] ?? "");
    const daemon = policy.callers.find(({ name }: { name: string }) => name === "daemon");
    policy.apis.orders.scopes.push(".default");
    daemon.apis = { graph: ["User.Read"], orders: [".default"] };
    const app = world.serve({ settings: { ...settings, POLICY: JSON.stringify(policy) } });
    expectRefusal(
      await post(form, bearer(appToken(world, { client: "daemon" })), app),
      400,
      "invalid_scope",
      "scope_not_allowed",
    );
  });
});

describe("the answer of POST /oauth2/token", () => {
  const STANDARD = ["access_token", "expires_in", "issued_token_type", "scope", "token_type"];

  test("has exactly the members of RFC 6749 and RFC 8693 and forbids caching", async () => {
    const subject = userToken(world);
    const answer = await post(exchangeForm(subject, { scope: "openid profile Mail.Read" }));
    const body = answer.json();
    expect(answer.status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(STANDARD);
    expect(body).toMatchObject({ token_type: "Bearer", issued_token_type: ACCESS_TOKEN });
    expect(String(body["scope"]).split(" ").sort()).toEqual(["Mail.Read", "User.Read"]);
    const ends = [subject, String(body["access_token"])].map((token) => Number(claimsOf(token)["exp"]));
    expect(Math.abs(Math.min(...ends) - Date.now() / 1_000 - Number(body["expires_in"]))).toBeLessThan(5);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "cache-control": "no-store",
      pragma: "no-cache",
      "content-type": "application/json; charset=utf-8",
    });
  });

  test("never contains Entra's refresh token, ID token or client info", async () => {
    const answer = await post(jwtBearerForm(userToken(world)));
    const sent = world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form;
    expect(sent).toMatchObject({ client_info: "1", scope: expect.stringContaining("offline_access") });
    expect(Object.keys(answer.json()).sort()).toEqual(STANDARD);
    expect(answer.text).not.toContain("1.AX");
  });

  test("with offline_access adds the grant handle and its expiry", async () => {
    const answer = await post(exchangeForm(userToken(world), { scope: "User.Read offline_access" }));
    expect(Object.keys(answer.json()).sort()).toEqual([...STANDARD, "grant_expires_on", "refresh_token"].sort());
    expect(answer.json()["refresh_token"]).toMatch(/^gte_[A-Za-z0-9_-]{43}$/);
  });

  test("carries the correlation id that Entra received: the caller's, or a new one", async () => {
    const given = "0f0e0d0c-0b0a-4908-8706-050403020100";
    const named = await post(exchangeForm(userToken(world)), { "client-request-id": given });
    expect(named.headers.get("client-request-id")).toBe(given);
    const made = await post(exchangeForm(userToken(world)), { "client-request-id": "not a guid\t" });
    const sent = world.tenant.state.requests({ endpoint: "token" }).map(({ query }) => query["client-request-id"]);
    expect(sent).toEqual([given, made.headers.get("client-request-id")]);
    expect(service.lastEvent()["correlationId"]).toBe(sent[1]);
  });

  test("carries the correlation id that Entra received, also if Entra refused", async () => {
    world.tenant.state.order({ endpoint: "token", aadsts: 65001 });
    const answer = await post(exchangeForm(userToken(world)));
    const sent = world.tenant.state.requests({ endpoint: "token" }).at(-1)?.query["client-request-id"];
    expect(answer.json()["correlation_id"]).toBe(sent);
    expect(service.lastEvent()["correlationId"]).toBe(sent);
  });
});
