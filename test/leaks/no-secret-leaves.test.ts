/**
 * No secret leaves the service (SEC-15). The test produces all failures of the error tables, all confused tokens, outages,
 * malformed requests and successes. Then it searches all log lines, responses, table rows and cache keys for all secrets and
 * for parts of them. In a successful response only the documented members may contain a token.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sealRefreshToken } from "../../local/tenant/oauth/refresh-token.ts";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import {
  ACCESS_TOKEN,
  appToken,
  bearer,
  CLIENT_IDS,
  clientAssertion,
  exchangeForm,
  JWT_BEARER,
  jwtBearerForm,
  USER_IDS,
  userToken,
} from "../support/callers.ts";
import { CONFUSED_TOKENS } from "../support/confused-tokens.ts";
import { AADSTS_ROWS, ODD_ANSWERS } from "../support/entra-failures.ts";
import { createLeakSearch, type Leak, textsOf } from "../support/leak-search.ts";
import { OWN_CREDENTIALS } from "../support/own-credentials.ts";
import { applicationOnlySettings, policyWithEntries } from "../support/policies.ts";
import type { Answer, Call, ServiceUnderTest } from "../support/service-under-test.ts";
import { readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

/** The members of a successful response that may contain a token or a handle. */
const TOKEN_MEMBERS =
  /^(access_token|refresh_token|authorizationHeader|headers\.Authorization|grant|token|claims(\..*)?)$/;

const search = createLeakSearch();
const consoleLines: string[] = [];

beforeAll(() => {
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void consoleLines.push(args.map(String).join(" ")));
  }
});

