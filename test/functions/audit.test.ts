/**
 * The audit trail: exactly one event for every decision, with the documented members and no others. The values are
 * identifiers and codes, never a name, an address or text that a caller or Entra wrote.
 */
import { describe, expect, test } from "vitest";
import {
  appToken,
  bearer,
  CLIENT_IDS,
  exchangeForm,
  type CLIENT_IDS as Ids,
  USER_IDS,
  userToken,
} from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

const ALWAYS = ["event", "time", "outcome", "code", "status", "policy", "route", "correlationId", "milliseconds"];
const AUTHENTICATED = ["clientAuthentication"];
const CALLER = [
  ...AUTHENTICATED,
  "callerKind",
  "callerClientId",
  "callerObjectId",
  "callerUnderstandsChallenge",
  "callerTokenId",
];
const SUBJECT = ["subjectObjectId", "subjectClientId", "subjectTokenId"];
const DECIDED = ["policyEntry", "registration", "api", "scopesAsked"];
const ACQUIRED = ["cache", "scopesReturned"];
const ENTRA = ["entraTraceId", "aadsts", "reason"];

const post = (form: Record<string, string>, headers: Record<string, string> = {}, at = service) =>
  at.call("/oauth2/token", { form, headers });

interface Row {
  title: string;
  call: () => Promise<Answer>;
  event: Record<string, unknown>;
  members: string[];
}

const client = (name: keyof typeof Ids) => CLIENT_IDS[name];

