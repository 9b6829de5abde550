/**
 * What Entra refuses, and how each route says it: the error table, every AADSTS code that the local tenant
 * knows, answers that are none, and claims challenges from demand to satisfaction.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AADSTS } from "../../local/tenant/errors/aadsts.ts";
import { SIGN_IN_CODES } from "../../local/tenant/errors/aadsts-sign-in.ts";
import { cookiesOf, newBrowser } from "../sign-in/support/browser.ts";
import {
  askedOfEntra,
  callbackPath,
  codeForClient,
  codeForm,
  createLink,
  newPkce,
} from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, jwtBearerForm, userToken } from "../support/callers.ts";
import {
  AADSTS_CLASSES,
  AADSTS_ROWS,
  type AskedFlow,
  CLASS_PAGES,
  CLASSES,
  classIn,
  type FailureClass,
  ODD_ANSWERS,
} from "../support/entra-failures.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, restart } = useWorld();
/** Serves whole tables: its limits are wide. */
let patient: ServiceUnderTest;
let brought: Brought;
beforeAll(async () => {
  patient = serveManyRows();
  brought = await bring(patient);
});
afterEach(() => {
  world.tenant.state.clearRequirements();
});

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OAUTH_MEMBERS = ["error", "error_description", "code", "action", "correlation_id"];
const PROBLEM_MEMBERS = ["type", "title", "status", "detail", "error", "code", "action", "correlation_id"];

const exchange = (token = userToken(world), at = service) => at.call("/oauth2/token", { form: exchangeForm(token) });
const header = (token = userToken(world), at = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token) });

/** An instance remembers what it was told: these tests have one each. */
const withNewInstance = () => beforeEach(() => restart());

/** An application whose own token comes from the second registration. */
const ROBOT = {
  name: "robot",
  displayName: "A robot",
  kind: "application",
  clientId: CLIENT_IDS.stranger,
  flows: ["client-credentials"],
  apis: { graph: [".default"] },
};

/** The clock stands, so that no code and no sign-in grows old between the first row and the last. */
function serveManyRows(): ServiceUnderTest {
  const POLICY = policyWith(({ apis, callers }) => {
    apis["graph"] = { ...apis["graph"], scopes: ["User.Read", "Mail.Read", ".default"] };
    callers.push(ROBOT);
    for (const entry of callers) {
      Object.assign(entry, { limits: { bypassPerMinute: 1_000 } });
    }
  });
  const startedMs = Date.now();
  const settings = { APP_ONLY_CLIENT_ID: CLIENT_IDS.appOnly, POLICY };
  return world.serve({ settings, surroundings: { nowMs: () => startedMs } });
}

/** What a request of each flow needs. A refusal of Entra's uses none of it up. */
interface Brought {
  readonly user: string;
  readonly backend: string;
  readonly robot: string;
  readonly grant: string;
  readonly codeForm: Record<string, string>;
  readonly callback: { readonly path: string; readonly cookie: string };
}

async function bring(at: ServiceUnderTest): Promise<Brought> {
  const user = userToken(world);
  const form = exchangeForm(user, { scope: "User.Read Mail.Read offline_access" });
  const made = await at.call("/oauth2/token", { form });
  const pkce = newPkce();
  const { code } = await codeForClient(at, newBrowser(at), { pkce });
  const browser = newBrowser(at);
  const asked = askedOfEntra(await browser.open(await createLink(at)));
  return {
    user,
    backend: appToken(world),
    robot: appToken(world, { client: "stranger", claims: { roles: ["Exchange.Call"] } }),
    grant: String(made.json()["refresh_token"]),
    codeForm: codeForm(code, pkce),
    callback: { path: callbackPath({ code: "x", state: asked["state"] ?? "" }), cookie: cookiesOf(browser) },
  };
}

interface AskedIn {
  readonly flow: AskedFlow;
  readonly dialect: "oauth" | "problem" | "page";
  ask(at: ServiceUnderTest): Promise<Answer>;
  /** RFC 7523 has another name for a bad assertion than RFC 8693. */
  readonly badSubject?: string;
}

