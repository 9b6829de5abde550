/**
 * Sends each confused token to each route that reads a token. The route must refuse it with its documented error, write the
 * reason to the audit event, request only the keys of Entra and repeat no part of the token.
 */
import { expect, test } from "vitest";
import { TENANT_ID } from "../../local/tenant/directory/seed-ids.ts";
import type { TokenRefusal } from "../../shared/core/token-refusal.ts";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  jwtBearerForm,
  userToken,
} from "../support/callers.ts";
import { CONFUSED_TOKENS } from "../support/confused-tokens.ts";
import type { Answer, Call } from "../support/service-under-test.ts";
import { CALLER_REFUSALS, GENERIC, SUBJECT_REFUSALS } from "../support/token-refusals.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

interface Route {
  readonly where: string;
  readonly path: string;
  readonly call: (token: string) => Call;
  /** What the refused token is to the route. */
  readonly as: "caller" | "client" | "subject_token" | "assertion";
}

const ROUTES: readonly Route[] = [
  { where: "header route", path: "/AuthorizationHeader/graph", call: asBearer(), as: "caller" },
  { where: "header route, POST", path: "/AuthorizationHeader/graph", call: asBearer({ json: {} }), as: "caller" },
  {
    where: "application's header route",
    path: "/AuthorizationHeaderUnauthenticated/graph",
    call: asBearer(),
    as: "caller",
  },
  { where: "Validate", path: "/Validate", call: asBearer(), as: "caller" },
  { where: "grants", path: "/grants", call: asBearer(), as: "caller" },
  {
    where: "revoke",
    path: "/oauth2/revoke",
    call: asBearer({ form: { token: `gte_${"A".repeat(43)}` } }),
    as: "client",
  },
  {
    where: "bearer of the token route",
    path: "/oauth2/token",
    call: (token) => ({ headers: bearer(token), form: exchangeForm(token) }),
    as: "client",
  },
  {
    where: "client assertion",
    path: "/oauth2/token",
    call: (token) => ({ form: exchangeForm(userToken(world), clientAssertion(token)) }),
    as: "client",
  },
  {
    where: "subject token",
    path: "/oauth2/token",
    call: (token) => ({ form: exchangeForm(token) }),
    as: "subject_token",
  },
  { where: "assertion", path: "/oauth2/token", call: (token) => ({ form: jwtBearerForm(token) }), as: "assertion" },
  {
    where: "subject token of an application",
    path: "/oauth2/token",
    call: (token) => ({ headers: bearer(appToken(world)), form: exchangeForm(token) }),
    as: "subject_token",
  },
];

function asBearer(more: Call = {}): Route["call"] {
  return (token) => ({ headers: bearer(token), ...more });
}

/** The answer that a route must give, from the table of all reasons. */
function expected(reason: TokenRefusal, as: Route["as"]) {
  const [code, problem, oauth, action] = CALLER_REFUSALS[reason];
  switch (as) {
    case "caller":
      return { status: problem, code, action, error: problem === 401 ? "invalid_token" : "insufficient_scope" };
    case "client":
      return { status: oauth, code, action, error: oauth === 401 ? "invalid_client" : "unauthorized_client" };
    default: {
      const known: readonly [string, string] = [code === "caller_refused" ? "subject_refused" : code, action];
      const [subjectCode, subjectAction] = SUBJECT_REFUSALS[reason] ?? known;
      const error = as === "subject_token" ? "invalid_request" : "invalid_grant";
      return { status: 400, code: subjectCode, action: subjectAction, error };
    }
  }
}

const messageOf = (answer: Answer) => String(answer.json()["detail"] ?? answer.json()["error_description"]);

test.each(CONFUSED_TOKENS)("$id $title: refused by every route that reads a token", async ({ mint, reason }) => {
  const token = mint(world.tenant.state);
  const tail = token.split(".").at(-1) || token;
  for (const { where, path, call, as } of ROUTES) {
    const answer = await service.call(path, call(token));
    const wanted = expected(reason, as);
    const challenged = answer.headers.has("www-authenticate");
    expect({ where, status: answer.status, challenged, ...answer.json() }).toMatchObject({
      where,
      challenged: wanted.status === 401 || wanted.status === 403,
      ...wanted,
    });
    expect({ where, ...service.lastEvent() }).toMatchObject({ where, outcome: "refused", code: wanted.code, reason });
    expect(JSON.stringify([answer.text, [...answer.headers], service.logs.at(-1)])).not.toContain(tail);
    for (const value of valuesOf(token)) {
      expect(`${messageOf(answer)} ${answer.headers.get("www-authenticate")}`, where).not.toContain(value);
    }
  }
  expect(world.tenant.state.requestCounts()).not.toMatchObject({ token: expect.anything() });
  expect(world.tenant.state.requestCounts()).not.toMatchObject({ other: expect.anything() });
});

/** The values of a token's claims that are not also settings of the service or names in its messages. */
function valuesOf(token: string): string[] {
  const payload = token.split(".")[1] ?? "";
  let claims: Record<string, unknown> = {};
  try {
    claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) ?? {};
  } catch {
    return [];
  }
  const own = [TENANT_ID, CLIENT_IDS.service, `api://${CLIENT_IDS.service}`, "access_as_user", "Exchange.Call"];
  return Object.values(claims).filter(
    (value): value is string =>
      typeof value === "string" && value.length > 8 && !own.some((one) => value.includes(one)),
  );
}

test("a forger gets the same answer for every forged token, on every route", async () => {
  const forged = CONFUSED_TOKENS.filter(({ reason }) => CALLER_REFUSALS[reason] === GENERIC);
  expect(forged.length).toBeGreaterThan(20);
  for (const { where, path, call } of ROUTES) {
    const answers = new Set<string>();
    for (const { mint } of forged) {
      const { status, headers, text } = await service.call(path, call(mint(world.tenant.state)));
      const { correlation_id: id, ...body } = JSON.parse(text) as Record<string, unknown>;
      const sent = [...headers].map(([name, value]) => [name, value.replaceAll(String(id), "")]);
      answers.add(JSON.stringify([status, sent, body]));
    }
    expect(answers.size, where).toBe(1);
  }
});

test("tokens with 200 unknown key ids cause at most one request for each key set of Entra (SEC-19)", async () => {
  await service.call("/Validate", { headers: bearer(userToken(world)) });
  world.tenant.state.clearLog();
  const forged = Array.from({ length: 200 }, (_, index) =>
    world.tenant.state.mintUserToken({ header: { kid: `k${index}` } }),
  );
  await Promise.all(forged.map((token) => service.call("/Validate", { headers: bearer(token) })));
  const asked = world.tenant.state.requests({ endpoint: "jwks" }).map(({ query }) => query["appid"]);
  expect(asked.filter((appId) => appId === undefined).length).toBeLessThanOrEqual(1);
  expect(asked.filter((appId) => appId !== undefined).length).toBeLessThanOrEqual(1);
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