const rows: Row[] = [
  {
    title: "issued: a user exchanges its own token",
    call: () => service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) }),
    event: {
      outcome: "issued",
      code: "ok",
      status: 200,
      route: "authorization-header",
      flow: "on-behalf-of",
      api: "graph",
      policyEntry: "web-users",
      callerKind: "user",
      callerClientId: client("web"),
      callerObjectId: USER_IDS.alice,
      subjectObjectId: USER_IDS.alice,
      cache: "miss",
      scopesAsked: ["Mail.Read", "User.Read"],
    },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, ...ACQUIRED],
  },
  {
    title: "issued: an application exchanges a user's token",
    call: () => post(exchangeForm(userToken(world)), bearer(appToken(world))),
    event: {
      outcome: "issued",
      route: "token",
      callerKind: "application",
      callerClientId: client("web"),
      subjectObjectId: USER_IDS.alice,
      subjectClientId: client("web"),
      policyEntry: "web-backend",
    },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, ...ACQUIRED],
  },
  {
    title: "issued: an exchange with offline_access",
    call: () => post(exchangeForm(userToken(world), { scope: "User.Read offline_access" }), bearer(appToken(world))),
    event: { outcome: "issued", grantMade: true, cache: "bypass", grantId: expect.stringMatching(/^[0-9a-f]{64}$/) },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, ...ACQUIRED, "grantId", "grantMade"],
  },
  {
    title: "issued: a grant redemption",
    call: async () => {
      const made = await post(
        exchangeForm(userToken(world), { scope: "User.Read offline_access" }),
        bearer(appToken(world)),
      );
      return post(
        { grant_type: "refresh_token", refresh_token: String(made.json()["refresh_token"]) },
        bearer(appToken(world)),
      );
    },
    event: { outcome: "issued", flow: "refresh-token", subjectObjectId: USER_IDS.alice, policyEntry: "web-backend" },
    members: ["flow", ...CALLER, "subjectObjectId", "grantId", ...DECIDED, ...ACQUIRED],
  },
  {
    title: "answered: /Validate",
    call: () => service.call("/Validate", { headers: bearer(userToken(world)) }),
    event: { outcome: "answered", code: "ok", route: "validate" },
    members: CALLER,
  },
  {
    title: "answered: /grants",
    call: () => service.call("/grants", { headers: bearer(userToken(world)) }),
    event: { outcome: "answered", code: "ok", route: "grants" },
    members: CALLER,
  },
  {
    title: "answered: revocation of an unknown token",
    call: () =>
      service.call("/oauth2/revoke", { form: { token: `gte_${"A".repeat(43)}` }, headers: bearer(userToken(world)) }),
    event: { outcome: "answered", code: "ok", route: "revoke" },
    members: [...CALLER, "grantId", "grantRevoked"],
  },
  {
    title: "answered: a user revokes an application's grant",
    call: async () => {
      const made = await post(
        exchangeForm(userToken(world), { scope: "User.Read offline_access" }),
        bearer(appToken(world)),
      );
      const token = String(made.json()["refresh_token"]);
      return service.call("/oauth2/revoke", { form: { token }, headers: bearer(userToken(world)) });
    },
    event: {
      route: "revoke",
      grantId: expect.stringMatching(/^[0-9a-f]{64}$/),
      grantRevoked: true,
      grantClientId: client("web"),
      subjectObjectId: USER_IDS.alice,
    },
    members: [...CALLER, "grantId", "grantRevoked", "grantClientId", "subjectObjectId"],
  },
  {
    title: "answered: another user's grant is not revoked, with its id",
    call: async () => {
      const made = await post(exchangeForm(userToken(world), { scope: "User.Read offline_access" }));
      const token = String(made.json()["refresh_token"]);
      return service.call("/oauth2/revoke", { form: { token }, headers: bearer(userToken(world, { user: "bob" })) });
    },
    event: { route: "revoke", grantId: expect.stringMatching(/^[0-9a-f]{64}$/), grantRevoked: false },
    members: [...CALLER, "grantId", "grantRevoked"],
  },
  {
    title: "refused: a scope that policy does not know, which is not recorded",
    call: () =>
      service.call("/AuthorizationHeader/graph", {
        json: { scopes: ["User.Read", "eyJ0eXAi.not-a.scope"] },
        headers: bearer(userToken(world)),
      }),
    event: { outcome: "refused", code: "scope_not_allowed", api: "graph", scopesAsked: ["User.Read"] },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, "reason"],
  },
  {
    title: "refused: no credentials",
    call: () => service.call("/AuthorizationHeader/graph"),
    event: { outcome: "refused", code: "caller_missing", status: 401 },
    members: ["flow"],
  },
  {
    title: "refused: an invalid caller token, with the reason",
    call: () =>
      service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world, { key: "unpublished" })) }),
    event: { outcome: "refused", code: "caller_refused", reason: "key_unknown", status: 401 },
    members: [...AUTHENTICATED, "flow", "reason"],
  },
  {
    title: "refused: an invalid request, with the parameter",
    call: () => post({ grant_type: "refresh_token" }),
    event: { outcome: "refused", code: "parameter_missing", reason: "refresh_token", status: 400 },
    members: ["reason"],
  },
  {
    title: "refused: another user's token, with the caller",
    call: () => post(exchangeForm(userToken(world, { user: "bob" })), bearer(userToken(world))),
    event: {
      outcome: "refused",
      code: "subject_not_the_caller",
      reason: "not_the_caller",
      callerObjectId: USER_IDS.alice,
    },
    members: ["flow", ...CALLER, "reason"],
  },
  {
    title: "refused: by a policy entry, with its name",
    call: () =>
      service.call("/AuthorizationHeader/orders", { headers: bearer(userToken(world, { client: "public" })) }),
    event: {
      outcome: "refused",
      code: "api_not_allowed",
      reason: "api_not_allowed",
      status: 403,
      policyEntry: "public-users",
      api: "orders",
      scopesAsked: [],
    },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, "reason"],
  },
  {
    title: "refused: a caller that is not in the policy",
    call: () =>
      service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world, { client: "stranger" })) }),
    event: { outcome: "refused", code: "caller_not_listed", status: 403, callerClientId: client("stranger") },
    members: ["flow", ...CALLER, ...SUBJECT, "reason"],
  },
  {
    title: "refused: another user's grant",
    call: async () => {
      const made = await post(exchangeForm(userToken(world), { scope: "User.Read offline_access" }));
      const grant = String(made.json()["refresh_token"]);
      return post({ grant_type: "refresh_token", refresh_token: grant }, bearer(userToken(world, { user: "bob" })));
    },
    event: {
      outcome: "refused",
      code: "grant_invalid",
      reason: "not_bound",
      callerObjectId: USER_IDS.bob,
      grantId: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
    members: ["flow", ...CALLER, "reason", "grantId"],
  },
  {
    title: "refused: by Entra, with its error codes",
    call: () => ordered({ aadsts: 65001, values: { user: "alice@contoso.local" } }),
    event: { outcome: "refused", code: "consent_required", aadsts: [65001], reason: "consent_required", status: 400 },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, ...ENTRA],
  },
  {
    title: "refused: an unsupported method",
    call: () => service.call("/oauth2/token", { method: "GET" }),
    event: { outcome: "refused", code: "method_not_allowed", status: 405 },
    members: [],
  },
  {
    title: "failed: Entra throttles",
    // Another user, so that the service does not refuse the rows below.
    call: () => ordered({ throttleSeconds: 60 }, "bob"),
    event: { outcome: "failed", code: "throttled", status: 429 },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED],
  },
  {
    title: "failed: Entra is down",
    call: () => ordered({ status: 503, body: "", times: 2 }),
    event: { outcome: "failed", code: "entra_unavailable", status: 503 },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED],
  },
  {
    title: "failed: Entra refuses the service's registration",
    call: () => ordered({ aadsts: 700016 }),
    event: { outcome: "failed", code: "registration_refused", aadsts: [700016], status: 500 },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, ...ENTRA],
  },
  {
    title: "failed: Entra returns more scopes than allowed",
    call: () =>
      ordered({
        status: 200,
        body: { access_token: "x", token_type: "Bearer", expires_in: 60, scope: "User.Read Mail.Send" },
      }),
    event: { outcome: "failed", code: "scope_surplus", status: 500, scopesReturned: ["User.Read", "Mail.Send"] },
    members: ["flow", ...CALLER, ...SUBJECT, ...DECIDED, ...ACQUIRED, "reason"],
  },
];