/** Every way to ask Entra, on every route that has it. */
const ASKED: Readonly<Record<string, AskedIn>> = {
  "the exchange of a user's token": {
    flow: "on-behalf-of",
    dialect: "oauth",
    ask: (at) => at.call("/oauth2/token", { form: exchangeForm(brought.user) }),
  },
  "the same in the words of RFC 7523": {
    flow: "on-behalf-of",
    dialect: "oauth",
    badSubject: "invalid_grant",
    ask: (at) => at.call("/oauth2/token", { form: jwtBearerForm(brought.user) }),
  },
  "a header for a user": {
    flow: "on-behalf-of",
    dialect: "problem",
    ask: (at) => at.call("/AuthorizationHeader/graph", { headers: bearer(brought.user) }),
  },
  "a grant's redemption": {
    flow: "refresh-token",
    dialect: "oauth",
    ask: (at) =>
      at.call("/oauth2/token", {
        form: { grant_type: "refresh_token", refresh_token: brought.grant },
        headers: bearer(brought.user),
      }),
  },
  "a header for a grant": {
    flow: "refresh-token",
    dialect: "problem",
    ask: (at) =>
      at.call("/AuthorizationHeader/graph", { json: { grant: brought.grant }, headers: bearer(brought.user) }),
  },
  "an application's code": {
    flow: "authorization-code",
    dialect: "oauth",
    ask: (at) => at.call("/oauth2/token", { form: brought.codeForm, headers: bearer(brought.backend) }),
  },
  "a person back from Entra, by a link": {
    flow: "authorization-code",
    dialect: "page",
    ask: (at) => at.call(brought.callback.path, { headers: { cookie: brought.callback.cookie } }),
  },
  "an application's own token": {
    flow: "client-credentials",
    dialect: "oauth",
    ask: (at) =>
      at.call("/oauth2/token", {
        form: { grant_type: "client_credentials", audience: "graph" },
        headers: bearer(brought.robot),
      }),
  },
  "a header for an application": {
    flow: "client-credentials",
    dialect: "problem",
    ask: (at) => at.call("/AuthorizationHeaderUnauthenticated/graph", { headers: bearer(brought.robot) }),
  },
};

/** Status, error, code, action and headers of a class, in the words of the route. */
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
  // The sign-in is over: what may pass is tried from the link on.
  expect(answer.text.includes("open the link again")).toBe(CLASSES[name].action === "retry");
  expect(answer.text).not.toContain("Load this page again");
}

test("the table has every code that Entra's token endpoint answers (not those of its pages)", () => {
  const known = Object.keys(AADSTS)
    .filter((code) => !(code in SIGN_IN_CODES))
    .map(Number)
    .sort();
  expect(Object.values(AADSTS_CLASSES).flat().sort()).toEqual(known);
});

describe.each(Object.entries(ASKED))("%s", (_title, asked) => {
  test.each(AADSTS_ROWS)("AADSTS%i, of class %s", async (code, listed) => {
    const name = classIn(asked.flow, listed);
    // Whom Entra throttles an instance remembers: the next row needs one that does not.
    const at = name === "throttled" ? serveManyRows() : patient;
    // Line breaks as Entra had them (E-55), and what it copies from a request or a directory (E-61, E-83).
    const values = { scope: '"\r\n<script>alert(1)</script>', name: "Contoso\r\nX: y", user: "alice@contoso.local" };
    world.tenant.state.order({ endpoint: "token", aadsts: code, tail: "crlf", values });
    const answer = await asked.ask(at);

    const event = at.lastEvent();
    expect(event).toMatchObject({
      outcome: answer.status >= 500 || answer.status === 429 ? "failed" : "refused",
      code: CLASSES[name].code,
      aadsts: [code],
      entraTraceId: expect.stringMatching(GUID),
    });
    expect(JSON.stringify([answer.text, [...answer.headers], event])).not.toMatch(/alert|AADSTS|alice@|Contoso/);
    if (asked.dialect === "page") {
      expectPage(answer, name);
    } else {
      expectRefusal(answer, { ...asked, dialect: asked.dialect }, name);
      expectEvidence(answer, asked.dialect, evidenceOf(code, name, event["entraTraceId"]));
    }
  });
});

