/**
 * Failures of Entra, and the answer of each route: every AADSTS code that the local tenant returns, invalid answers, and
 * claims challenges until the user satisfies them.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AADSTS } from "../../local/tenant/errors/aadsts.ts";
import { SIGN_IN_CODES } from "../../local/tenant/errors/aadsts-sign-in.ts";
import { cookiesOf, newBrowser } from "../sign-in/support/browser.ts";
import {
  callbackPath,
  codeForClient,
  codeForm,
  createLink,
  entraRequest,
  newPkce,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, jwtBearerForm, userToken } from "../support/callers.ts";
import {
  AADSTS_CLASSES,
  AADSTS_ROWS,
  CLASS_PAGES,
  CLASSES,
  classIn,
  type FailureClass,
  ODD_ANSWERS,
  type RequestedFlow,
} from "../support/entra-failures.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, restart } = useWorld();
/** A service that accepts as many requests as the tables below have rows. */
let tolerant: ServiceUnderTest;
let prepared: Prepared;
beforeAll(async () => {
  tolerant = serveTolerantly();
  prepared = await prepare(tolerant);
});
afterEach(() => {
  world.tenant.state.clearRequirements();
});

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OAUTH_MEMBERS = ["error", "error_description", "code", "action", "docs", "correlation_id"];
const PROBLEM_MEMBERS = ["type", "title", "status", "detail", "error", "code", "action", "docs", "correlation_id"];

const exchange = (token = userToken(world), at = service) => at.call("/oauth2/token", { form: exchangeForm(token) });
const header = (token = userToken(world), at = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token) });

/** An instance remembers throttling and budgets, so these tests each get a new one. */
const withNewInstance = () => beforeEach(() => restart());

/** An application whose own token comes from the app-only registration. */
const ROBOT = {
  name: "robot",
  displayName: "A robot",
  kind: "application",
  clientId: CLIENT_IDS.stranger,
  flows: ["client-credentials"],
  apis: { graph: [".default"] },
};

/** The clock stands still, so that no code and no sign-in expires between the first row and the last. */
function serveTolerantly(): ServiceUnderTest {
  const POLICY = policyWith(({ apis, callers }) => {
    apis["graph"] = { ...apis["graph"], scopes: ["User.Read", "Mail.Read", ".default"] };
    callers.push(ROBOT);
    for (const entry of callers) {
      Object.assign(entry, { limits: { bypassPerMinute: 1_000, missesPerMinute: 10_000 } });
    }
  });
  const startedMs = Date.now();
  const settings = { APP_ONLY_CLIENT_ID: CLIENT_IDS.appOnly, POLICY };
  return world.serve({ settings, surroundings: { nowMs: () => startedMs } });
}

/** What a request of each flow needs. A refusal by Entra does not use it up. */
interface Prepared {
  readonly user: string;
  readonly backend: string;
  readonly robot: string;
  readonly grant: string;
  readonly codeForm: Record<string, string>;
  readonly callback: { readonly path: string; readonly cookie: string };
}

async function prepare(at: ServiceUnderTest): Promise<Prepared> {
  const user = userToken(world);
  const form = exchangeForm(user, { scope: "User.Read Mail.Read offline_access" });
  const made = await at.call("/oauth2/token", { form });
  const pkce = newPkce();
  const { code } = await codeForClient(at, newBrowser(at), { pkce });
  const browser = newBrowser(at);
  const sentToEntra = entraRequest(await browser.open(await createLink(at)));
  return {
    user,
    backend: appToken(world),
    robot: appToken(world, { client: "stranger", claims: { roles: ["Exchange.Call"] } }),
    grant: String(made.json()["refresh_token"]),
    codeForm: codeForm(code, pkce),
    callback: { path: callbackPath({ code: "x", state: sentToEntra["state"] ?? "" }), cookie: cookiesOf(browser) },
  };
}