function ordered(order: Record<string, unknown>, user = "alice"): Promise<Answer> {
  world.tenant.state.order({ endpoint: "token", client: "service", ...order });
  return post(exchangeForm(userToken(world, { user })));
}

describe.each(rows)("$title", ({ call, event, members }) => {
  test("writes one audit event with exactly the documented members", async () => {
    const before = service.events().length;
    const answer = await call();
    const events = service.events().slice(before);
    const written = events.at(-1) ?? {};
    // Some rows first issue the grant that they redeem: two decisions, two events.
    expect(events.length).toBeLessThanOrEqual(2);
    expect(
      events.filter(({ correlationId }) => correlationId === answer.headers.get("client-request-id")),
    ).toHaveLength(1);
    expect(written).toMatchObject({ event: "exchange", status: answer.status, ...event });
    expect(
      Object.keys(written)
        .filter((name) => name !== "entraTraceId")
        .sort(),
    ).toEqual([...ALWAYS, ...members].filter((name) => name !== "entraTraceId").sort());
    expect(Date.parse(String(written["time"]))).toBeGreaterThan(Date.now() - 60_000);
    expect(JSON.stringify(written)).not.toMatch(/alice|bob|contoso|archer|baker|@|eyJ|gte_/i);
  });
});

test.each([
  "/healthz",
  "/ready",
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-authorization-server",
  "/.well-known/openid-configuration",
])("GET %s writes no audit event", async (path) => {
  const before = service.events().length;
  expect((await service.call(path)).status).toBe(200);
  expect(service.events()).toHaveLength(before);
});

test("the audit event says how the cache answered: miss, hit, joined or bypass", async () => {
  const { state } = world.tenant;
  const fresh = world.serve();
  const token = userToken(world);
  const exchange = (json?: unknown) =>
    fresh.call("/AuthorizationHeader/graph", { headers: bearer(token), ...(json === undefined ? {} : { json }) });
  const order = state.order({ endpoint: "token", client: "service", hold: true });
  const both = [exchange(), exchange()];
  await fresh.lookUps(2);
  state.releaseOrder({ id: order });
  await Promise.all(both);
  await exchange();
  await exchange({ forceRefresh: true });
  expect(
    fresh
      .events()
      .map(({ cache }) => cache)
      .sort(),
  ).toEqual(["bypass", "hit", "joined", "miss"]);
});

test("a credential failure writes an operator event besides the audit event", async () => {
  const { state } = world.tenant;
  const strict = world.serve({ settings: { POLICY: policyWithEntries({}) } });
  state.order({ endpoint: "vault", status: 503, body: "", times: 0 });
  await post(exchangeForm(userToken(world)), {}, strict);
  const lines = strict.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.filter(({ event }) => event === "exchange")).toHaveLength(1);
  expect(lines.filter(({ event }) => event === "credential")).toMatchObject([
    { name: "credential_unavailable", credential: "client-secret", time: expect.any(String) },
  ]);
});