function expectRefusal(
  answer: Answer,
  { dialect, badSubject }: AskedIn & { dialect: "oauth" | "problem" },
  name: FailureClass,
): void {
  if (name === "subject" && badSubject !== undefined) {
    expect(answer.json()).toMatchObject({ error: badSubject, code: "subject_refused" });
  } else {
    expectClass(answer, name, dialect);
  }
}

/** What an answer tells of Entra's: its identifiers, and a demand or a lack of consent only to whom it concerns. */
function evidenceOf(code: number, name: FailureClass, traceId: unknown): Record<string, unknown> {
  const { suberror, claims } = AADSTS[code] ?? {};
  return {
    error_codes: [code],
    trace_id: traceId,
    ...(suberror === undefined ? {} : { suberror }),
    ...(claims === undefined || name !== "user" ? {} : { claims }),
    ...(name === "consent" ? { scopes: expect.any(Array) } : {}),
  };
}

function expectEvidence(answer: Answer, dialect: "oauth" | "problem", told: Record<string, unknown>): void {
  const members = dialect === "oauth" ? OAUTH_MEMBERS : PROBLEM_MEMBERS;
  expect(answer.json()).toMatchObject(told);
  expect(Object.keys(answer.json()).sort()).toEqual([...members, ...Object.keys(told)].sort());
}

const oddAnswers = ODD_ANSWERS.map(([title, order, name, retryAfter]) => ({ title, order, name, retryAfter }));

describe.each(oddAnswers)("$title", ({ order, name, retryAfter }) => {
  test(`is of class ${name}`, async () => {
    const instance = () => (name === "throttled" ? serveManyRows() : patient);
    world.tenant.state.order({ endpoint: "token", ...order });
    const oauth = await exchange(brought.user, instance());
    expectClass(oauth, name, "oauth");
    world.tenant.state.order({ endpoint: "token", ...order });
    const problem = await header(brought.user, instance());
    expectClass(problem, name, "problem");
    for (const answer of [oauth, problem]) {
      expect(answer.headers.get("retry-after")).toBe(retryAfter ?? null);
      expect(JSON.stringify([answer.text, [...answer.headers]])).not.toMatch(/evil|X-Injected|opaque-but-fine|<html>/);
    }
    world.tenant.state.clearOrders();
    // Nothing of it stays: another token of the same person's is exchanged.
    expect((await exchange(userToken(world), instance())).status).toBe(200);
  });
});

