/**
 * The HTTP surface under attack, through real sockets: the built app in the local Functions host, in a
 * process of its own, and bytes that no client library would send. Then its start and its end.
 */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHostProcess } from "../../local/host/host-process.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { CLIENT_IDS, claimsOf, exchangeForm, USER_IDS } from "../support/callers.ts";
import { type RawAnswer, type RawRequest, rawRequest, sendRaw } from "../support/raw-http.ts";

let stack: Stack;
let port: number;
beforeAll(async () => {
  stack = await startStack();
  port = Number(new URL(stack.service.url).port);
});
beforeEach(() => stack.tenant.state.clearLog());
afterAll(() => stack.stop());

const token = (overrides = {}) => stack.tenant.state.mintUserToken({ user: "alice", client: "web", ...overrides });
const authorization = (value = token()) => `Authorization: Bearer ${value}`;
const send = (request: RawRequest) => sendRaw(port, rawRequest(request));
const HEADER = "/AuthorizationHeader/graph";
const JSON_TYPE = "Content-Type: application/json";
const FORM = "Content-Type: application/x-www-form-urlencoded";
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const post = (body: string, headers: readonly string[] = [FORM]) =>
  send({ method: "POST", target: "/oauth2/token", headers, body });
const json = (answer: RawAnswer) => JSON.parse(answer.body) as Record<string, unknown>;
const oidIn = (answer: RawAnswer) => claimsOf(String(json(answer)["authorizationHeader"]).slice(7))["oid"];
const tokenRequests = () => stack.tenant.state.requestCounts()["token"] ?? 0;

test("to begin with: a good request is served", async () => {
  const answer = await send({ target: HEADER, headers: [authorization()] });
  expect(answer.status).toBe(200);
  expect(oidIn(answer)).toBe(USER_IDS.alice);
  expect(answer.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
});

describe("SEC-1: ways to say who calls", () => {
  test.each([
    ["the scheme in small letters", () => [`authorization: bearer ${token()}`], 200],
    ["the scheme in capitals", () => [`AUTHORIZATION: BEARER ${token()}`], 200],
    ["two headers, the same", () => [authorization(), authorization()], 400],
    ["two headers, one of them bad", () => [authorization(), "Authorization: Bearer x"], 400],
    ["a bad one first", () => ["Authorization: Bearer x", authorization()], 400],
    ["two in one", () => [`Authorization: Bearer ${token()}, Bearer x`], 400],
    ["two spaces", () => [`Authorization: Bearer  ${token()}`], 400],
    ["a tab", () => [`Authorization: Bearer\t${token()}`], 400],
    ["no scheme", () => [`Authorization: ${token()}`], 400],
    ["Basic", () => ["Authorization: Basic YTpi"], 400],
    ["Negotiate", () => ["Authorization: Negotiate YTpi"], 400],
    ["DPoP", () => [`Authorization: DPoP ${token()}`], 400],
    ["an empty header", () => ["Authorization:"], 401],
    ["Bearer alone", () => ["Authorization: Bearer"], 400],
    ["a quoted token", () => [`Authorization: Bearer "${token()}"`], 400],
    ["an underscore for the hyphen of another header", () => [`X_Authorization: Bearer ${token()}`], 401],
    ["the proxy's header", () => [`Proxy-Authorization: Bearer ${token()}`], 401],
    ["a cookie", () => [`Cookie: access_token=${token()}; AppServiceAuthSession=${token()}`], 401],
    ["a line folded", () => [`Authorization: Bearer\r\n ${token()}`], 400],
    ["a space before the colon", () => [`Authorization : Bearer ${token()}`], 400],
    ["letters beyond ASCII", () => [`Authorization: Bearer ${token()}é`], 400],
  ] as [string, () => string[], number][])("%s", async (_title, headers, status) => {
    const answer = await send({ target: HEADER, headers: headers() });
    expect(answer.status).toBe(status);
    expect(answer.text.includes("eyJ")).toBe(status === 200);
    expect(tokenRequests()).toBe(status === 200 ? 1 : 0);
  });

  test("a token in the URL is refused even beside a good header", async () => {
    const answer = await send({ target: `${HEADER}?access_token=${token()}`, headers: [authorization()] });
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status: 400, code: "token_in_query" });
  });
});