const { world } = useWorld();
let service: ServiceUnderTest;
/** Read once after all traffic, because each test starts with an empty request log. */
let serviceSecrets: readonly Secret[] = [];
beforeAll(async () => {
  service = serve();
  await everySuccess();
  await everyFailureOfEntra();
  await everyConfusedToken();
  await everyBadRequest();
  await everyOutage();
  collect();
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe("the search for secrets", () => {
  const plant = (secret: string) => search.find("planted", `{"event":"exchange","reason":"${secret}"}`);

  test("knows many secrets and has many log lines and responses to search", () => {
    expect(search.size).toBeGreaterThan(10_000);
    expect(world.logs.length).toBeGreaterThan(500);
    expect(world.answers.length).toBeGreaterThan(700);
  });

  test.each([
    ["a caller's token", () => presented("authorization")],
    ["a subject token", () => presented("subject_token")],
    ["a signature alone", () => presented("subject_token").split(".")[2] ?? ""],
    ["a truncated token", () => presented("subject_token").slice(0, 400)],
    ["a Graph token", () => released("access_token")],
    ["a handle", () => released("refresh_token")],
    ["a client secret", () => world.tenant.state.vault.latest("client-secret")?.value ?? ""],
    ["the sealing key", () => world.tenant.state.vault.latest("sealing-key")?.value ?? ""],
    ["Entra's refresh token", () => sentSecret("refresh token sent")],
    ["a token for Key Vault", () => sentSecret("token for the vault")],
    ["the identity header", () => world.tenant.state.identity.header],
    ["a password", () => world.tenant.state.directory.user("alice")?.password ?? ""],
    ["a user's email address", () => "alice@contoso.local"],
    ["a user's name", () => "Alice Archer"],
  ])("finds %s in a log line", (_title, secret) => {
    expect(secret().length).toBeGreaterThan(8);
    expect(plant(secret()).length).toBeGreaterThan(0);
  });

  test("does not report ids and URLs", () => {
    expect(plant(`${CLIENT_IDS.service} ${USER_IDS.alice} https://graph.microsoft.com/User.Read`)).toEqual([]);
  });
});

test("no log line contains a secret", () => {
  expect(world.logs.flatMap((line) => search.find("log", line))).toEqual([]);
});

test("no log line contains requested claims", () => {
  expect(world.logs.filter((line) => /capolids|c0a1b000|marker/.test(line))).toEqual([]);
});

test("nothing is written to the console outside the log", () => {
  expect(consoleLines).toEqual([]);
});

test("no error response contains a secret in its body or headers", () => {
  const errors = world.answers.filter(({ answer }) => answer.status >= 400);
  expect(errors.length).toBeGreaterThan(600);
  expect(errors.flatMap(({ path, answer }) => leaksIn(path, answer, textsOfAnswer(answer)))).toEqual([]);
});

test("a successful response contains secrets only in its members for tokens", () => {
  const successes = world.answers.filter(({ answer }) => answer.status < 400);
  expect(successes.length).toBeGreaterThan(10);
  const rest = successes.flatMap(({ path, answer }) =>
    leaksIn(
      path,
      answer,
      textsOfAnswer(answer).filter(([member]) => !TOKEN_MEMBERS.test(member)),
    ),
  );
  expect(rest).toEqual([]);
});

test("the members for tokens contain no secret of Entra or the service", () => {
  const ownSecrets = createLeakSearch("signatures");
  for (const { what, secret } of serviceSecrets) ownSecrets.add(what, secret);
  expect(ownSecrets.size).toBeGreaterThan(100);
  const successes = world.answers.filter(({ answer, path }) => answer.status < 400 && path !== "/Validate");
  expect(
    successes.flatMap(({ path, answer }) => textsOfAnswer(answer).flatMap(([, text]) => ownSecrets.find(path, text))),
  ).toEqual([]);
});

test("no row of the grant table contains a secret, a handle or a name", async () => {
  const rows = await readTable(world);
  expect(rows.length).toBeGreaterThan(3);
  expect(rows.flatMap((row) => textsOf(row).flatMap(([column, text]) => search.find(`row ${column}`, text)))).toEqual(
    [],
  );
});

test("each cache key is a hash and contains no secret", () => {
  expect(world.cacheKeys.filter((key) => !/^[A-Za-z0-9_-]{43}$/.test(key))).toEqual([]);
  expect(world.cacheKeys.flatMap((key) => search.find("cache key", key))).toEqual([]);
});

// The requests of the test -------------------------------------------------------------------------------------------

function serve(settings: Record<string, string | undefined> = {}, outbound: Outbound = collecting): ServiceUnderTest {
  return world.serve({ settings, surroundings: { outbound } });
}

/** The real outbound client. It collects the tokens that Entra returns. */
const real = createHttpsOutbound();
const collecting: Outbound = {
  async send(request) {
    const answer = await real.send(request);
    if (answer.ok && request.method === "POST") {
      collectAnswer(answer.value.body);
    }
    return answer;
  },
};

function collectAnswer(body: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return;
  }
  for (const [name, text] of textsOf(parsed)) {
    if (["access_token", "refresh_token", "id_token"].includes(name)) {
      search.add(`Entra's ${name}`, text);
    }
  }
}

const post = (form: Call["form"], headers: Record<string, string> = {}, at = service) =>
  at.call("/oauth2/token", { headers, ...(form === undefined ? {} : { form }) });
const header = (token: string, at = service) => at.call("/AuthorizationHeader/graph", { headers: bearer(token) });

async function makeGrant(token: string, headers: Record<string, string> = {}, at = service): Promise<string> {
  const answer = await post(exchangeForm(token, { scope: "User.Read Mail.Read offline_access" }), headers, at);
  return String(answer.json()["refresh_token"]);
}

function entraRefreshToken(): string {
  const record = {
    userOid: USER_IDS.alice,
    clientId: CLIENT_IDS.service,
    issuedAtMs: Date.now(),
    scope: "openid",
    satisfied: [],
  };
  const token = sealRefreshToken(world.tenant.state, record);
  search.add("an imported refresh token", token);
  return token;
}

async function everySuccess(): Promise<void> {
  const token = userToken(world);
  await post(exchangeForm(token));
  await post(jwtBearerForm(token), bearer(token));
  await post(exchangeForm(userToken(world), clientAssertion(appToken(world))));
  await header(token);
  const form = (refresh_token: string) => ({ grant_type: "refresh_token", refresh_token });
  const [userGrant, applicationGrant] = [
    await makeGrant(token),
    await makeGrant(userToken(world), bearer(appToken(world))),
  ];
  await post(form(userGrant), bearer(userToken(world)));
  await post(form(applicationGrant), bearer(appToken(world)));
  await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { grant: userGrant } });
  await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { scopes: ["offline_access"] } });
  await service.call("/Validate", { headers: bearer(token) });
  await service.call("/grants", { headers: bearer(token) });
  await service.call("/ready", { headers: bearer(token) });
  await service.call("/oauth2/revoke", { form: { token: userGrant }, headers: bearer(token) });
  const app = serve(applicationOnlySettings());
  await post(
    { grant_type: "client_credentials", audience: "graph" },
    bearer(appToken(world, { client: "daemon" })),
    app,
  );
  const importing = serve({ POLICY: policyWithEntries({ "web-users": { importRefreshTokens: true } }) });
  await post({ ...form(entraRefreshToken()), audience: "graph" }, bearer(userToken(world)), importing);
  const federated = serve({ CLIENT_CREDENTIAL: "managed-identity" });
  await header(userToken(world), federated);
}