describe("waiting for Entra", () => {
  withNewInstance();

  test("Retry-After as a date is turned into seconds", async () => {
    const date = new Date(Date.now() + 120_000).toUTCString();
    world.tenant.state.order({ endpoint: "token", status: 429, body: "", headers: { "Retry-After": date } });
    const seconds = Number((await exchange()).headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(115);
    expect(seconds).toBeLessThanOrEqual(120);
  });

  test("an answer that does not come in time: 504, to retry", async () => {
    const surroundings = {
      outbound: { send: () => Promise.resolve({ ok: false, failure: { kind: "timeout" } } as const) },
    };
    const token = userToken(world);
    const slow = world.serve({ surroundings });
    // Keys cannot be had either: the caller is not refused for that.
    expect((await header(token, slow)).json()).toMatchObject({
      status: 503,
      code: "key_set_unavailable",
      action: "retry",
    });
  });

  test("Entra's token endpoint does not answer in time: 504, to retry", async () => {
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

  test("one failure for identical concurrent wishes, each in its own words", async () => {
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

  test("a caller with cp1: 401 with base64 claims that decode to the same JSON", async () => {
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
    "base64 with any padding and alphabet: %s",
    async (id) => {
      const demand = capolids(id);
      world.tenant.state.order({ endpoint: "token", aadsts: 50076, claims: demand });
      const attributes = parseChallenge((await header(userToken(world, cp1))).headers.get("www-authenticate") ?? "");
      expect(Buffer.from(attributes["claims"] ?? "", "base64").toString("utf8")).toBe(demand);
    },
  );

  test("CP1 in capitals is the same", async () => {
    world.tenant.state.requireClaims({ claims });
    expect((await header(userToken(world, { capabilities: ["CP1"] }))).status).toBe(401);
  });

  test("a caller without cp1: 403 with the same members and no challenge", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    const answer = await header();
    expect(answer.json()).toMatchObject({ status: 403, error: "interaction_required", action: "sign_in", claims });
    expect(answer.headers.has("www-authenticate")).toBe(false);
  });

  test("on the token route: 400 interaction_required with the claims, whatever the caller declared", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    for (const token of [userToken(world), userToken(world, cp1)]) {
      expect((await exchange(token)).json()).toMatchObject({
        error: "interaction_required",
        claims,
        action: "sign_in",
      });
    }
  });

  test("claims outrank the number (E-64): 53003 and 65001 with claims are challenges", async () => {
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
  ])("claims that are %s never reach the header", async (_title, demand, inBody) => {
    world.tenant.state.order({ endpoint: "token", aadsts: 50076, claims: demand });
    const answer = await header(userToken(world, cp1));
    expect(answer.headers.get("www-authenticate") ?? "").not.toContain("claims=");
    expect("claims" in answer.json()).toBe(inBody);
    expect(answer.json()).toMatchObject({ code: "interaction_required", action: "sign_in" });
  });

  test("the whole round: refused, refused again with the old token, served with the new one", async () => {
    world.tenant.state.requireClaims({ user: "alice", claims });
    const old = userToken(world, cp1);
    expect((await header(old)).status).toBe(401);
    expect((await header(old)).status).toBe(401);
    const fresh = await header(userToken(world, { ...cp1, satisfied }));
    expect(fresh.status).toBe(200);
    expect(world.tenant.state.requestCounts()["token"]).toBe(3);
  });

  test("a retry with claims is not answered from the cache, and renews it (CC-14)", async () => {
    const token = userToken(world, { satisfied });
    const ask = () => service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { claims } });
    const first = await header(token);
    expect((await header(token)).json()["authorizationHeader"]).toBe(first.json()["authorizationHeader"]);
    const asked = await ask();
    expect(asked.json()["authorizationHeader"]).not.toBe(first.json()["authorizationHeader"]);
    expect(service.lastEvent()["cache"]).toBe("bypass");
    expect((await header(token)).json()["authorizationHeader"]).toBe(asked.json()["authorizationHeader"]);
    const sent = world.tenant.state.requests({ endpoint: "token" }).at(-1)?.form?.["claims"] ?? "";
    expect(JSON.parse(sent)).toMatchObject(JSON.parse(claims));
    expect(world.tenant.state.requestCounts()["token"]).toBe(2);
  });

  test("a retry with claims that the token does not satisfy is challenged again, whatever the cache holds", async () => {
    const token = userToken(world, cp1);
    expect((await header(token)).status).toBe(200);
    const asked = await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { claims } });
    expect(asked.json()).toMatchObject({ status: 401, error: "insufficient_claims", claims });
    expect((await header(token)).status).toBe(200);
  });

  test("claims in the base64 of the challenge are taken as well; capabilities in them are not", async () => {
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

  test("a user who bypasses the cache too often waits; other users do not", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { limits: { bypassPerMinute: 2 } } }) };
    const limited = world.serve({ settings });
    const ask = (token: string) =>
      limited.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { claims } });
    const alice = userToken(world, { satisfied });
    expect([(await ask(alice)).status, (await ask(alice)).status]).toEqual([200, 200]);
    const third = await ask(userToken(world, { satisfied }));
    expect(third.json()).toMatchObject({ status: 429, code: "budget_used_up", action: "retry" });
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ask(userToken(world, { user: "bob", satisfied }))).status).toBe(200);
    expect((await header(alice, limited)).status).toBe(200);
  });

  test("long-lived tokens only where entry and caller both want them", async () => {
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