interface TokenRequest {
  readonly flow: RequestedFlow;
  readonly dialect: "oauth" | "problem" | "page";
  send(at: ServiceUnderTest): Promise<Answer>;
  /** The error code of RFC 7523 for an invalid assertion, which differs from that of RFC 8693. */
  readonly badSubject?: string;
}

/** Every flow, on every route that has it. */
const REQUESTS: Readonly<Record<string, TokenRequest>> = {
  "POST /oauth2/token with token-exchange": {
    flow: "on-behalf-of",
    dialect: "oauth",
    send: (at) => at.call("/oauth2/token", { form: exchangeForm(prepared.user) }),
  },
  "POST /oauth2/token with jwt-bearer (RFC 7523)": {
    flow: "on-behalf-of",
    dialect: "oauth",
    badSubject: "invalid_grant",
    send: (at) => at.call("/oauth2/token", { form: jwtBearerForm(prepared.user) }),
  },
  "GET /AuthorizationHeader/{api} for a user": {
    flow: "on-behalf-of",
    dialect: "problem",
    send: (at) => at.call("/AuthorizationHeader/graph", { headers: bearer(prepared.user) }),
  },
  "POST /oauth2/token with a grant": {
    flow: "refresh-token",
    dialect: "oauth",
    send: (at) =>
      at.call("/oauth2/token", {
        form: { grant_type: "refresh_token", refresh_token: prepared.grant },
        headers: bearer(prepared.user),
      }),
  },
  "POST /AuthorizationHeader/{api} with a grant": {
    flow: "refresh-token",
    dialect: "problem",
    send: (at) =>
      at.call("/AuthorizationHeader/graph", { json: { grant: prepared.grant }, headers: bearer(prepared.user) }),
  },
  "POST /oauth2/token with an authorization code": {
    flow: "authorization-code",
    dialect: "oauth",
    send: (at) => at.call("/oauth2/token", { form: prepared.codeForm, headers: bearer(prepared.backend) }),
  },
  "GET /oauth2/callback after a sign-in link": {
    flow: "authorization-code",
    dialect: "page",
    send: (at) => at.call(prepared.callback.path, { headers: { cookie: prepared.callback.cookie } }),
  },
  "POST /oauth2/token with client_credentials": {
    flow: "client-credentials",
    dialect: "oauth",
    send: (at) =>
      at.call("/oauth2/token", {
        form: { grant_type: "client_credentials", audience: "graph" },
        headers: bearer(prepared.robot),
      }),
  },
  "GET /AuthorizationHeaderUnauthenticated/{api}": {
    flow: "client-credentials",
    dialect: "problem",
    send: (at) => at.call("/AuthorizationHeaderUnauthenticated/graph", { headers: bearer(prepared.robot) }),
  },
};

/** Status, error, code, action and headers of a class, in the format of the route. */
function expectClass(answer: Answer, name: FailureClass, dialect: "oauth" | "problem"): void {
  const { [dialect]: wire, code, action } = CLASSES[name];
  expect({ status: answer.status, ...answer.json() }).toMatchObject({ ...wire, code, action });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const type = dialect === "oauth" ? "application/json" : "application/problem+json";
  expect(answer.headers.get("content-type")).toBe(`${type}; charset=utf-8`);
  expect(answer.headers.get("client-request-id")).toMatch(GUID);
  expect(answer.json()["correlation_id"]).toBe(answer.headers.get("client-request-id"));
  expect(answer.headers.has("www-authenticate")).toBe(answer.status === 401);
}

function expectPage(answer: Answer, name: FailureClass): void {
  const [status, title] = CLASS_PAGES[name];
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(answer.text).toContain(`<h1>${title}</h1>`);
  // The sign-in has ended. If a retry can help, the user opens the link again.
  expect(answer.text.includes("open the link again")).toBe(CLASSES[name].action === "retry");
  expect(answer.text).not.toContain("Load this page again");
}

