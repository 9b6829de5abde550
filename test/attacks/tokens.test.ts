/**
 * Sends each confused token to each route that reads a token. The route must refuse it with its documented error, write the
 * reason to the audit event, request only the keys of Entra and repeat no part of the token.
 */
import { expect, test } from "vitest";
import { appToken, bearer, clientAssertion, exchangeForm, jwtBearerForm, userToken } from "../support/callers.ts";
import { CONFUSED_TOKENS } from "../support/confused-tokens.ts";
import type { Call } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

type Route = [where: string, path: string, call: (token: string) => Call, status: number, error: string, code: string];

const ROUTES: Route[] = [
  [
    "header route",
    "/AuthorizationHeader/graph",
    (token) => ({ headers: bearer(token) }),
    401,
    "invalid_token",
    "caller_refused",
  ],
  [
    "header route, POST",
    "/AuthorizationHeader/graph",
    (token) => ({ headers: bearer(token), json: {} }),
    401,
    "invalid_token",
    "caller_refused",
  ],
  [
    "application's header route",
    "/AuthorizationHeaderUnauthenticated/graph",
    (token) => ({ headers: bearer(token) }),
    401,
    "invalid_token",
    "caller_refused",
  ],
  ["Validate", "/Validate", (token) => ({ headers: bearer(token) }), 401, "invalid_token", "caller_refused"],
  ["grants", "/grants", (token) => ({ headers: bearer(token) }), 401, "invalid_token", "caller_refused"],
  [
    "revoke",
    "/oauth2/revoke",
    (token) => ({ headers: bearer(token), form: { token: `gte_${"A".repeat(43)}` } }),
    401,
    "invalid_client",
    "caller_refused",
  ],
  [
    "bearer of the token route",
    "/oauth2/token",
    (token) => ({ headers: bearer(token), form: exchangeForm(token) }),
    401,
    "invalid_client",
    "caller_refused",
  ],
  [
    "client assertion",
    "/oauth2/token",
    (token) => ({ form: exchangeForm(userToken(world), clientAssertion(token)) }),
    401,
    "invalid_client",
    "caller_refused",
  ],
  [
    "subject token",
    "/oauth2/token",
    (token) => ({ form: exchangeForm(token) }),
    400,
    "invalid_request",
    "subject_refused",
  ],
  ["assertion", "/oauth2/token", (token) => ({ form: jwtBearerForm(token) }), 400, "invalid_grant", "subject_refused"],
  [
    "subject token of an application",
    "/oauth2/token",
    (token) => ({ headers: bearer(appToken(world)), form: exchangeForm(token) }),
    400,
    "invalid_request",
    "subject_refused",
  ],
];

test.each(CONFUSED_TOKENS)("$id $title: refused by every route that reads a token", async ({ mint, reason }) => {
  const token = mint(world.tenant.state);
  const tail = token.split(".").at(-1) || token;
  for (const [where, path, call, status, error, code] of ROUTES) {
    const answer = await service.call(path, call(token));
    const challenged = answer.headers.has("www-authenticate");
    expect({ where, status: answer.status, challenged, ...answer.json() }).toMatchObject({
      where,
      status,
      challenged: status === 401,
      error,
      code,
    });
    expect({ where, ...service.lastEvent() }).toMatchObject({ where, outcome: "refused", code, reason });
    expect(JSON.stringify([answer.text, [...answer.headers], service.logs.at(-1)])).not.toContain(tail);
  }
  expect(world.tenant.state.requestCounts()).not.toMatchObject({ token: expect.anything() });
  expect(world.tenant.state.requestCounts()).not.toMatchObject({ other: expect.anything() });
});

test("tokens with 200 unknown key ids cause at most one request for the keys of Entra (SEC-19)", async () => {
  await service.call("/Validate", { headers: bearer(userToken(world)) });
  world.tenant.state.clearLog();
  const forged = Array.from({ length: 200 }, (_, index) =>
    world.tenant.state.mintUserToken({ header: { kid: `k${index}` } }),
  );
  await Promise.all(forged.map((token) => service.call("/Validate", { headers: bearer(token) })));
  expect(world.tenant.state.requestCounts()["jwks"] ?? 0).toBeLessThanOrEqual(1);
  expect((await service.call("/Validate", { headers: bearer(userToken(world)) })).status).toBe(200);
});

test("a token with the name and email address of another user is exchanged for the user in oid (TK-13, nOAuth)", async () => {
  const impersonating = {
    upn: "bob@contoso.local",
    email: "bob@contoso.local",
    preferred_username: "bob@contoso.local",
    unique_name: "bob@contoso.local",
  };
  const answer = await service.call("/AuthorizationHeader/graph", {
    headers: bearer(userToken(world, { claims: impersonating })),
  });
  const token = String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
  expect(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
    unique_name: "alice@contoso.local",
  });
});

test("a groups overage and unknown claims are ignored, and the groups are not requested (TK-20)", async () => {
  const claims = {
    hasgroups: true,
    _claim_names: { groups: "src1" },
    _claim_sources: { src1: { endpoint: `${world.tenant.url}/v1.0/users/x/getMemberObjects` } },
    __proto__: { admin: true },
    constructor: { prototype: { admin: true } },
  };
  const answer = await service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world, { claims })) });
  expect(answer.status).toBe(200);
  expect(world.tenant.state.requestCounts()["graph"] ?? 0).toBe(0);
  expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
});

test("a guest's token is accepted with ALLOW_GUESTS", async () => {
  const permissive = world.serve({ settings: { ALLOW_GUESTS: "true" } });
  const guest = userToken(world, { user: "dave" });
  expect((await permissive.call("/AuthorizationHeader/graph", { headers: bearer(guest) })).status).toBe(200);
});

test("a v1 token is accepted only with a configured audience", async () => {
  const audience = `api://${"5e471ce0-0000-4000-8000-000000000001"}`;
  const permissive = world.serve({ settings: { V1_TOKEN_AUDIENCES: audience } });
  world.tenant.state.changeRegistration({ app: "service", tokenVersion: 1 });
  const [v1, other] = [userToken(world), userToken(world, { claims: { aud: `${audience}/` } })];
  world.tenant.state.changeRegistration({ app: "service", tokenVersion: 2 });
  expect((await permissive.call("/Validate", { headers: bearer(v1) })).status).toBe(200);
  expect((await permissive.call("/Validate", { headers: bearer(other) })).status).toBe(401);
  expect((await service.call("/Validate", { headers: bearer(v1) })).status).toBe(401);
  expect((await permissive.call("/Validate", { headers: bearer(userToken(world)) })).status).toBe(200);
});