describe("SEC-2: bodies", () => {
  const good = () => form(exchangeForm(token()));

  test.each([
    ["repeated parameter", () => `${good()}&subject_token=x`, 400, "parameter_repeated"],
    ["repeated grant_type", () => `${good()}&grant_type=password`, 400, "parameter_repeated"],
    ["10,000 parameters", () => `${good()}${"&a=1".repeat(10_000)}`, 400, "too_many_parameters"],
    ["70 KB", () => `${good()}&filler=${"x".repeat(70_000)}`, 413, "request_too_large"],
    ["a megabyte", () => `filler=${"x".repeat(1_000_000)}`, 413, "request_too_large"],
    ["no UTF-8", () => "grant_type=\xff\xfe", 400, "body_not_utf8"],
    ["nothing", () => "", 400, "parameter_missing"],
    ["JSON as a form", () => JSON.stringify({ grant_type: "password" }), 400, "parameter_missing"],
  ])("%s", async (_title, body, status, code) => {
    const answer = await post(body());
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status, error: "invalid_request", code });
    expect(tokenRequests()).toBe(0);
  });

  test.each([
    ["no content type", []],
    ["JSON", ["Content-Type: application/json"]],
    ["multipart", ["Content-Type: multipart/form-data; boundary=x"]],
    ["UTF-16", ["Content-Type: application/x-www-form-urlencoded; charset=utf-16"]],
    ["two content types", [FORM, "Content-Type: application/json"]],
    ["gzip", [FORM, "Content-Encoding: gzip"]],
    ["text", ["Content-Type: text/plain"]],
  ] as [string, string[]][])("415: %s", async (_title, headers) => {
    const answer = await post(good(), headers);
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status: 415, code: "media_type_unsupported" });
  });

  test("a bomb is not unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000)).toString("latin1");
    expect((await post(bomb, [FORM, "Content-Encoding: gzip"])).status).toBe(415);
  });

  test.each([
    ["names of a prototype", "&__proto__=1&constructor=2&__proto__[admin]=1&toString=x"],
    ["array forms, unknown like any other", "&scope[]=Mail.Send&audience[0]=orders"],
    ["unknown parameters", "&client_info=1&prompt=none&tenant=evil&authority=https://evil.example"],
    ["a byte order mark at the end of a name", "&\xef\xbb\xbf=1"],
    ["empty ones", "&scope=&resource=&client_secret=&claims="],
  ])("ignored: %s", async (_title, more) => {
    const answer = await post(`${good()}${more}`);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(stack.tenant.state.requests({ endpoint: "token" }))).not.toMatch(/evil|Mail\.Send/);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  test.each<[string, string, string, () => string]>([
    ["a form", "/oauth2/token", FORM, good],
    ["a scope that policy refuses", HEADER, JSON_TYPE, () => '{"scopes":["Nope.Bad"]}'],
    ["somebody else's grant", HEADER, JSON_TYPE, () => `{"grant":"gte_${"x".repeat(43)}"}`],
    ["a link", "/signin/links", JSON_TYPE, () => '{"api":"graph"}'],
  ])(
    "in chunks it does not reach the app, as in Azure, and is not taken for an empty one: %s",
    async (_title, ...sent) => {
      const [path, type, body] = sent;
      const text = body();
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${type}\r\n${authorization()}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const answer = await sendRaw(port, [head, `${text.length.toString(16)}\r\n${text}\r\n`, "0\r\n\r\n"]);
      expect({ status: answer.status, ...json(answer) }).toMatchObject({ status: 400, code: "body_missing" });
      expect(tokenRequests()).toBe(0);
    },
  );

  test("a body of 20 MB reaches the app, as in Azure, and the app refuses it with 413", async () => {
    const answer = await post("x".repeat(20_000_000));
    expect(answer.status).toBe(413);
    expect(json(answer)["code"]).toBe("request_too_large");
  });

  test("a body declared larger than 100 MB is refused by the host with 500", async () => {
    const head = `POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\n${FORM}\r\nContent-Length: 104857601\r\n\r\n`;
    expect(await sendRaw(port, [head, "x".repeat(1_000)])).toMatchObject({ status: 500, body: "" });
  });
});

