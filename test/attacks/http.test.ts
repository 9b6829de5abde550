/**
 * Attacks on the HTTP interface through real sockets, with requests that no client library sends. The built app runs in the
 * local Functions host in a separate process. Then the refused starts and the stop of the service.
 */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startHostProcess } from "../../local/host/host-process.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { CLIENT_IDS, claimsOf, exchangeForm, USER_IDS } from "../support/callers.ts";
import { type RawAnswer, type RawRequest, rawRequest, sendRaw } from "../support/raw-http.ts";
import { startTestStack } from "../support/test-stack.ts";

let stack: Stack;
let port: number;
beforeAll(async () => {
  stack = await startTestStack();
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

test("a valid request is answered with a token", async () => {
  const answer = await send({ target: HEADER, headers: [authorization()] });
  expect(answer.status).toBe(200);
  expect(oidIn(answer)).toBe(USER_IDS.alice);
  expect(answer.headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
});

describe("SEC-1: client authentication by header", () => {
  test.each([
    ["the scheme bearer in lower case", 200, () => [`authorization: bearer ${token()}`]],
    ["the scheme BEARER in upper case", 200, () => [`AUTHORIZATION: BEARER ${token()}`]],
    ["two equal Authorization headers", 400, () => [authorization(), authorization()]],
    ["a valid and an invalid Authorization header", 400, () => [authorization(), "Authorization: Bearer x"]],
    ["an invalid and a valid Authorization header", 400, () => ["Authorization: Bearer x", authorization()]],
    ["two tokens in one Authorization header", 400, () => [`Authorization: Bearer ${token()}, Bearer x`]],
    ["two spaces after the scheme", 400, () => [`Authorization: Bearer  ${token()}`]],
    ["a tab after the scheme", 400, () => [`Authorization: Bearer\t${token()}`]],
    ["a token without a scheme", 400, () => [`Authorization: ${token()}`]],
    ["the scheme Basic", 400, () => ["Authorization: Basic YTpi"]],
    ["the scheme Negotiate", 400, () => ["Authorization: Negotiate YTpi"]],
    ["the scheme DPoP", 400, () => [`Authorization: DPoP ${token()}`]],
    ["an empty Authorization header", 401, () => ["Authorization:"]],
    ["the scheme Bearer without a token", 400, () => ["Authorization: Bearer"]],
    ["a quoted token", 400, () => [`Authorization: Bearer "${token()}"`]],
    ["the header X_Authorization", 401, () => [`X_Authorization: Bearer ${token()}`]],
    ["the header Proxy-Authorization", 401, () => [`Proxy-Authorization: Bearer ${token()}`]],
    ["a token in a cookie", 401, () => [`Cookie: access_token=${token()}; AppServiceAuthSession=${token()}`]],
    ["an Authorization header with line folding", 400, () => [`Authorization: Bearer\r\n ${token()}`]],
    ["a space before the colon of the header", 400, () => [`Authorization : Bearer ${token()}`]],
    ["a non-ASCII character after the token", 400, () => [`Authorization: Bearer ${token()}é`]],
  ] as [string, number, () => string[]][])("a request with %s is answered with %i", async (_title, status, headers) => {
    const answer = await send({ target: HEADER, headers: headers() });
    expect(answer.status).toBe(status);
    expect(answer.text.includes("eyJ")).toBe(status === 200);
    expect(tokenRequests()).toBe(status === 200 ? 1 : 0);
  });

  test("a token in the URL is refused, even with a valid Authorization header", async () => {
    const answer = await send({ target: `${HEADER}?access_token=${token()}`, headers: [authorization()] });
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status: 400, code: "token_in_query" });
  });
});

describe("SEC-2: request bodies", () => {
  const validForm = () => form(exchangeForm(token()));

  test.each<[string, number, string, () => string]>([
    ["a repeated parameter", 400, "parameter_repeated", () => `${validForm()}&subject_token=x`],
    ["a repeated grant_type", 400, "parameter_repeated", () => `${validForm()}&grant_type=password`],
    ["10,000 parameters", 400, "too_many_parameters", () => `${validForm()}${"&a=1".repeat(10_000)}`],
    ["70 KB", 413, "request_too_large", () => `${validForm()}&filler=${"x".repeat(70_000)}`],
    ["one megabyte", 413, "request_too_large", () => `filler=${"x".repeat(1_000_000)}`],
    ["invalid UTF-8", 400, "body_not_utf8", () => "grant_type=\xff\xfe"],
    ["no content", 400, "parameter_missing", () => ""],
    ["JSON instead of a form", 400, "parameter_missing", () => JSON.stringify({ grant_type: "password" })],
  ])("a body with %s is refused with %i %s", async (_title, status, code, body) => {
    const answer = await post(body());
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status, error: "invalid_request", code });
    expect(tokenRequests()).toBe(0);
  });

  test.each([
    ["no content type", []],
    ["content type application/json", ["Content-Type: application/json"]],
    ["content type multipart/form-data", ["Content-Type: multipart/form-data; boundary=x"]],
    ["charset utf-16", ["Content-Type: application/x-www-form-urlencoded; charset=utf-16"]],
    ["two content types", [FORM, "Content-Type: application/json"]],
    ["content encoding gzip", [FORM, "Content-Encoding: gzip"]],
    ["content type text/plain", ["Content-Type: text/plain"]],
  ] as [string, string[]][])("a form with %s is refused with 415", async (_title, headers) => {
    const answer = await post(validForm(), headers);
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status: 415, code: "media_type_unsupported" });
  });

  test("a decompression bomb is refused with 415 and not decompressed", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000)).toString("latin1");
    expect((await post(bomb, [FORM, "Content-Encoding: gzip"])).status).toBe(415);
  });

  test.each([
    ["names of Object.prototype", "&__proto__=1&constructor=2&__proto__[admin]=1&toString=x"],
    ["unknown parameters", "&client_info=1&prompt=none&tenant=evil&authority=https://evil.example"],
    ["a byte order mark as name", "&\xef\xbb\xbf=1"],
    ["empty parameters", "&scope=&resource=&client_secret=&claims="],
  ])("a form with %s is accepted, and they are ignored", async (_title, more) => {
    const answer = await post(`${validForm()}${more}`);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(stack.tenant.state.requests({ endpoint: "token" }))).not.toMatch(/evil|Mail\.Send/);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  test("a form with array forms of parameters is refused, because ignoring them would return another token", async () => {
    const answer = await post(`${validForm()}&scope[]=Mail.Send&audience[0]=orders`);
    expect({ status: answer.status, ...json(answer) }).toMatchObject({ status: 400, code: "parameter_not_supported" });
    expect(stack.tenant.state.requests({ endpoint: "token" })).toEqual([]);
  });

  test.each<[string, string, string, () => string]>([
    ["a form", "/oauth2/token", FORM, validForm],
    ["a scope that policy refuses", HEADER, JSON_TYPE, () => '{"scopes":["Nope.Bad"]}'],
    ["the grant of another user", HEADER, JSON_TYPE, () => `{"grant":"gte_${"x".repeat(43)}"}`],
    ["a sign-in link", "/signin/links", JSON_TYPE, () => '{"api":"graph"}'],
  ])(
    "a chunked body, which Azure does not pass to the app, is refused with 400 body_missing: %s",
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

describe("nested JSON from a stranger", () => {
  const claims = "[".repeat(9_000) + "]".repeat(9_000);

  test.each([
    ["/AuthorizationHeader/graph", `{"claims":${claims}}`],
    ["/AuthorizationHeaderUnauthenticated/graph", `{"claims":${claims}}`],
    ["/signin/links", `{"api":"graph","claims":${claims}}`],
    ["/AuthorizationHeader/graph", '{"claims":'.repeat(5_000) + 1 + "}".repeat(5_000)],
  ])("POST %s answers 400 body_not_json to thousands of levels", async (target, body) => {
    const answer = await send({ method: "POST", target, headers: [JSON_TYPE], body });
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({ code: "body_not_json", action: "fix_request" });
  });

  test("POST /AuthorizationHeader/{api} refuses a member that appears twice", async () => {
    const body = '{"minimumSeconds":1,"minimumSeconds":2}';
    const answer = await send({ method: "POST", target: HEADER, headers: [JSON_TYPE, authorization()], body });
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({
      code: "parameter_repeated",
      detail: "The parameter minimumSeconds is repeated. Send it once.",
    });
  });
});

describe("request smuggling", () => {
  const smuggled = () => rawRequest({ target: HEADER, headers: [authorization()] });
  test.each([
    ["Content-Length and Transfer-Encoding", () => ["Content-Length: 4", "Transfer-Encoding: chunked"]],
    ["two values of Content-Length", () => ["Content-Length: 4", "Content-Length: 400"]],
    ["a Content-Length with a sign", () => ["Content-Length: +4"]],
    ["a Content-Length in words", () => ["Content-Length: four"]],
    ["an unknown transfer coding", () => ["Transfer-Encoding: xchunked"]],
    ["a repeated chunked coding", () => ["Transfer-Encoding: chunked, chunked"]],
    ["a tab before the transfer coding", () => ["Transfer-Encoding:\tchunked", "Content-Length: 4"]],
    ["a header without a name", () => [": x"]],
    ["NUL in a header", () => ["X-A: a\0b"]],
    ["a bare carriage return", () => ["X-A: a\rX-B: b"]],
  ] as [string, () => string[]][])(
    "a request with %s is refused with 400, and the smuggled request is not answered",
    async (_title, headers) => {
      const request = `POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\n${headers().join("\r\n")}\r\n\r\n`;
      const answer = await sendRaw(port, `${request}0\r\n\r\n${smuggled()}`);
      expect(answer.status).toBe(400);
      expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(tokenRequests()).toBe(0);
    },
  );

  test.each([
    ["no Host header", rawRequest({ target: "/healthz", headers: ["Connection: close"], bare: true })],
    [
      "two Host headers",
      rawRequest({ target: "/healthz", headers: ["Host: a", "Host: b", "Connection: close"], bare: true }),
    ],
    ["a path in Host", rawRequest({ target: "/healthz", headers: ["Host: a/b", "Connection: close"], bare: true })],
    ["a user in Host", rawRequest({ target: "/healthz", headers: ["Host: a@b", "Connection: close"], bare: true })],
    ["no HTTP request line", "hello\r\n\r\n"],
    ["a space in the target", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n"],
  ])("a request with %s is refused with 400", async (_title, request) => {
    expect((await sendRaw(port, request)).status).toBe(400);
  });

  test("a request with 40 KB of headers is refused with 431", async () => {
    const answer = await send({ target: "/healthz", headers: [`X-Filler: ${"x".repeat(40_000)}`] });
    expect(answer.status).toBe(431);
  });

  test("a token of 20 KB is refused with 401 and not repeated in the response", async () => {
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

  test("do not authenticate a caller: 401", async () => {
    expect((await send({ target: HEADER, headers: spoofed })).status).toBe(401);
    expect((await send({ target: `${HEADER}?code=master`, headers: spoofed })).status).toBe(401);
    expect((await send({ target: "/grants", headers: spoofed })).status).toBe(401);
  });

  test("do not change the caller, and do not appear in the response", async () => {
    const answer = await send({ target: HEADER, headers: [authorization(), ...spoofed] });
    expect(oidIn(answer)).toBe(USER_IDS.alice);
    expect(answer.text).not.toMatch(/evil|bob/);
  });

  test("Connection: authorization neither removes nor adds an Authorization header", async () => {
    const answer = await send({ target: HEADER, headers: ["Connection: authorization", authorization()] });
    expect(answer.status).toBe(200);
    expect((await send({ target: HEADER, headers: ["Connection: authorization"] })).status).toBe(401);
  });

  test("a spoofed Host appears in no response", async () => {
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

/** All log lines so far. The host buffers lines and writes them in order, so this waits for the line of a last request. */
async function logsSoFar(): Promise<string> {
  const marker = randomUUID();
  await send({ target: HEADER, headers: [authorization(), `client-request-id: ${marker}`] });
  await stack.service.logs.waitFor(marker);
  return stack.service.logs.tail(200);
}

describe("SEC-3: header and log injection", () => {
  test.each(["client-request-id", "x-ms-client-request-id", "x-correlation-id", "traceparent"])(
    "an invalid identifier in %s is ignored",
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

  test("line breaks in parameters appear in no header or log line and are not sent to Entra", async () => {
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

describe("SEC-12, SEC-13: methods and origins", () => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "%s /oauth2/token is refused with 405 and Allow",
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

  test("TRACE is refused with 404 or 405 and does not repeat the request", async () => {
    const answer = await send({ method: "TRACE", target: "/oauth2/token", headers: [authorization(), "X-Secret: 1"] });
    expect([404, 405]).toContain(answer.status);
    expect(answer.text).not.toMatch(/X-Secret|eyJ/i);
  });

  test("CONNECT and unknown methods are refused", async () => {
    for (const method of ["CONNECT", "PROPFIND", "TRACK", "DEBUG"]) {
      const { status } = await send({ method, target: "/oauth2/token" });
      expect([0, 400, 404, 405, 501]).toContain(status);
    }
  });

  test.each(["https://evil.example", "null", "http://localhost:3000"])(
    "the origin %s gets no CORS headers",
    async (origin) => {
      const preflight = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"];
      for (const target of [HEADER, "/oauth2/token", "/grants", "/.well-known/oauth-protected-resource"]) {
        const preflighted = await send({ method: "OPTIONS", target, headers: [`Origin: ${origin}`, ...preflight] });
        expect(preflighted.status).toBe(405);
        const requested = await send({ target, headers: [`Origin: ${origin}`, authorization()] });
        expect(
          Object.keys({ ...preflighted.headers, ...requested.headers }).filter((name) =>
            name.startsWith("access-control"),
          ),
        ).toEqual([]);
      }
    },
  );
});

describe("unusual paths", () => {
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
    ["/AuthorizationHeader/..", 200],
    ["/", 200],
    ["/admin/host/keys", 401],
    ["/api/token", 404],
    ["/.env", 404],
    ["/host.json", 404],
    ["/dist/index.mjs", 404],
    ["/%00", 400],
    // The host refuses NUL before the app sees the API's name.
    ["/AuthorizationHeader/gr%00aph", 400],
    ["http://evil.example/oauth2/token", 400],
  ])("%s is answered with %i", async (target, status) => {
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
  ])("%s is refused with 403 or 404 and sends no request to Entra", async (target) => {
    const answer = await send({ target, headers: [authorization()] });
    expect([403, 404]).toContain(answer.status);
    expect(tokenRequests()).toBe(0);
  });
});

describe("the service does not start", () => {
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
  /** The error message of a host that must not start and must exit with code 1. */
  const refusal = async (changes: Record<string, string | undefined>): Promise<string> => {
    const message = await start(changes).then(
      async (host) => `started: ${JSON.stringify(await host.stop())}`,
      (error: Error) => error.message,
    );
    expect(message).toContain("exit code 1");
    return message;
  };

  test("and names all wrong settings at once, without their values", async () => {
    const message = await refusal({
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
      expect(message).toContain(name);
    }
    expect(message).not.toMatch(/secret-path|hunter2|evil\.example|not-a-guid|perhaps/);
  });

  test.each([
    [
      "if the verification of certificates is turned off",
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      /NODE_TLS_REJECT_UNAUTHORIZED/,
    ],
    [
      "with the local cloud in Azure",
      { WEBSITE_INSTANCE_ID: "abc" },
      /CLOUD must not be local in Azure: WEBSITE_INSTANCE_ID/,
    ],
    ["with the local tenant in the public cloud", { CLOUD: "public" }, /TENANT_ID|LOCAL_TENANT_URL/],
    [
      "with the delegated registration for application tokens",
      { APP_ONLY_CLIENT_ID: CLIENT_IDS.service },
      /APP_ONLY_CLIENT_ID/,
    ],
    ["with a local tenant on another machine", { LOCAL_TENANT_URL: "https://login.evil.example" }, /LOCAL_TENANT_URL/],
    ["with a local tenant without TLS", { LOCAL_TENANT_URL: "http://localhost:1" }, /LOCAL_TENANT_URL/],
    ["without a policy", { POLICY: undefined }, /POLICY is missing/],
  ] as [string, Record<string, string | undefined>, RegExp][])("%s", async (_title, changes, problem) => {
    expect(await refusal(changes)).toMatch(problem);
  });
});

// Last, because it stops the host.
test("after SIGTERM, the host finishes the running exchange and refuses new connections", async () => {
  const { state } = stack.tenant;
  const order = state.order({ endpoint: "token", client: "service", hold: true });
  const running = send({ target: HEADER, headers: [authorization()] });
  await state.orders.hit(order);
  const { pid } = stack.service;
  const restarted = stack.restartHost();
  await connectionsRefused();
  state.releaseOrder({ id: order });
  const answer = await running;
  expect(oidIn(answer)).toBe(USER_IDS.alice);
  await restarted;
  expect(stack.service.pid).not.toBe(pid);
  expect((await send({ target: HEADER, headers: [authorization()] })).status).toBe(200);
});

/** Resolves when the host accepts no more connections. */
async function connectionsRefused(): Promise<void> {
  for (;;) {
    try {
      await send({ target: "/healthz" });
    } catch {
      return;
    }
  }
}