test("the error table has every AADSTS code of Entra's token endpoint (not those of its pages)", () => {
  const known = Object.keys(AADSTS)
    .filter((code) => !(code in SIGN_IN_CODES))
    .map(Number)
    .sort();
  expect(Object.values(AADSTS_CLASSES).flat().sort()).toEqual(known);
});

describe.each(Object.entries(REQUESTS))("%s", (_title, request) => {
  test.each(AADSTS_ROWS)("AADSTS%i is a failure of class %s", async (code, listed) => {
    const name = classIn(request.flow, listed);
    // An instance remembers that Entra throttled a user, so the next row needs a new instance; and a credential that Entra
    // has accepted before counts as being replaced.
    const at = name === "throttled" || name === "credential" ? serveTolerantly() : tolerant;
    // Line breaks as in Entra's own answers (E-55), and text that Entra copies from a request or a directory (E-61, E-83).
    const values = { scope: '"\r\n<script>alert(1)</script>', name: "Contoso\r\nX: y", user: "alice@contoso.local" };
    world.tenant.state.order({ endpoint: "token", aadsts: code, tail: "crlf", values, times: 0 });
    const answer = await request.send(at);

    const event = at.lastEvent();
    expect(event).toMatchObject({
      outcome: answer.status >= 500 || answer.status === 429 ? "failed" : "refused",
      code: CLASSES[name].code,
      aadsts: [code],
      entraTraceId: expect.stringMatching(GUID),
    });
    expect(JSON.stringify([answer.text, [...answer.headers], event])).not.toMatch(/alert|AADSTS\d+:|alice@|Contoso/);
    if (request.dialect === "page") {
      expectPage(answer, name);
    } else {
      expectRefusal(answer, { ...request, dialect: request.dialect }, name);
      expectEvidence(answer, request.dialect, evidenceOf(code, name, event["entraTraceId"]));
    }
  });
});

function expectRefusal(
  answer: Answer,
  { dialect, flow, badSubject }: TokenRequest & { dialect: "oauth" | "problem" },
  name: FailureClass,
): void {
  if (name === "subject" && badSubject !== undefined) {
    expect(answer.json()).toMatchObject({ error: badSubject, code: "subject_refused" });
  } else if (name === "consent" && flow === "authorization-code") {
    // The user signs in at Entra for this service and consents there.
    const expected = { ...CLASSES[name][dialect], code: "consent_required", action: "sign_in" };
    expect({ status: answer.status, ...answer.json() }).toMatchObject(expected);
  } else {
    expectClass(answer, name, dialect);
  }
}

/** What an answer returns from Entra: its identifiers, and claims or missing scopes only in the classes that need them. */
function evidenceOf(code: number, name: FailureClass, traceId: unknown): Record<string, unknown> {
  const { suberror, claims } = AADSTS[code] ?? {};
  return {
    error_codes: [code],
    trace_id: traceId,
    ...(suberror === undefined ? {} : { suberror }),
    ...(claims === undefined || name !== "user" ? {} : { claims }),
    ...(name === "consent" || name === "consentBySignIn" ? { scopes: expect.any(Array) } : {}),
  };
}

function expectEvidence(answer: Answer, dialect: "oauth" | "problem", evidence: Record<string, unknown>): void {
  const members = dialect === "oauth" ? OAUTH_MEMBERS : PROBLEM_MEMBERS;
  const message = String(answer.json()[dialect === "oauth" ? "error_description" : "detail"]);
  expect(message.endsWith(` (AADSTS${evidence["error_codes"]}, trace ${evidence["trace_id"]}).`)).toBe(true);
  expect(answer.json()).toMatchObject(evidence);
  expect(Object.keys(answer.json()).sort()).toEqual([...members, ...Object.keys(evidence)].sort());
}

const oddAnswers = ODD_ANSWERS.map(([title, order, name, retryAfter]) => ({ title, order, name, retryAfter }));