async function everyFailureOfEntra(): Promise<void> {
  const { state } = world.tenant;
  const values = { user: "alice@contoso.local", name: "Alice Archer", scope: "marker", reason: "Alice Archer" };
  const caller = userToken(world);
  const grant = await makeGrant(caller);
  const redemption = { form: { grant_type: "refresh_token", refresh_token: grant }, headers: bearer(caller) };
  for (const [aadsts, name] of AADSTS_ROWS) {
    state.order({ endpoint: "token", aadsts, values, times: 3 });
    // After throttling, an instance does not call Entra for the same user. Other instances still do.
    const at = name === "throttled" ? [serve(), serve(), serve()] : [service, service, service];
    await post(exchangeForm(userToken(world)), {}, at[0]);
    await header(userToken(world, { capabilities: ["cp1"] }), at[1]);
    await at[2]?.call("/oauth2/token", redemption);
    state.clearOrders();
  }
  await everyOddAnswer();
  // An error response of Entra that repeats the whole request, with its secrets.
  const echo = JSON.stringify(state.requests({ endpoint: "token" }).at(-1)?.form);
  state.order({
    endpoint: "token",
    status: 400,
    body: {
      error: "invalid_grant",
      error_description: echo,
      suberror: echo,
      claims: echo,
      error_codes: [echo],
      trace_id: echo,
    },
  });
  // An instance remembers throttling and budgets.
  await header(userToken(world), serve());
  state.clearOrders();
  // A token with more scopes than requested.
  state.addConsent({ scopes: ["Files.Read"] });
  await header(userToken(world), serve());
  await makeGrant(userToken(world), {}, serve());
  state.withdrawConsent({ scopes: ["Files.Read"] });
  await post({ ...exchangeForm(userToken(world)), claims: '{"access_token":{"acrs":{"value":"marker"}}}' });
}

/** Secrets in every place of a request to the relay: refused paths and options are in messages, as far as they are safe. */
async function everyBadRelayRequest(secrets: readonly string[]): Promise<void> {
  for (const secret of secrets) {
    const headers = bearer(userToken(world));
    const encoded = encodeURIComponent(secret);
    await service.call(`/DownstreamApi/graph/v1.0/users/${encoded}`, { headers });
    await service.call(`/DownstreamApi/graph/v1.0/me/..%2f${encoded}`, { headers });
    await service.call(`/DownstreamApi/graph/v1.0/me?$filter=${encoded}`, { headers });
    await service.call(`/DownstreamApi/graph/v1.0/me?${encoded}=1&${encoded}=2`, { headers });
    await service.call("/DownstreamApi/graph/v1.0/me", { headers: { ...headers, "x-grant": `${secret}x` } });
    const query = new URLSearchParams({ "optionsOverride.RelativePath": secret, "optionsOverride.HttpMethod": secret });
    await service.call(`/DownstreamApi/graph?${query}`, { method: "POST", headers, body: secret });
  }
}

