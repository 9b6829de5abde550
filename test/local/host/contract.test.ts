/**
 * What an app can observe of the host, tested on a real child process.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOCAL_MASTER_KEY } from "../../../local/host/admin-route.ts";
import type { HostProcess } from "../../../local/host/host-process.ts";
import { fixtureFolder, startFixture } from "./support/fixture.ts";
import { send } from "./support/send.ts";

let host: HostProcess;
beforeAll(async () => {
  host = await startFixture("contract", { ONLY_SETTING: "yes" });
});
afterAll(() => host.stop());

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const MASTER_KEY = ["x-functions-key", LOCAL_MASTER_KEY] as const;

const get = (path: string, headers: string[] = []) => send(host.port, path, { headers });

describe("the host routes requests:", () => {
  test.each([
    ["/items/7", "items/{id}", { id: "7" }],
    ["/items/special", "items/special", {}],
    ["/ITEMS/Special", "items/special", {}],
    ["/items/7/", "items/{id}", { id: "7" }],
    ["/items/a%20b", "items/{id}", { id: "a b" }],
    ["/items/a%2Fb", "items/{id}", { id: "a%2Fb" }],
    ["/items/%C3%BC", "items/{id}", { id: "ü" }],
    ["/items/%zz", "items/{id}", { id: "%zz" }],
    ["/items/x/../7", "items/{id}", { id: "7" }],
    ["/optional", "optional/{id?}", {}],
    ["/optional/5", "optional/{id?}", { id: "5" }],
    ["/numbers/-12", "numbers/{id:int}", { id: "-12" }],
    ["/numbers/12x", "numbers/{name}", { name: "12x" }],
    ["/numbers/2147483648", "numbers/{name}", { name: "2147483648" }],
    ["/ids/10ca1000-7e57-4000-8000-000000000000", "ids/{id:guid}", { id: "10ca1000-7e57-4000-8000-000000000000" }],
    ["/letters/abc", "letters/{name:alpha:maxlength(3)}", { name: "abc" }],
    ["/codes/ab-12", "codes/{code:regex(^[a-z]{{2}}-\\d+$)}", { code: "ab-12" }],
    ["/versions", "versions/{version=v1}", { version: "v1" }],
    ["/files", "files/{*rest}", {}],
    ["/files/a/b/c.txt", "files/{*rest}", { rest: "a/b/c.txt" }],
    ["/mixed/case", "Mixed/Case", {}],
    ["/unrouted", "unrouted", {}],
    ["/", "{ignored:maxlength(0)?}", {}],
  ])("%s", async (path, route, params) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ route, params });
  });

  // What the relay relies on: it accepts a path only if both are the same after one more decoding of the URL.
  test.each([
    ["/raw/a/b%20c", "a/b c", "/raw/a/b%20c"],
    ["/raw/a%2fb", "a%2fb", "/raw/a%2fb"],
    ["/raw/a/%2e%2e/b", "b", "/raw/b"],
    ["/raw/a/%252e%252e/b", "a/%2e%2e/b", "/raw/b"],
    ["/raw/a/%252fb", "a/%2fb", "/raw/a/%2fb"],
    ["/raw/a%5cb", "a\\b", "/raw/a%5Cb"],
    ["/raw/a;x=1/b", "a;x=1/b", "/raw/a;x=1/b"],
    ["/raw//a", "/a", "/raw//a"],
    ["/raw/a/%0d%0ab", "a/\r\nb", "/raw/a/%0D%0Ab"],
    ["/raw/%c0%ae%c0%ae/b", "%c0%ae%c0%ae/b", "/raw/%c0%ae%c0%ae/b"],
  ])("of %s a catch-all gets the decoded path, and the URL is encoded again", async (path, rest, encoded) => {
    expect((await get(path)).json).toEqual({ rest, path: encoded });
  });

  test.each([
    ["/nothing/here"],
    ["/x"],
    ["/items"],
    ["/items//"],
    ["/items/7/8"],
    ["/ids/10ca1000"],
    ["/letters/abcd"],
    ["/letters/a1"],
    ["/codes/abc-12"],
    ["/admin"],
    ["/administrator/x"],
  ])("%s is 404 without a body, with the custom headers", async (path) => {
    const answer = await get(path);
    expect(answer).toMatchObject({ status: 404, text: "" });
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });

  test("an undeclared method is 404, HEAD included", async () => {
    expect((await send(host.port, "/get-only", { method: "POST", body: "x" })).status).toBe(404);
    expect((await send(host.port, "/get-only", { method: "HEAD" })).status).toBe(404);
    expect((await send(host.port, "/get-only", { method: "PROPFIND" })).status).toBe(404);
    expect((await get("/get-only")).status).toBe(200);
  });

  test("a function without declared methods answers GET and POST", async () => {
    expect((await get("/default-methods")).status).toBe(200);
    expect((await send(host.port, "/default-methods", { method: "POST" })).status).toBe(200);
    expect((await send(host.port, "/default-methods", { method: "PUT" })).status).toBe(404);
  });

  test("the absolute form of a target is routed by its path if the Host header is the same", async () => {
    const target = "http://elsewhere.example/items/7?x=1";
    const routed = await get(target, ["Host", "elsewhere.example"]);
    expect(routed.json).toEqual({ route: "items/{id}", params: { id: "7" } });
    expect((await get(target)).status).toBe(400);
  });
});

describe("the app receives", () => {
  test("the method, the absolute URL and header names in lower case", async () => {
    const { json } = await get("/echo?a=1", ["X-Upper", "V", "Host", "example.org:81"]);
    expect(json).toMatchObject({ method: "GET", url: "http://example.org:81/echo?a=1", functionName: "echo" });
    expect(json.headers).toMatchObject({ "x-upper": "V", host: "example.org:81" });
  });

  test("repeated headers joined, including those that Node drops", async () => {
    const { json } = await get("/echo", [
      "Authorization",
      "Bearer a",
      "Authorization",
      "Bearer b",
      "X-Y",
      "1",
      "x-y",
      "2",
    ]);
    expect(json.headers).toMatchObject({ authorization: "Bearer a,Bearer b", "x-y": "1,2" });
  });

  test("repeated query keys joined regardless of case, and the URL unchanged", async () => {
    const { json } = await get("/echo?b=1&b=2&B=3&c=a%2Cb+c&d&e=");
    expect(json.query).toEqual({ b: "1,2,3", c: "a,b c", d: "", e: "" });
    expect(json.queryOfUrl.slice(0, 3)).toEqual([
      ["b", "1"],
      ["b", "2"],
      ["B", "3"],
    ]);
  });

  test("a body with a length as bytes", async () => {
    const { json } = await send(host.port, "/echo", { method: "POST", body: '{"a":"ü"}' });
    expect(json.body).toBe('{"a":"ü"}');
  });

  test("no body if it was empty or sent in chunks", async () => {
    const chunked = await send(host.port, "/echo", { method: "POST", body: "lost", chunked: true });
    expect(chunked.json).toMatchObject({ body: "", hasBody: false });
    expect((await send(host.port, "/echo", { method: "POST", body: "" })).json).toMatchObject({
      body: "",
      hasBody: false,
    });
  });

  test("no body of a GET, with a warning of the package", async () => {
    const { json } = await send(host.port, "/echo", { body: "x" });
    expect(json.hasBody).toBe(false);
    await host.logs.waitFor("Discarding the body of the incoming GET request");
  });

  test("a body of 11 MB", async () => {
    const sent = await send(host.port, "/length", { method: "POST", body: "a".repeat(11 << 20) });
    expect(sent.text).toBe(String(11 << 20));
  });

  test("requests to every loopback address", async () => {
    expect((await send(host.port, "/unrouted", { host: "localhost" })).status).toBe(200);
  });

  test("no trace context without Application Insights, even if the caller sends one", async () => {
    const { json, headers } = await get("/echo", ["traceparent", `00-${TRACE}-b7ad6b7169203331-01`]);
    expect(json.trace.traceParent).toBe("");
    expect(headers).not.toHaveProperty("request-context");
  });

  test("only its settings as environment", async () => {
    const { json } = await get("/environment");
    expect(json.names).toContain("ONLY_SETTING");
    expect(json.names.filter((name: string) => /^(?:VITEST|npm_|NODE_ENV|NODE_CHANNEL)/.test(name))).toEqual([]);
    expect(json.cwd).toBe(fixtureFolder("contract"));
  });
});

describe("the host writes the app's answer:", () => {
  const answer = (kind: string, method = "GET") => send(host.port, `/answer/${kind}`, { method });

  test("no return value is 204", async () => {
    const { status, text, headers } = await answer("nothing");
    expect({ status, text, length: headers["content-length"] }).toEqual({ status: 204, text: "", length: undefined });
  });

  test.each([["throws"], ["text"], ["badStatus"], ["wrongLength"], ["badCookie"]])(
    "%s: 500 without a body",
    async (kind) => {
      const failed = await answer(kind);
      expect(failed).toMatchObject({ status: 500, text: "" });
      expect(failed.headers["x-content-type-options"]).toBe("nosniff");
      expect(failed.headers).not.toHaveProperty("x-app");
      expect(failed.headers).not.toHaveProperty("x-injected");
    },
  );

  test("an answer that cannot be written is logged", async () => {
    await answer("wrongLength");
    expect(JSON.parse(await host.logs.waitFor("Content-Length mismatch"))).toMatchObject({ level: "Error" });
  });

  test("bytes, text and JSON have their types and come in chunks without a length", async () => {
    expect((await answer("bytes")).text).toBe("\u0000\u00ff\u0001");
    const json = await answer("json");
    expect(json.text).toBe('{"a":1}');
    expect(json.headers).toMatchObject({ "content-type": "application/json", "transfer-encoding": "chunked" });
    expect(json.headers).not.toHaveProperty("content-length");
    expect((await answer("typedJson")).headers["content-type"]).toBe("application/problem+json");
  });

  test("custom headers never replace headers of the app", async () => {
    const created = await answer("created");
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({ location: "/x", "x-custom": "app", "x-content-type-options": "nosniff" });
    expect((await answer("json")).headers["x-custom"]).toBe("host");
  });

  test("204 and 304 have no body", async () => {
    expect(await answer("noContent")).toMatchObject({ status: 204, text: "" });
    const unchanged = await answer("notModified");
    expect(unchanged).toMatchObject({ status: 304, text: "" });
    expect(unchanged.headers.etag).toBe('"1"');
  });

  test("repeated headers are joined, but only the last Set-Cookie is sent", async () => {
    const { headers } = await answer("repeated");
    expect(headers["x-many"]).toBe("1, 2");
    expect(headers["set-cookie"]).toEqual(["b=2"]);
  });

  test("cookies have the form of ASP.NET", async () => {
    expect((await answer("cookies")).headers["set-cookie"]).toEqual([
      "plain=a%20b%2Fc%3Dd; path=/",
      "full=v; expires=Wed, 02 Jan 2030 03:04:05 GMT; max-age=60; domain=example.org; path=/p; secure; samesite=strict; httponly",
      "none=v; path=/; samesite=none",
      "lax=v; path=/; samesite=lax",
    ]);
  });

  test("HEAD is answered with the headers and without a body", async () => {
    const head = await answer("json", "HEAD");
    expect(head).toMatchObject({ status: 200, text: "" });
    expect(head.headers).toMatchObject({ "content-type": "application/json", server: "Kestrel" });
    expect(Object.keys(head.headers)).not.toContain("content-length");
    expect(Object.keys(head.headers)).not.toContain("transfer-encoding");
  });

  test("a function that exceeds functionTimeout is 500, and the log contains the reason", async () => {
    expect(await get("/never")).toMatchObject({ status: 500, text: "" });
    expect(await host.logs.waitFor("Timeout value of")).toContain("Executed 'Functions.never' (Failed");
  });
});

describe("the host", () => {
  test("locks registration and setup after the start", async () => {
    expect((await get("/register-late")).text).toBe("A function can only be registered during app startup.");
    expect((await get("/setup-late")).text).toContain("can't be changed after app startup");
  });

  test("writes the app's log lines unchanged, filtered by level and category", async () => {
    await get("/log");
    const line = JSON.parse(await host.logs.waitFor("plain {"));
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      level: "Information",
      category: "Function.log.User",
      invocationId: expect.any(String),
      functionName: "log",
      message: "plain { a: 1 }",
    });
    await host.logs.waitFor("error line");
    expect(host.logs.lines.some((text) => text.includes("warn line"))).toBe(true);
    expect(host.logs.lines.some((text) => /trace line|debug line/.test(text))).toBe(false);
    // The host writes lines in batches, in order.
    await host.logs.waitFor("Executed 'Functions.log'");
    host.logs.clear();
    await get("/quiet");
    await get("/log");
    await host.logs.waitFor("Executed 'Functions.log'");
    const quiet = host.logs.lines.filter((text) => text.includes('"functionName":"quiet"'));
    expect(quiet.map((text) => JSON.parse(text).level)).toEqual(["Error"]);
  });

  test("logs the exception of a function", async () => {
    await send(host.port, "/answer/throws");
    const line = JSON.parse(await host.logs.waitFor("a secret reason"));
    expect(line).toMatchObject({ level: "Error", category: "Function.answer" });
  });

  test("runs a timer only on a request to the admin route", async () => {
    expect(host.logs.lines.some((text) => text.includes("timer ran"))).toBe(false);
    const asked = await send(host.port, "/admin/functions/tidy", {
      method: "POST",
      body: "{}",
      headers: ["Content-Type", "application/json", ...MASTER_KEY],
    });
    expect(asked.status).toBe(202);
    expect(await host.logs.waitFor("timer ran")).toContain("isPastDue=false, keys=schedule,scheduleStatus,isPastDue");
    await host.logs.waitFor("Executed 'Functions.tidy' (Succeeded");
  });

  test("answers the admin API only with the master key", async () => {
    for (const path of ["/admin/host/status", "/admin/functions/tidy", "/admin/host/keys", "/runtime/webhooks/x"]) {
      const refused = await get(path);
      expect(refused).toMatchObject({ status: 401, text: "" });
      expect(refused.headers["www-authenticate"]).toBe("Bearer");
    }
    expect((await send(host.port, "/admin/functions/tidy?code=wrong", { method: "POST" })).status).toBe(401);
    const run = (name: string) => send(host.port, `/admin/functions/${name}`, { method: "POST", headers: MASTER_KEY });
    expect((await run("nobody")).status).toBe(404);
    expect((await run("echo")).status).toBe(202);
    expect((await get(`/admin/host/status?code=${MASTER_KEY[1]}`)).json).toMatchObject({ state: "Running" });
    expect((await get("/admin/host/ping")).headers["cache-control"]).toBe("no-store,no-cache");
    expect((await get("/admin/warmup")).status).toBe(200);
    expect((await get("/admin/vfs/")).status).toBe(401);
  });
});
