/** The relay over its routes, with the real exchange and the local tenant's Graph and Orders API. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { everyByte } from "../../local/tenant/graph/messages.ts";
import { ENTRA_DEADLINE_MS, RELAY_CALL_DEADLINE_MS, RELAY_REQUEST_DEADLINE_MS } from "../../shared/core/limits.ts";
import { allowedHandle } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, userToken } from "../support/callers.ts";
import type { Call } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { relaySettings } from "./support/relay-policy.ts";

const { world, service, restart } = useWorld();

beforeEach(() => restart({ settings: relaySettings(world.tenant.url) }));

const asAlice = () => bearer(userToken(world));

function call(path: string, { headers, ...rest }: Call = {}) {
  return service.call(path, { headers: { ...asAlice(), ...headers }, ...rest });
}

function addScopes(...scopes: string[]) {
  world.tenant.state.addConsent({ user: "alice", scopes });
}

/** The requests that reached the API. */
function reached(endpoint = "graph") {
  return world.tenant.state.log.entries().filter((entry) => entry.endpoint === endpoint);
}

describe("a request through the relay", () => {
  test("GET answers what Graph answers, although the token has scopes outside the entry's list", async () => {
    addScopes("Files.Read");
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ displayName: "Alice Archer" });
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  });

  test("passes the query on, encoded again", async () => {
    const answer = await call("/DownstreamApi/graph/v1.0/me/messages?$filter=isRead%20eq%20false&$select=subject");
    expect(answer.json()["value"]).toEqual([
      { "@odata.etag": expect.any(String), id: "local-alice-1", subject: "Welcome, Alice" },
    ]);
  });

  test("HEAD answers the headers without a body", async () => {
    const answer = await call("/DownstreamApi/graph/v1.0/me", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect(answer.headers.get("request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("POST sends the body and answers Graph's 202", async () => {
    addScopes("Mail.Send");
    const answer = await call("/DownstreamApi/graph/v1.0/me/sendMail", { json: { message: { subject: "Hi" } } });
    expect([answer.status, answer.text]).toEqual([202, ""]);
  });

  test("sends and returns bytes unchanged", async () => {
    addScopes("Files.ReadWrite", "User.ReadWrite");
    const bytes = everyByte(70_000);
    const put = await call("/DownstreamApi/graph/v1.0/me/drive/root:/Public/a%20b/caf%C3%A9.bin:/content", {
      method: "PUT",
      body: bytes,
      headers: { "content-type": "application/octet-stream", "content-length": String(bytes.byteLength) },
    });
    expect(put.status).toBe(201);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(put.json()).toMatchObject({ size: 70_000, file: { hashes: { sha256 } } });
    const photo = await call("/DownstreamApi/graph/v1.0/me/photo/$value");
    expect(Buffer.from(photo.bytes ?? []).equals(Buffer.from(everyByte(1_024)))).toBe(true);
    expect(photo.headers.get("content-type")).toBe("image/jpeg");
  });

  test("reaches an API at the base URL of the policy", async () => {
    const answer = await call("/DownstreamApi/orders/orders");
    expect([answer.status, answer.json()["value"]]).toEqual([200, [{ id: 1, item: "paper" }]]);
  });

  test("sends allowed headers and no other, and its own token", async () => {
    world.tenant.state.order({ endpoint: "graph", status: 200, body: { ok: true } });
    await call("/DownstreamApi/graph/v1.0/me", {
      headers: {
        consistencylevel: "eventual",
        prefer: "odata.maxpagesize=5",
        cookie: "a=b",
        "x-http-method-override": "DELETE",
        "x-forwarded-host": "evil.example",
        "x-original-url": "/v1.0/users",
        connection: "prefer, close",
      },
    });
    const headers = reached()[0]?.headers ?? {};
    expect(headers["consistencylevel"]).toBe("eventual");
    expect(Object.keys(headers).sort()).toEqual(
      ["authorization", "client-request-id", "connection", "consistencylevel", "host", "user-agent"].sort(),
    );
    expect(headers["authorization"]).not.toBe(asAlice().authorization);
  });
});

test.each([
  ["a control character", "a\u0001b"],
  ["a character outside ASCII", "caf\u00e9"],
  ["more than 1,024 characters", "a".repeat(1_025)],
])("a forwarded header with %s is refused and named", async (_name, prefer) => {
  const answer = await call("/DownstreamApi/graph/v1.0/me", { headers: { prefer } });
  expect(answer.json()).toMatchObject({ status: 400, code: "parameter_invalid" });
  expect(answer.text).toContain("prefer");
  expect(reached()).toEqual([]);
});

describe("the API's response comes through as it is", () => {
  test.each([
    [404, { error: { code: "ErrorItemNotFound" } }],
    [409, { error: { code: "conflict" } }],
    [500, { error: { code: "InternalServerError" } }],
    [503, { error: { code: "ServiceUnavailable" } }],
  ])("status %i with its body", async (status, body) => {
    world.tenant.state.order({ endpoint: "graph", status, body });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect([answer.status, answer.json()]).toEqual([status, body]);
    expect(service.lastEvent()).toMatchObject({ outcome: "answered", code: "ok", status, relayStatus: status });
  });

  test("429 with Retry-After", async () => {
    world.tenant.state.order({ endpoint: "graph", throttleSeconds: 17 });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "17"]);
  });

  test("ETag, If-Match and 412, If-None-Match and 304, DELETE and 204", async () => {
    addScopes("Mail.ReadWrite");
    const path = "/DownstreamApi/graph/v1.0/me/messages/local-alice-1";
    const etag = (await call(path)).headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\//);
    expect((await call(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    const stale = { method: "PATCH", json: { isRead: true }, headers: { "if-match": 'W/"old"' } };
    expect((await call(path, stale)).status).toBe(412);
    expect((await call(path, { ...stale, headers: { "if-match": etag } })).status).toBe(200);
    const deleted = await call(path, { method: "DELETE" });
    expect([deleted.status, deleted.text]).toEqual([204, ""]);
  });

  test("without cookies, headers of one connection, and headers for a browser at the API's origin", async () => {
    const dropped = {
      Connection: "keep-alive, X-Hop",
      "X-Hop": "1",
      "Proxy-Authenticate": "Basic",
      "Access-Control-Allow-Origin": "*",
      "Alt-Svc": 'h3=":443"',
      Refresh: "0; url=https://evil.example",
      "X-MS-Client-Principal": "x",
      "X-Anything": "x",
      Link: "<https://evil.example>; rel=preload",
      Expires: "Thu, 01 Jan 2099 00:00:00 GMT",
      Age: "1",
      Pragma: "public",
      Via: "1.1 proxy",
    };
    const kept = { "OData-Version": "4.0", "Preference-Applied": "x", "Content-Disposition": "attachment" };
    world.tenant.state.order({ endpoint: "graph", status: 200, headers: { ...dropped, ...kept }, body: { ok: true } });
    const scripted = await call("/DownstreamApi/graph/v1.0/me");
    for (const name of Object.keys(dropped).filter((one) => one !== "Via"))
      expect(scripted.headers.has(name)).toBe(false);
    for (const [name, value] of Object.entries(kept)) expect(scripted.headers.get(name)).toBe(value);
    expect(scripted.headers.get("via")).toBe("1.1 graph-token-exchange");
    expect(scripted.headers.get("x-content-type-options")).toBe("nosniff");
    const ordinary = await call("/DownstreamApi/graph/v1.0/me");
    expect(ordinary.headers.has("set-cookie")).toBe(false);
    expect(ordinary.headers.has("strict-transport-security")).toBe(false);
  });

  test("for no cache, and for one caller and one grant only", async () => {
    const headers = { "Cache-Control": "public, max-age=600", Vary: "Accept" };
    world.tenant.state.order({ endpoint: "graph", status: 200, headers, body: {} });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.headers.get("vary")).toBe("Authorization, X-Grant");
  });

  test("paging links lead through the relay to the last page", async () => {
    let path: string | undefined = "/DownstreamApi/graph/v1.0/me/messages?$top=1&$select=subject";
    const subjects: unknown[] = [];
    while (path !== undefined) {
      const page = (await call(path)).json() as { value: { subject: string }[]; "@odata.nextLink"?: string };
      subjects.push(...page.value.map(({ subject }) => subject));
      path = page["@odata.nextLink"]?.replace("http://localhost:7071", "");
      expect(path ?? "/DownstreamApi/graph/v1.0/me/messages?").toMatch(
        /^\/DownstreamApi\/graph\/v1\.0\/me\/messages\?/,
      );
    }
    expect(subjects).toEqual(["Welcome, Alice", "Travel", "Invoice"]);
  });

  test("a JSON body with paging links keeps its numbers and its spelling", async () => {
    const body = `{ "n": 12345678901234567890.10, "@odata.nextLink" : "${world.tenant.url}/v1.0/me?$skiptoken=a%2Bb", "text": "\\"@odata.nextLink\\":\\"${world.tenant.url}/x\\"", "x@odata.deltaLink":"https://other.example/v1.0/me", "ä": 1.0 }`;
    world.tenant.state.order({ endpoint: "graph", status: 200, headers: { "Content-Type": "application/json" }, body });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    const link = "http://localhost:7071/DownstreamApi/graph/v1.0/me?$skiptoken=a%2Bb";
    expect(answer.text).toBe(body.replace(`${world.tenant.url}/v1.0/me?$skiptoken=a%2Bb`, link));
  });
});

describe("Location and redirects", () => {
  test("a Location of the same API that a rule allows leads through the relay, another one is dropped", async () => {
    const created = (location: string) =>
      world.tenant.state.order({ endpoint: "graph", status: 201, headers: { Location: location }, body: { ok: true } });
    created(`${world.tenant.url}/v1.0/me/messages/new`);
    const through = await call("/DownstreamApi/graph/v1.0/me");
    expect(through.headers.get("location")).toBe("http://localhost:7071/DownstreamApi/graph/v1.0/me/messages/new");
    for (const location of [
      `${world.tenant.url}/v1.0/users/bob`,
      "https://evil.example/v1.0/me",
      `${world.tenant.url.replace("https://", "https://user@")}/v1.0/me`,
      `${world.tenant.url}/v1.0/me/messages/..%2f..%2fusers`,
      "//evil.example/v1.0/me",
    ]) {
      created(location);
      expect((await call("/DownstreamApi/graph/v1.0/me")).headers.get("location")).toBeNull();
    }
  });

  test("Graph's redirect to the content of a file is neither followed nor passed on", async () => {
    addScopes("Files.Read");
    const answer = await call("/DownstreamApi/graph/v1.0/me/drive/items/1/content");
    expect([answer.status, answer.json()["code"]]).toEqual([502, "downstream_redirect"]);
    expect(answer.text + JSON.stringify([...answer.headers])).not.toContain("tempauth");
    expect(service.lastEvent()).toMatchObject({ code: "downstream_redirect", relayStatus: 302 });
  });

  test("a redirect inside the same API that a rule allows leads through the relay", async () => {
    world.tenant.state.order({ endpoint: "graph", status: 307, headers: { Location: "/v1.0/me/messages" }, body: "" });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect([answer.status, answer.headers.get("location")]).toEqual([
      307,
      "http://localhost:7071/DownstreamApi/graph/v1.0/me/messages",
    ]);
  });
});

describe("claims challenges and refused tokens", () => {
  /** A demand that a new token meets, and one that only a new sign-in meets. */
  const NEWER = '{"access_token":{"nbf":{"essential":true,"value":"1700000001"}}}';
  const MFA = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

  test("a claims challenge is answered by one new exchange with its claims", async () => {
    world.tenant.state.order({ endpoint: "graph", caeChallenge: NEWER });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect(answer.status).toBe(200);
    const claims = world.tenant.state.log.entries().flatMap(({ form }) => form?.["claims"] ?? []);
    expect(claims.at(-1)).toContain('"1700000001"');
    expect(reached()).toHaveLength(2);
  });

  test("a challenge that comes again is passed on: 401 insufficient_claims if the caller understands it, else 403", async () => {
    for (const [xms_cc, status, error] of [
      [["cp1"], 401, "insufficient_claims"],
      [undefined, 403, "interaction_required"],
    ] as const) {
      world.tenant.state.clearLog();
      world.tenant.state.order({ endpoint: "graph", caeChallenge: NEWER, times: 2 });
      const headers = bearer(userToken(world, xms_cc === undefined ? {} : { claims: { xms_cc } }));
      const answer = await service.call("/DownstreamApi/graph/v1.0/me", { headers });
      expect([answer.status, answer.json()["error"]]).toEqual([status, error]);
      expect(answer.json()["claims"]).toContain('"1700000001"');
      expect(reached()).toHaveLength(2);
      if (status === 401) expect(answer.headers.get("www-authenticate")).toContain('error="insufficient_claims"');
    }
  });

  test("a challenge that Entra refuses to answer is Entra's refusal", async () => {
    world.tenant.state.order({ endpoint: "graph", caeChallenge: MFA });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect([answer.status, answer.json()["code"]]).toEqual([403, "interaction_required"]);
  });

  test("a cached token that the API refuses is replaced once", async () => {
    const headers = asAlice();
    await call("/DownstreamApi/graph/v1.0/me", { headers });
    world.tenant.state.order({
      endpoint: "graph",
      status: 401,
      body: { error: { code: "InvalidAuthenticationToken" } },
    });
    expect((await call("/DownstreamApi/graph/v1.0/me", { headers })).status).toBe(200);
    expect(service.lastEvent()).toMatchObject({ cache: "bypass" });
  });

  test("401 for a new token comes through with the API's WWW-Authenticate", async () => {
    const headers = { "WWW-Authenticate": 'Bearer realm=""' };
    world.tenant.state.order({ endpoint: "graph", status: 401, headers, body: {} });
    const answer = await call("/DownstreamApi/graph/v1.0/me");
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm=""']);
    expect(reached()).toHaveLength(1);
  });
});

describe("limits and failures", () => {
  test("the host stops a function later than the relay's own deadline, which is longer than two calls", () => {
    const host = JSON.parse(readFileSync(join(import.meta.dirname, "../../host.json"), "utf8"));
    const [hours = 0, minutes = 0, seconds = 0] = String(host.functionTimeout).split(":").map(Number);
    expect((hours * 60 + minutes) * 60_000 + seconds * 1_000).toBeGreaterThan(RELAY_REQUEST_DEADLINE_MS);
    expect(RELAY_REQUEST_DEADLINE_MS).toBeGreaterThan(2 * (RELAY_CALL_DEADLINE_MS + ENTRA_DEADLINE_MS));
  });

  test("a body over 5 MB is refused with 413, one of 5 MB is sent", async () => {
    addScopes("Files.ReadWrite");
    const put = (size: number) =>
      call("/DownstreamApi/graph/v1.0/me/drive/items/1/content", { method: "PUT", body: new Uint8Array(size) });
    const accepted = await put(5 * 1024 * 1024);
    expect(accepted.json()).toMatchObject({ size: 5 * 1024 * 1024 });
    const refused = await put(5 * 1024 * 1024 + 1);
    expect([refused.status, refused.json()["code"]]).toEqual([413, "request_too_large"]);
  });

  test("a response of 5 MB is returned, a larger one is 502", async () => {
    const get = (size: number) =>
      call(`/DownstreamApi/graph/v1.0/me/messages/local-alice-1/attachments/bytes-${size}/$value`);
    const answer = await get(5 * 1024 * 1024);
    expect([answer.status, answer.bytes?.byteLength]).toEqual([200, 5 * 1024 * 1024]);
    const refused = await get(5 * 1024 * 1024 + 1);
    expect([refused.status, refused.json()["code"]]).toEqual([502, "downstream_answer_too_large"]);
  });

  test("a closed connection is 503 and is not repeated for POST", async () => {
    addScopes("Mail.Send");
    world.tenant.state.order({ endpoint: "graph", drop: true, times: 2 });
    const answer = await call("/DownstreamApi/graph/v1.0/me/sendMail", { json: {} });
    expect([answer.status, answer.json()["code"]]).toEqual([503, "downstream_unavailable"]);
    expect(reached()).toHaveLength(1);
  });

  test("a compressed body is refused", async () => {
    const answer = await call("/DownstreamApi/graph/v1.0/me/sendMail", {
      body: "x",
      method: "POST",
      headers: { "content-encoding": "gzip" },
    });
    expect(answer.json()).toMatchObject({ code: "parameter_not_supported" });
  });

  test("a body that the host dropped is refused", async () => {
    const answer = await call("/DownstreamApi/graph/v1.0/me/sendMail", {
      method: "POST",
      headers: { "transfer-encoding": "chunked" },
    });
    expect(answer.json()).toMatchObject({ code: "body_missing" });
  });
});

describe("policy", () => {
  test.each([
    ["a path without a rule", "GET", "/DownstreamApi/graph/v1.0/users"],
    ["a method without a rule", "DELETE", "/DownstreamApi/graph/v1.0/me"],
    ["the beta version", "GET", "/DownstreamApi/graph/beta/me/messages"],
    ["HEAD where only GET is listed", "HEAD", "/DownstreamApi/graph/v1.0/me/photo/$value"],
  ])("refuses %s with 403 downstream_not_allowed and calls nothing", async (_name, method, path) => {
    const answer = await call(path, { method });
    expect([answer.status, answer.json()["code"]]).toEqual([403, "downstream_not_allowed"]);
    expect(world.tenant.state.log.entries().filter(({ endpoint }) => endpoint === "token")).toEqual([]);
    expect(answer.json()["detail"]).toContain("GET,HEAD /v1.0/me");
  });

  test("a caller without rules is refused, although it may have a token", async () => {
    const headers = bearer(userToken(world, { client: "stranger" }));
    const answer = await service.call("/DownstreamApi/graph/v1.0/me", { headers });
    expect(answer.json()).toMatchObject({ status: 403, code: "downstream_not_allowed" });
  });

  test("beta where a rule writes it", async () => {
    expect((await call("/DownstreamApi/graph/beta/me")).status).toBe(200);
  });

  test("query options by list where one is written", async () => {
    restart({
      settings: relaySettings(world.tenant.url, [{ methods: ["GET"], path: "/v1.0/me/messages", query: ["$select"] }]),
    });
    const get = async (query: string) => (await call(`/DownstreamApi/graph/v1.0/me/messages?${query}`)).status;
    expect(await get("$select=id")).toBe(200);
    expect(await get("%24select=id")).toBe(200);
    expect(await get("$SELECT=id")).toBe(200);
    for (const query of [
      "select=id",
      "$select=id&$filter=isRead%20eq%20true",
      "filter=x",
      "$expand=x",
      "$select=id&x=1",
    ]) {
      expect([query, await get(query)]).toEqual([query, 403]);
    }
  });

  test("an API without rules, an unknown API, no token", async () => {
    expect((await call("/DownstreamApi/unknown/v1.0/me")).json()).toMatchObject({ status: 404, code: "api_unknown" });
    const anonymous = await service.call("/DownstreamApi/graph/v1.0/me");
    expect(anonymous.json()).toMatchObject({ status: 401, code: "caller_missing" });
  });
});

describe("callers", () => {
  test("an application uses its own token on the route for applications", async () => {
    const headers = bearer(appToken(world, { client: "reports" }));
    const answer = await service.call("/DownstreamApiUnauthenticated/graph/v1.0/users", { headers });
    expect([answer.status, (answer.json()["value"] as unknown[]).length]).toEqual([200, 5]);
    expect((await service.call("/DownstreamApi/graph/v1.0/users", { headers })).json()).toMatchObject({
      code: "user_required",
    });
    const person = await service.call("/DownstreamApiUnauthenticated/graph/v1.0/users", { headers: asAlice() });
    expect(person.json()).toMatchObject({ status: 403, code: "application_required" });
  });

  test("an application with a grant acts for its user, and never gets the token", async () => {
    const handle = await allowedHandle(service);
    const headers = { ...bearer(appToken(world, { client: "daemon" })), "x-grant": handle };
    const answer = await service.call("/DownstreamApi/graph/v1.0/me", { headers });
    expect([answer.status, answer.json()["displayName"]]).toEqual([200, "Alice Archer"]);
    const header = await service.call("/AuthorizationHeader/graph", { headers, json: { grant: handle } });
    expect(header.json()).toMatchObject({ status: 403, code: "relay_only" });
    expect(JSON.stringify(service.events())).not.toContain(handle);
    const own = await service.call("/DownstreamApiUnauthenticated/graph/v1.0/me", { headers });
    expect(own.json()).toMatchObject({ status: 400, code: "parameter_not_supported" });
  });

  test("a malformed handle is refused before anything else is asked", async () => {
    const answer = await call("/DownstreamApi/graph/v1.0/me", { headers: { "x-grant": "@{variables('grant')}" } });
    expect(answer.json()).toMatchObject({ status: 400, code: "handle_malformed" });
  });

  /** A sign-in by link: links remain possible for an entry without release, because a handle is no token. */
});

describe("the audit event", () => {
  test("has method, the rule's path, status, bytes and Graph's request id, and neither path nor query", async () => {
    const answer = await call("/DownstreamApi/graph/v1.0/me/messages/local-alice-1?$select=subject,secretvalue");
    const event = service.lastEvent();
    expect(event).toMatchObject({
      outcome: "answered",
      code: "ok",
      route: "downstream-api-path",
      flow: "on-behalf-of",
      api: "graph",
      policyEntry: "web-users",
      relayMethod: "GET",
      relayRule: "/v1.0/me/messages/**",
      relayStatus: 200,
      relayBytesSent: 0,
      relayBytesReceived: Buffer.byteLength(answer.text),
      relayRequestId: answer.headers.get("request-id"),
    });
    expect(JSON.stringify(event)).not.toMatch(/local-alice-1|secretvalue/);
  });

  test("names why a path is refused, and not the path", async () => {
    await call("/DownstreamApi/graph/v1.0/me/secret%252fpath");
    expect(service.lastEvent()).toMatchObject({ code: "path_invalid", reason: "path: slash" });
    expect(JSON.stringify(service.lastEvent())).not.toContain("secret");
  });
});