async function everyOddAnswer(): Promise<void> {
  const { state } = world.tenant;
  for (const [, order] of ODD_ANSWERS) {
    state.order({ endpoint: "token", client: "service", ...order, times: 0 });
    await post(exchangeForm(userToken(world)), {}, serve());
    await header(userToken(world), serve());
    state.clearOrders();
  }
}

async function everyConfusedToken(): Promise<void> {
  for (const { mint } of CONFUSED_TOKENS) {
    const token = mint(world.tenant.state);
    search.add("a confused token", token);
    await header(token);
    await post(exchangeForm(token));
    await post(exchangeForm(userToken(world), clientAssertion(token)));
  }
}

async function everyBadRequest(): Promise<void> {
  const { state } = world.tenant;
  const secret = state.directory.registration("web")?.secrets[0]?.value ?? "";
  const password = state.directory.user("alice")?.password ?? "";
  const token = userToken(world);
  const handle = await makeGrant(userToken(world), {}, serve());
  expect(handle).toMatch(/^gte_/);
  await post({ grant_type: "password", username: "alice@contoso.local", password, client_secret: secret });
  await post(exchangeForm(token, { client_secret: secret, client_id: CLIENT_IDS.web }));
  await post(exchangeForm(token), { authorization: `Basic ${btoa(`${CLIENT_IDS.web}:${secret}`)}` });
  const accepting = serve(OWN_CREDENTIALS);
  for (const value of [secret, `${secret}x`, password]) {
    await post(exchangeForm(token, { client_secret: value, client_id: CLIENT_IDS.web }), {}, accepting);
    await post(exchangeForm(token), { authorization: `Basic ${btoa(`${CLIENT_IDS.web}:${value}`)}` }, accepting);
    await post(exchangeForm(token, { actor_token: value, actor_token_type: ACCESS_TOKEN }), {}, accepting);
  }
  await post(exchangeForm(token), { authorization: `Bearer ${token},Bearer ${token}` });
  await post(exchangeForm(token), { authorization: token });
  await post(exchangeForm(token), { authorization: `Bearer ${secret}~` });
  await post([...Object.entries(exchangeForm(token)), ["subject_token", token]]);
  await post({ grant_type: token, assertion: token });
  await post({ [token.slice(0, 60)]: "1", grant_type: JWT_BEARER });
  await post([
    [token, "1"],
    [token, "2"],
  ]);
  await post({ ...exchangeForm(token), scope: token, audience: "graph" });
  await post({ ...exchangeForm(token), audience: token });
  await post({ ...exchangeForm(token), resource: `https://x/${secret}` });
  await everyMisplacedSecret([token, handle, secret, password, entraRefreshToken(), "alice@contoso.local"]);
  await post({ ...exchangeForm(token), client_id: secret });
  await post({ ...exchangeForm(token), claims: JSON.stringify({ access_token: secret }) });
  await post({ grant_type: "refresh_token", refresh_token: handle }, bearer(userToken(world, { user: "bob" })));
  await post({ grant_type: "refresh_token", refresh_token: entraRefreshToken() }, bearer(token));
  await service.call(`/AuthorizationHeader/graph?access_token=${token}`);
  await service.call(`/AuthorizationHeader/${handle}`, { headers: bearer(token) });
  await service.call(`/AuthorizationHeader/graph?optionsOverride.Scopes=${secret}`, { headers: bearer(token) });
  await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { [secret]: token, grant: 7 } });
  await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json: { grant: `${handle}x` } });
  await service.call("/AuthorizationHeader/graph", { method: "PUT", headers: bearer(token), json: { grant: handle } });
  await everyBadRelayRequest([token, handle, secret, password]);
  await service.call(`/grants?after=${handle}`, { headers: bearer(token) });
  await service.call("/oauth2/revoke", { form: { token }, headers: bearer(token) });
  await service.call("/oauth2/revoke", { form: { token: handle }, headers: bearer(userToken(world, { user: "bob" })) });
  await service.call("/oauth2/token", {
    method: "POST",
    headers: { "content-type": "application/json", cookie: token },
    body: JSON.stringify({ token }),
  });
  await service.call("/oauth2/token", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `subject_token=${token}`.repeat(60),
  });
  await service.call("/Validate", {
    headers: { ...bearer(token), "x-correlation-id": token, "client-request-id": secret, traceparent: token },
  });
}