describe.each(oddAnswers)("Entra answers $title", ({ order, name, retryAfter }) => {
  test(`a failure of class ${name}`, async () => {
    const instance = () => (name === "throttled" ? serveTolerantly() : tolerant);
    world.tenant.state.order({ endpoint: "token", ...order, times: 0 });
    const oauth = await exchange(prepared.user, instance());
    expectClass(oauth, name, "oauth");
    const problem = await header(prepared.user, instance());
    expectClass(problem, name, "problem");
    for (const answer of [oauth, problem]) {
      expect(answer.headers.get("retry-after")).toBe(retryAfter ?? (name === "unavailable" ? "5" : null));
      expect(JSON.stringify([answer.text, [...answer.headers]])).not.toMatch(/evil|X-Injected|opaque-but-fine|<html>/);
    }
    world.tenant.state.clearOrders();
    // The failure is not remembered: another token of the same user is exchanged.
    expect((await exchange(userToken(world), instance())).status).toBe(200);
  });
});

describe("a slow or throttling Entra", () => {
  withNewInstance();

  test("Retry-After as a date is returned in seconds", async () => {
    const date = new Date(Date.now() + 120_000).toUTCString();
    world.tenant.state.order({ endpoint: "token", status: 429, body: "", headers: { "Retry-After": date } });
    const seconds = Number((await exchange()).headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(115);
    expect(seconds).toBeLessThanOrEqual(120);
  });

  test("the signing keys do not arrive in time: 503 with action retry", async () => {
    const surroundings = {
      outbound: { send: () => Promise.resolve({ ok: false, failure: { kind: "timeout" } } as const) },
    };
    const token = userToken(world);
    const slow = world.serve({ surroundings });
    // The signing keys are the first thing that the service needs, and the caller is not refused for their absence.
    expect((await header(token, slow)).json()).toMatchObject({
      status: 503,
      code: "key_set_unavailable",
      action: "retry",
    });
  });

  test("the token endpoint does not answer in time: 504 with action retry", async () => {
    const real = (await import("../../shared/outbound/https-outbound.ts")).createHttpsOutbound();
    const outbound: typeof real = {
      send: (request) => real.send(request.method === "POST" ? { ...request, deadlineMs: 20 } : request),
    };
    const hasty = world.serve({ surroundings: { outbound } });
    world.tenant.state.order({ endpoint: "token", client: "service", hang: true, times: 2 });
    expect({ status: (await exchange(userToken(world), hasty)).status }).toEqual({ status: 504 });
    expect(hasty.lastEvent()).toMatchObject({ outcome: "failed", code: "entra_timeout" });
    expect((await header(userToken(world), hasty)).json()).toMatchObject({
      status: 504,
      action: "retry",
      error: "temporarily_unavailable",
    });
  });

  test("identical concurrent requests share one failure, and each route answers in its own format", async () => {
    const { state } = world.tenant;
    const fresh = world.serve();
    const token = userToken(world);
    const order = state.order({ endpoint: "token", aadsts: 50013, hold: true });
    const first = exchange(token, fresh);
    await state.orders.hit(order);
    const second = fresh.call("/oauth2/token", { form: jwtBearerForm(token) });
    const third = header(token, fresh);
    await fresh.lookUps(3);
    state.releaseOrder({ id: order });
    expect((await first).json()).toMatchObject({ error: "invalid_request", code: "subject_refused" });
    expect((await second).json()).toMatchObject({ error: "invalid_grant", code: "subject_refused" });
    expect((await third).json()).toMatchObject({ status: 401, error: "invalid_token" });
    expect(state.requestCounts()["token"]).toBe(1);
  });
});

describe("claims challenges", () => {
  withNewInstance();

  const capolids = (id: string) => JSON.stringify({ access_token: { capolids: { essential: true, values: [id] } } });
  const claims = capolids("c0a1b000-0000-4000-8000-00000000000a");
  const satisfied = ["capolids:c0a1b000-0000-4000-8000-00000000000a"];
  const cp1 = { capabilities: ["cp1"] };

  test("a caller with cp1 gets 401 and the claims as base64 in WWW-Authenticate", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    const answer = await header(userToken(world, cp1));
    expect(answer.json()).toMatchObject({
      status: 401,
      error: "insufficient_claims",
      code: "interaction_required",
      action: "sign_in",
      claims,
    });
    const attributes = parseChallenge(answer.headers.get("www-authenticate") ?? "");
    expect(attributes).toMatchObject({
      realm: "10ca1000-7e57-4000-8000-000000000000",
      error: "insufficient_claims",
      resource_metadata: "http://localhost:7071/.well-known/oauth-protected-resource",
    });
    expect(attributes["authorization_uri"]).toMatch(/^https:\/\/localhost:\d+\/10ca1000-.*\/oauth2\/v2\.0\/authorize$/);
    expect(Buffer.from(attributes["claims"] ?? "", "base64").toString("utf8")).toBe(claims);
  });

  test.each(["a", "ab", "abc", "ü>>>???~~~", '"quoted", a=b'])(
    "the base64 claims decode to what Entra demanded: %s",
    async (id) => {
      const demand = capolids(id);
      world.tenant.state.order({ endpoint: "token", aadsts: 50076, claims: demand });
      const attributes = parseChallenge((await header(userToken(world, cp1))).headers.get("www-authenticate") ?? "");
      expect(Buffer.from(attributes["claims"] ?? "", "base64").toString("utf8")).toBe(demand);
    },
  );

  test("a caller with CP1 in upper case gets 401 too", async () => {
    world.tenant.state.requireClaims({ claims });
    expect((await header(userToken(world, { capabilities: ["CP1"] }))).status).toBe(401);
  });

  test("a caller without cp1 gets 403 with the claims and no WWW-Authenticate", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    const answer = await header();
    expect(answer.json()).toMatchObject({ status: 403, error: "interaction_required", action: "sign_in", claims });
    expect(answer.headers.has("www-authenticate")).toBe(false);
  });

  test("POST /oauth2/token answers 400 interaction_required with the claims, with and without cp1", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    for (const token of [userToken(world), userToken(world, cp1)]) {
      expect((await exchange(token)).json()).toMatchObject({
        error: "interaction_required",
        claims,
        action: "sign_in",
      });
    }
  });

  test("claims take precedence over the error code (E-64): 53003, 65001 and 50105 with claims are challenges", async () => {
    for (const aadsts of [53003, 65001, 50105]) {
      world.tenant.state.order({ endpoint: "token", aadsts, claims });
      expect((await header(userToken(world, cp1))).json()).toMatchObject({
        status: 401,
        error: "insufficient_claims",
        claims,
      });
    }
  });

  test.each([
    ["too long for a header", JSON.stringify({ access_token: { x: { value: "y".repeat(3_000) } } }), true],
    ["over 4 KB", JSON.stringify({ access_token: { x: { value: "y".repeat(5_000) } } }), false],
    ["not JSON", "{nonsense", false],
    ["not an object", "[1]", false],
  ])("claims that are %s are not in WWW-Authenticate", async (_title, demand, inBody) => {
    world.tenant.state.order({ endpoint: "token", aadsts: 50076, claims: demand });
    const answer = await header(userToken(world, cp1));
    expect(answer.headers.get("www-authenticate") ?? "").not.toContain("claims=");
    expect("claims" in answer.json()).toBe(inBody);
    expect(answer.json()).toMatchObject({ code: "interaction_required", action: "sign_in" });
  });

  test("a challenged user is refused with the old token and served with one that satisfies the claims", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    const old = userToken(world, cp1);
    expect((await header(old)).status).toBe(401);
    expect((await header(old)).status).toBe(401);
    const fresh = await header(userToken(world, { ...cp1, satisfied }));
    expect(fresh.status).toBe(200);
    expect(world.tenant.state.requestCounts()["token"]).toBe(3);
  });

  test("a request with claims bypasses the cache and replaces the cached token (CC-14)", async () => {
    const token = userToken(world, { satisfied });
    const requestWithClaims = () =>
      service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { claims } });
    const first = await header(token);
    expect((await header(token)).json()["authorizationHeader"]).toBe(first.json()["authorizationHeader"]);
    const renewed = await requestWithClaims();
    expect(renewed.json()["authorizationHeader"]).not.toBe(first.json()["authorizationHeader"]);
    expect(service.lastEvent()["cache"]).toBe("bypass");
    expect((await header(token)).json()["authorizationHeader"]).toBe(renewed.json()["authorizationHeader"]);
    const sent = world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form?.["claims"] ?? "";
    expect(JSON.parse(sent)).toMatchObject(JSON.parse(claims));
    expect(world.tenant.state.requestCounts()["token"]).toBe(2);
  });

  test("a request with claims that the user token does not satisfy is challenged again, despite a cached token", async () => {
    const token = userToken(world, cp1);
    expect((await header(token)).status).toBe(200);
    const challenged = await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { claims } });
    expect(challenged.json()).toMatchObject({ status: 401, error: "insufficient_claims", claims });
    expect((await header(token)).status).toBe(200);
  });

  test("claims are accepted as base64 too, but capabilities in them are removed", async () => {
    const acrs = { essential: true, value: "c1" };
    const greedy = JSON.stringify({ access_token: { xms_cc: { values: ["cp1"] }, acrs } });
    const form = exchangeForm(userToken(world, { satisfied: ["acrs:c1"] }), {
      claims: Buffer.from(greedy).toString("base64"),
    });
    expect((await service.call("/oauth2/token", { form })).status).toBe(200);
    const sent = world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form?.["claims"] ?? "";
    expect(JSON.parse(sent)).toMatchObject({ access_token: { acrs } });
    expect(sent).not.toContain("xms_cc");
  });

  test("a user who bypasses the cache too often gets 429, other users do not", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { limits: { bypassPerMinute: 2 } } }) };
    const limited = world.serve({ settings });
    const requestWithClaims = (token: string) =>
      limited.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { claims } });
    const alice = userToken(world, { satisfied });
    expect([(await requestWithClaims(alice)).status, (await requestWithClaims(alice)).status]).toEqual([200, 200]);
    const third = await requestWithClaims(userToken(world, { satisfied }));
    expect(third.json()).toMatchObject({ status: 429, code: "budget_used_up", action: "retry" });
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await requestWithClaims(userToken(world, { user: "bob", satisfied }))).status).toBe(200);
    expect((await header(alice, limited)).status).toBe(200);
  });

  test("long-lived tokens are issued only if the entry allows them and the caller declares cp1", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { cae: true } }) };
    const cae = world.serve({ settings });
    const lifetimes = [];
    for (const [token, at] of [
      [userToken(world, cp1), cae],
      [userToken(world), cae],
      [userToken(world, cp1), service],
    ] as const) {
      lifetimes.push(Number((await header(token, at)).json()["expiresIn"]) > 7_200);
    }
    expect(lifetimes).toEqual([true, false, false]);
    const last = world.tenant.state
      .requests({ endpoint: "token" })
      .map(({ form }) => (form?.["claims"] ?? "").includes("cp1"));
    expect(last).toEqual([true, false, false]);
  });
});

/** RFC 9110 section 11.6.1: `Bearer name="value", name="value"`, each name once. */
function parseChallenge(header: string): Record<string, string> {
  expect(header.startsWith("Bearer ")).toBe(true);
  const found = [...header.slice("Bearer ".length).matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"(?:, |$)/gy)];
  expect(found.map(([text]) => text).join("")).toBe(header.slice("Bearer ".length));
  expect(new Set(found.map(([, name]) => name)).size).toBe(found.length);
  return Object.fromEntries(found.map(([, name, value]) => [name, value]));
}