describe("smuggling: one request stays one", () => {
  const inner = () => rawRequest({ target: HEADER, headers: [authorization()] });
  test.each([
    ["Content-Length and Transfer-Encoding", () => ["Content-Length: 4", "Transfer-Encoding: chunked"]],
    ["two lengths", () => ["Content-Length: 4", "Content-Length: 400"]],
    ["a length with a sign", () => ["Content-Length: +4"]],
    ["a length in words", () => ["Content-Length: four"]],
    ["an unknown transfer coding", () => ["Transfer-Encoding: xchunked"]],
    ["chunked twice", () => ["Transfer-Encoding: chunked, chunked"]],
    ["a coding behind a tab", () => ["Transfer-Encoding:\tchunked", "Content-Length: 4"]],
    ["a header without a name", () => [": x"]],
    ["NUL in a header", () => ["X-A: a\0b"]],
    ["a bare carriage return", () => ["X-A: a\rX-B: b"]],
  ] as [string, () => string[]][])("%s", async (_title, headers) => {
    const request = `POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\n${headers().join("\r\n")}\r\n\r\n`;
    const answer = await sendRaw(port, `${request}0\r\n\r\n${inner()}`);
    expect(answer.status).toBe(400);
    expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(tokenRequests()).toBe(0);
  });

  test.each([
    ["no Host", rawRequest({ target: "/healthz", headers: ["Connection: close"], bare: true })],
    ["two hosts", rawRequest({ target: "/healthz", headers: ["Host: a", "Host: b", "Connection: close"], bare: true })],
    ["a host with a path", rawRequest({ target: "/healthz", headers: ["Host: a/b", "Connection: close"], bare: true })],
    ["a host with a user", rawRequest({ target: "/healthz", headers: ["Host: a@b", "Connection: close"], bare: true })],
    ["no HTTP", "hello\r\n\r\n"],
    ["a space in the target", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n"],
  ])("400: %s", async (_title, request) => {
    expect((await sendRaw(port, request)).status).toBe(400);
  });

  test("40 KB of headers: 431", async () => {
    const answer = await send({ target: "/healthz", headers: [`X-Filler: ${"x".repeat(40_000)}`] });
    expect(answer.status).toBe(431);
  });

  test("a token of 20 KB in a header within the limit: 401, nothing repeated", async () => {
    const answer = await send({ target: HEADER, headers: [`Authorization: Bearer ${"x".repeat(20_000)}`] });
    expect(answer.status).toBe(401);
    expect(answer.text.length).toBeLessThan(2_000);
  });
});

describe("SEC-11: headers that a proxy or Easy Auth would set", () => {
  const principal = Buffer.from(
    JSON.stringify({ auth_typ: "aad", claims: [{ typ: "oid", val: USER_IDS.bob }] }),
  ).toString("base64");
  const spoofed = [
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Uri: /healthz",
    "X_Forwarded_Host: evil.example",
    "Forwarded: for=127.0.0.1;host=evil.example;proto=https",
    "X-Original-URL: /healthz",
    "X-Rewrite-URL: /healthz",
    "X-HTTP-Method-Override: GET",
    `X-MS-CLIENT-PRINCIPAL: ${principal}`,
    `X-MS-CLIENT-PRINCIPAL-ID: ${USER_IDS.bob}`,
    "X-MS-CLIENT-PRINCIPAL-NAME: bob@contoso.local",
    "X-MS-CLIENT-PRINCIPAL-IDP: aad",
    "X-MS-TOKEN-AAD-ACCESS-TOKEN: eyJhbGciOiJub25lIn0.e30.",
    "X-ARR-ClientCert: MIIB",
    "x-functions-key: master",
  ];

  test("prove nobody: 401", async () => {
    expect((await send({ target: HEADER, headers: spoofed })).status).toBe(401);
    expect((await send({ target: `${HEADER}?code=master`, headers: spoofed })).status).toBe(401);
    expect((await send({ target: "/grants", headers: spoofed })).status).toBe(401);
  });

  test("change nothing for somebody: alice stays alice, and no answer speaks of them", async () => {
    const answer = await send({ target: HEADER, headers: [authorization(), ...spoofed] });
    expect(oidIn(answer)).toBe(USER_IDS.alice);
    expect(answer.text).not.toMatch(/evil|bob/);
  });

  test("Connection cannot take the Authorization header away or bring one back", async () => {
    const answer = await send({ target: HEADER, headers: ["Connection: authorization", authorization()] });
    expect(answer.status).toBe(200);
    expect((await send({ target: HEADER, headers: ["Connection: authorization"] })).status).toBe(401);
  });

  test("a spoofed Host is in no answer", async () => {
    const headers = ["Host: evil.example:8443", "Connection: close"];
    for (const target of [
      HEADER,
      "/.well-known/oauth-protected-resource",
      "/.well-known/oauth-authorization-server",
      "/oauth2/token",
      "/ready",
      "/healthz",
    ]) {
      const answer = await send({ target, headers, bare: true });
      expect(answer.text).not.toContain("evil.example");
    }
    const refused = await send({ target: HEADER, headers, bare: true });
    expect(refused.headers["www-authenticate"]).toContain(
      `resource_metadata="${stack.service.url}/.well-known/oauth-protected-resource"`,
    );
  });
});

/** Everything logged up to now: the host gathers lines for a moment, and they come in order. */
async function logsSoFar(): Promise<string> {
  const marker = randomUUID();
  await send({ target: HEADER, headers: [authorization(), `client-request-id: ${marker}`] });
  await stack.service.logs.waitFor(marker);
  return stack.service.logs.tail(200);
}

describe("SEC-3: what would break a header or a log line", () => {
  test.each(["client-request-id", "x-ms-client-request-id", "x-correlation-id", "traceparent"])(
    "%s that is no identifier is dropped",
    async (name) => {
      for (const value of ['"><script>', "../../etc", "0f0e0d0c-0b0a-4908-8706-050403020100 x", "x".repeat(5_000)]) {
        const answer = await send({ target: HEADER, headers: [authorization(), `${name}: ${value}`] });
        expect(answer.status).toBe(200);
        expect(answer.headers["client-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
        expect(answer.text).not.toContain("script");
      }
      expect(await logsSoFar()).not.toMatch(/script|etc|xxxxx/);
    },
  );

  test("line breaks in parameters reach neither header nor log line nor Entra", async () => {
    const evil = 'graph\r\nX-Injected: 1\n{"event":"exchange"}';
    for (const name of ["scope", "audience", "resource", "client_id", "grant_type", "claims", "requested_token_type"]) {
      const answer = await post(form({ ...exchangeForm(token()), [name]: evil }));
      expect(answer.status).toBe(400);
      expect(answer.headers).not.toHaveProperty("x-injected");
      expect(answer.body).not.toContain("Injected");
    }
    expect(tokenRequests()).toBe(0);
    expect(await logsSoFar()).not.toContain("Injected");
  });
});

describe("SEC-12, SEC-13: methods and other origins", () => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "%s /oauth2/token: 405 with Allow",
    async (method) => {
      const answer = await send({
        method,
        target: "/oauth2/token",
        headers: ["X-HTTP-Method-Override: POST", authorization()],
      });
      expect(answer.status).toBe(405);
      expect(answer.headers["allow"]).toBe("POST");
    },
  );

  test("TRACE repeats nothing: 405 or not found, never the request and never a fault of ours", async () => {
    const answer = await send({ method: "TRACE", target: "/oauth2/token", headers: [authorization(), "X-Secret: 1"] });
    expect([404, 405]).toContain(answer.status);
    expect(answer.text).not.toMatch(/X-Secret|eyJ/i);
  });

  test("CONNECT and invented methods end outside", async () => {
    for (const method of ["CONNECT", "PROPFIND", "TRACK", "DEBUG"]) {
      const { status } = await send({ method, target: "/oauth2/token" });
      expect([0, 400, 404, 405, 501]).toContain(status);
    }
  });

  test.each(["https://evil.example", "null", "http://localhost:3000"])("no origin is let in: %s", async (origin) => {
    const preflight = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"];
    for (const target of [HEADER, "/oauth2/token", "/grants", "/.well-known/oauth-protected-resource"]) {
      const asked = await send({ method: "OPTIONS", target, headers: [`Origin: ${origin}`, ...preflight] });
      expect(asked.status).toBe(405);
      const got = await send({ target, headers: [`Origin: ${origin}`, authorization()] });
      expect(
        Object.keys({ ...asked.headers, ...got.headers }).filter((name) => name.startsWith("access-control")),
      ).toEqual([]);
    }
  });
});

describe("paths", () => {
  test.each([
    ["/OAUTH2/TOKEN", 405],
    ["/oauth2/token/", 405],
    ["/x/../oauth2/token", 405],
    ["/oauth2%2Ftoken", 404],
    ["//oauth2/token", 404],
    ["/oauth2/token/x", 404],
    ["/oauth2", 404],
    ["/AuthorizationHeader", 404],
    ["/AuthorizationHeader/", 404],
    ["/AuthorizationHeader/graph/x", 404],
    ["/AuthorizationHeader/..", 204],
    ["/", 204],
    ["/admin/host/keys", 401],
    ["/api/token", 404],
    ["/.env", 404],
    ["/host.json", 404],
    ["/dist/index.mjs", 404],
    ["/%00", 400],
    // The host refuses NUL before the app sees the API's name.
    ["/AuthorizationHeader/gr%00aph", 400],
    ["http://evil.example/oauth2/token", 400],
  ])("%s: %i", async (target, status) => {
    const answer = await send({ target });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("evil");
  });

  test.each([
    "/AuthorizationHeader/graph%2F..%2Forders",
    "/AuthorizationHeader/%2e%2e%2fgraph",
    "/AuthorizationHeader/graph%20",
    "/AuthorizationHeader/GRAPH",
    "/AuthorizationHeader/__proto__",
  ])("%s names no API", async (target) => {
    const answer = await send({ target, headers: [authorization()] });
    expect([403, 404]).toContain(answer.status);
    expect(tokenRequests()).toBe(0);
  });
});

describe("the start is refused", () => {
  const appDirectory = resolve(import.meta.dirname, "../..");
  const start = (changes: Record<string, string | undefined>) => {
    const { tenant, tables } = stack;
    const input = {
      tenantUrl: tenant.url,
      serviceUrl: stack.service.url,
      tableUrl: tables.url,
      managedIdentity: tenant.state.identity,
    };
    return startHostProcess({ appDirectory, port: 0, settings: createServiceSettings(input, changes) });
  };
  /** What a host that should not have started said; it must have ended with code 1. */
  const refusal = async (changes: Record<string, string | undefined>): Promise<string> => {
    const said = await start(changes).then(
      async (host) => `started: ${JSON.stringify(await host.stop())}`,
      (error: Error) => error.message,
    );
    expect(said).toContain("exit code 1");
    return said;
  };

  test("every problem at once, by the names of the settings, never a value", async () => {
    const said = await refusal({
      TENANT_ID: "not-a-guid-but-secret",
      CLIENT_ID: undefined,
      SERVICE_URL: "https://x/secret-path",
      CLIENT_CREDENTIAL: "password=hunter2",
      KEY_VAULT_URL: "https://evil.example",
      ALLOW_GUESTS: "perhaps",
      POLICY:
        '{"apis":{},"callers":[{"name":"a","kind":"user","clientId":"x","flows":["ropc"],"apis":{},"admin":true}]}',
    });
    for (const name of [
      "TENANT_ID",
      "CLIENT_ID",
      "SERVICE_URL",
      "CLIENT_CREDENTIAL",
      "KEY_VAULT_URL",
      "ALLOW_GUESTS",
      "POLICY callers.0",
    ]) {
      expect(said).toContain(name);
    }
    expect(said).not.toMatch(/secret-path|hunter2|evil\.example|not-a-guid|perhaps/);
  });

  test.each([
    ["certificates are not checked", { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, /NODE_TLS_REJECT_UNAUTHORIZED/],
    ["the local cloud in Azure", { WEBSITE_INSTANCE_ID: "abc" }, /CLOUD must not be local where WEBSITE_INSTANCE_ID/],
    ["the local tenant in the public cloud", { CLOUD: "public" }, /TENANT_ID|LOCAL_TENANT_URL/],
    [
      "the delegated registration for application tokens",
      { APP_ONLY_CLIENT_ID: CLIENT_IDS.service },
      /APP_ONLY_CLIENT_ID/,
    ],
    ["a local tenant that is elsewhere", { LOCAL_TENANT_URL: "https://login.evil.example" }, /LOCAL_TENANT_URL/],
    ["a local tenant without TLS", { LOCAL_TENANT_URL: "http://localhost:1" }, /LOCAL_TENANT_URL/],
    ["no policy", { POLICY: undefined }, /POLICY is missing/],
  ] as [string, Record<string, string | undefined>, RegExp][])("%s", async (_title, changes, problem) => {
    expect(await refusal(changes)).toMatch(problem);
  });
});

// Last: it ends the host.
test("SIGTERM: the exchange under way is finished, new connections are refused, the process ends well", async () => {
  const { state } = stack.tenant;
  const order = state.order({ endpoint: "token", client: "service", hold: true });
  const running = send({ target: HEADER, headers: [authorization()] });
  await state.orders.hit(order);
  const { pid } = stack.service;
  const restarted = stack.restartHost();
  await refused();
  state.releaseOrder({ id: order });
  const answer = await running;
  expect(oidIn(answer)).toBe(USER_IDS.alice);
  await restarted;
  expect(stack.service.pid).not.toBe(pid);
  expect((await send({ target: HEADER, headers: [authorization()] })).status).toBe(200);
});

/** Resolves when the port no longer accepts connections. */
async function refused(): Promise<void> {
  for (;;) {
    try {
      await send({ target: "/healthz" });
    } catch {
      return;
    }
  }
}