/** A secret in every parameter of which a refusal may repeat the value. */
async function everyMisplacedSecret(secrets: readonly string[]): Promise<void> {
  const own = () => bearer(userToken(world));
  const application = () => bearer(appToken(world));
  for (const value of secrets) {
    for (const parameter of ["scope", "audience", "resource"]) {
      await post({ ...exchangeForm(userToken(world)), [parameter]: value });
      await post({ ...exchangeForm(userToken(world)), [parameter]: `https://graph.microsoft.com/${value}` });
    }
    await service.call(`/AuthorizationHeader/${encodeURIComponent(value)}`, { headers: own() });
    await service.call("/AuthorizationHeader/graph", { headers: own(), json: { scopes: [value, "User.Read"] } });
    await service.call("/AuthorizationHeader/graph", { headers: own(), json: { [value]: 1 } });
    await service.call("/signin/links", { headers: application(), json: { caller: value, api: "graph" } });
    await service.call("/signin/links", { headers: application(), json: { [value]: 1 } });
    const redirect_uri = `https://app.example/cb?token=${value}`;
    const pkce = { code_challenge: "x".repeat(43), code_challenge_method: "S256" };
    const form = { client_id: CLIENT_IDS.web, response_type: "code", redirect_uri, ...pkce };
    await service.call("/oauth2/par", { headers: application(), form });
  }
}

