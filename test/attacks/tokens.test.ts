/**
 * Every confused token (4.2) through every route that reads one: refused in the route's own words, with the
 * reason in the audit trail, nothing asked of Entra but its keys, and nothing of the token repeated.
 */
import { expect, test } from "vitest";
import { appToken, bearer, clientAssertion, exchangeForm, jwtBearerForm, userToken } from "../support/callers.ts";
import { CONFUSED_TOKENS } from "../support/confused-tokens.ts";
import type { Call } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

type Presented = [
  where: string,
  path: string,
  call: (token: string) => Call,
  status: number,
  error: string,
  code: string,
];

const PRESENTED: Presented[] = [
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
    (token) => ({ headers: bearer(token), form: { token: "gte_x" } }),
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

/** One token, everywhere that a token is read. */
test.each(CONFUSED_TOKENS)("$id $title: refused everywhere", async ({ mint, reason }) => {
  const token = mint(world.tenant.state);
  const tail = token.split(".").at(-1) || token;
  for (const [where, path, call, status, error, code] of PRESENTED) {
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

test("a thousand invented key ids cost Entra one more reading of its keys (SEC-19)", async () => {
  await service.call("/Validate", { headers: bearer(userToken(world)) });
  world.tenant.state.clearLog();
  const forged = Array.from({ length: 200 }, (_, index) =>
    world.tenant.state.mintUserToken({ header: { kid: `k${index}` } }),
  );
  await Promise.all(forged.map((token) => service.call("/Validate", { headers: bearer(token) })));
  expect(world.tenant.state.requestCounts()["jwks"] ?? 0).toBeLessThanOrEqual(1);
  expect((await service.call("/Validate", { headers: bearer(userToken(world)) })).status).toBe(200);
});

test("names and mail addresses never decide (TK-13, nOAuth)", async () => {
  const posing = {
    upn: "bob@contoso.local",
    email: "bob@contoso.local",
    preferred_username: "bob@contoso.local",
    unique_name: "bob@contoso.local",
  };
  const answer = await service.call("/AuthorizationHeader/graph", {
    headers: bearer(userToken(world, { claims: posing })),
  });
  const token = String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
  expect(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
    unique_name: "alice@contoso.local",
  });
});

test("overage and unknown claims change nothing and are not fetched (TK-20)", async () => {
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

test("a guest is served where the setting says so", async () => {
  const open = world.serve({ settings: { ALLOW_GUESTS: "true" } });
  const guest = userToken(world, { user: "dave" });
  expect((await open.call("/AuthorizationHeader/graph", { headers: bearer(guest) })).status).toBe(200);
});

test("v1 tokens are served where an audience is configured, and only with it", async () => {
  const audience = `api://${"5e471ce0-0000-4000-8000-000000000001"}`;
  const open = world.serve({ settings: { V1_TOKEN_AUDIENCES: audience } });
  world.tenant.state.changeRegistration({ app: "service", tokenVersion: 1 });
  const [v1, other] = [userToken(world), userToken(world, { claims: { aud: `${audience}/` } })];
  world.tenant.state.changeRegistration({ app: "service", tokenVersion: 2 });
  expect((await open.call("/Validate", { headers: bearer(v1) })).status).toBe(200);
  expect((await open.call("/Validate", { headers: bearer(other) })).status).toBe(401);
  expect((await service.call("/Validate", { headers: bearer(v1) })).status).toBe(401);
  expect((await open.call("/Validate", { headers: bearer(userToken(world)) })).status).toBe(200);
});