async function everyOutage(): Promise<void> {
  const { state } = world.tenant;
  const echo = state.vault.latest("client-secret")?.value ?? "";
  for (const body of ["", { error: { code: echo, message: echo, innererror: { code: echo } } }, { value: "" }]) {
    for (const status of [200, 400, 403, 404, 429, 500, 503]) {
      state.order({ endpoint: "vault", times: 0, status, body });
      await header(userToken(world), serve());
      state.clearOrders();
    }
  }
  state.setSecret({
    name: "client-certificate",
    value: `-----BEGIN PRIVATE KEY-----\n${echo}\n-----END PRIVATE KEY-----`,
  });
  await header(userToken(world), serve({ CLIENT_CREDENTIAL: "key-vault-certificate" }));
  const disconnected = serve({ GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1" });
  await makeGrant(userToken(world), {}, disconnected);
  await disconnected.call("/grants", { headers: bearer(userToken(world)) });
  state.setSecret({ name: "sealing-key", value: "no key at all, but a secret" });
  await makeGrant(userToken(world), {}, serve());
  // A bug whose error message contains the request.
  const faulty = (path: string): Outbound => ({
    send: (request) =>
      request.url.includes(path)
        ? Promise.reject(new Error(`cannot send ${JSON.stringify(request)}`))
        : real.send(request),
  });
  await header(userToken(world), serve({}, faulty("/oauth2/")));
  await header(userToken(world), serve({}, faulty("/keys")));
  const broken = world.serve({
    surroundings: {
      steadyMs: () => {
        throw new Error(`clock broken\n    at ${echo} (${echo}.ts:1:1)`);
      },
    },
  });
  await header(userToken(world), broken);
  expect(broken.lastEvent()).toMatchObject({ code: "internal", status: 500 });
}

// The secrets to search for ----------------------------------------------------------------------------------------------

interface Secret {
  readonly what: string;
  readonly secret: string | undefined;
}

/** A secret that the service sent to Entra or Key Vault. */
function sentSecret(what: string): string {
  const found = serviceSecrets.find((one) => one.what === what && one.secret !== undefined)?.secret;
  if (found === undefined) throw new Error(`The service sent no secret of the kind "${what}".`);
  return found;
}

function collect(): void {
  serviceSecrets = secretsOfTheService();
  for (const { what, secret } of [...serviceSecrets, ...secretsOfCallers()]) {
    search.add(what, secret);
  }
}

function secretsOfTheService(): Secret[] {
  const { state } = world.tenant;
  const inVault = state.vault
    .names()
    .flatMap((name) =>
      (state.vault.versions(name) ?? []).map(({ value }) => ({ what: `vault: ${name}`, secret: value })),
    );
  const registered = state.directory.registrations.flatMap(({ name, secrets }) =>
    secrets.map(({ value }) => ({ what: `secret of ${name}`, secret: value })),
  );
  const sent = state.requests().flatMap(({ endpoint, form, authorization }) => [
    { what: "client secret sent", secret: form?.["client_secret"] },
    { what: "client assertion sent", secret: form?.["client_assertion"] },
    { what: "refresh token sent", secret: form?.["refresh_token"] },
    { what: `token for the ${endpoint}`, secret: authorization?.replace(/^Bearer /, "") },
  ]);
  return [...inVault, ...registered, ...sent, { what: "identity header", secret: state.identity.header }];
}

function secretsOfCallers(): Secret[] {
  const people = world.tenant.state.directory.users.flatMap(({ username, password, displayName }) => [
    { what: "user name", secret: username },
    { what: "password", secret: password },
    { what: "display name", secret: displayName },
  ]);
  const shown = world.calls.flatMap(({ headers, form, json }) => [
    ...textsOf(headers).map(([name, text]) => ({
      what: `header ${name}`,
      secret: text.replace(/^(Bearer|Basic) /i, ""),
    })),
    ...pairsOf(form)
      .filter(([name]) => SECRET_PARAMETERS.includes(name))
      .map(([name, secret]) => ({ what: `form ${name}`, secret })),
    ...textsOf(json)
      .filter(([name]) => name === "grant")
      .map(([name, secret]) => ({ what: `json ${name}`, secret })),
  ]);
  const handles = world.answers
    .filter(({ answer }) => answer.status === 200)
    .flatMap(({ answer }) => textsOfAnswer(answer))
    .flatMap(([, text]) => text.match(/gte_[A-Za-z0-9_-]{43}/g) ?? []);
  return [...people, ...shown, ...handles.map((secret) => ({ what: "handle", secret }))].filter(
    ({ what }) => !/content-type|client-request-id|x-correlation/.test(what),
  );
}

const SECRET_PARAMETERS = [
  "subject_token",
  "assertion",
  "client_assertion",
  "refresh_token",
  "client_secret",
  "password",
];

function pairsOf(form: Call["form"] = {}): [string, string][] {
  const pairs: Iterable<readonly string[]> = Symbol.iterator in form ? form : Object.entries(form);
  return [...pairs].map(([name = "", value = ""]) => [name, value]);
}

function presented(name: string): string {
  const found = world.calls
    .flatMap(({ headers, form }) => [...textsOf(headers), ...pairsOf(form)])
    .findLast(([given, value]) => given === name && value.includes("eyJ"));
  return found?.[1].replace("Bearer ", "") ?? "";
}

function released(member: string): string {
  return (
    world.answers
      .filter(({ answer, path }) => answer.status === 200 && path === "/oauth2/token")
      .map(({ answer }) => answer.json()[member])
      .filter((value) => typeof value === "string")
      .at(-1) ?? ""
  );
}

function textsOfAnswer(answer: Answer): [string, string][] {
  const headers = [...answer.headers].map(([name, value]): [string, string] => [`header ${name}`, value]);
  return [
    ...headers,
    ...(answer.text.startsWith("{") ? textsOf(answer.json()) : [["body", answer.text] as [string, string]]),
  ];
}

function leaksIn(path: string, answer: Answer, texts: readonly [string, string][]): Leak[] {
  // The path comes from the test and may contain a token. It is only part of the report.
  return texts.flatMap(([member, text]) => search.find(`${answer.status} ${path.slice(0, 40)} ${member}`, text));
}
