/**
 * What the real host's web server does with the bytes of a request: limits, header bytes, versions, targets, framing. Each
 * value is what the real host answered to the same bytes.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostProcess } from "../../../local/host/host-process.ts";
import { type RawAnswer, sendRaw } from "../../support/raw-http.ts";
import { startFixture } from "./support/fixture.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

let host: HostProcess;
beforeAll(async () => {
  host = await startFixture("contract", {
    AzureWebJobsDisableHomepage: "True",
    APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=10ca1000-7e57-4000-8000-000000000000",
  });
});
afterAll(() => host.stop());

interface Head {
  readonly line?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** Sends a request with `Connection: close`. One character is one byte. */
function sendHead({ line = "GET /unrouted HTTP/1.1", host: name = "Host: localhost", headers = [], body = "" }: Head) {
  const lines = [line, ...(name === "" ? [] : [name]), "Connection: close", ...headers];
  return sendRaw(host.port, `${lines.join("\r\n")}\r\n\r\n${body}`);
}

/** The web server refused the request before the host saw it: no body, no custom headers. */
function expectRefusal(answer: RawAnswer, status: number): void {
  expect(answer).toMatchObject({ status, body: "" });
  expect(answer.headers).toMatchObject({ "content-length": "0", connection: "close", server: "Kestrel" });
  expect(answer.headers).not.toHaveProperty("x-content-type-options");
}

const lineOf = (length: number) =>
  `GET /unrouted?${"a".repeat(length - "GET /unrouted? HTTP/1.1\r\n".length)} HTTP/1.1`;
const many = (count: number) => Array.from({ length: count }, (_, index) => `X-H${index}: v`);
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

describe("the web server accepts", () => {
  test.each<[string, Head]>([
    ["a request line of 8192 bytes", { line: lineOf(8_192) }],
    ["98 headers besides Host and Connection", { headers: many(98) }],
    ["a header of 31 KB", { headers: [`X-Large: ${"v".repeat(31 * 1_024)}`] }],
    ["an empty port and a bracketed address", { host: "Host: [::1]:80" }],
    ["a host with an underscore", { host: "Host: a_b" }],
    ["UTF-8 up to U+00FF in a header", { headers: [`X-Name: ${utf8("ä")}`] }],
    ["an unknown expectation", { headers: ["Expect: something"] }],
  ])("%s", async (_what, head) => {
    expect((await sendHead(head)).status).toBe(200);
  });
});

describe("the web server refuses", () => {
  test.each<[string, number, Head]>([
    ["a request line of 8193 bytes", 414, { line: lineOf(8_193) }],
    ["a request line of 33 KB", 414, { line: lineOf(33_000) }],
    ["a request line of 300 KB", 414, { line: lineOf(300_000) }],
    ["99 headers besides Host and Connection", 431, { headers: many(99) }],
    ["2,500 headers", 431, { headers: many(2_500) }],
    ["a header of 33 KB", 431, { headers: [`X-Large: ${"v".repeat(33 * 1_024)}`] }],
    ["headers of 300 KB", 431, { headers: Array.from({ length: 20 }, () => `X-Large: ${"v".repeat(15_000)}`) }],
    ["a header byte that is not UTF-8", 400, { headers: ["X-Name: \u00e4"] }],
    ["a header name beyond ASCII", 400, { headers: ["X-N\u00e4me: v"] }],
    ["no Host in HTTP/1.1", 400, { host: "" }],
    ["two Hosts", 400, { headers: ["Host: b"] }],
    ["a Host with a space", 400, { host: "Host: a b" }],
    ["a Host with a slash", 400, { host: "Host: a/b" }],
    ["a Host with a port that is no number", 400, { host: "Host: a:x" }],
    ["a Host other than that of an absolute target", 400, { line: "GET http://a.example/unrouted HTTP/1.1" }],
    ["%00 in a path", 400, { line: "GET /items/%00 HTTP/1.1" }],
    ["GET *", 405, { line: "GET * HTTP/1.1" }],
    ["a target without a slash", 405, { line: "GET unrouted HTTP/1.1" }],
    ["a target that is only a query", 400, { line: "GET ?x HTTP/1.1" }],
    ["CONNECT to an authority", 400, { line: "CONNECT example.org:443 HTTP/1.1" }],
    ["HTTP/2.0", 505, { line: "GET /unrouted HTTP/2.0" }],
    ["HTTP/1.2", 505, { line: "GET /unrouted HTTP/1.2" }],
    ["a version in lower case", 505, { line: "GET /unrouted http/1.1" }],
    ["no version", 400, { line: "GET /unrouted" }],
  ])("%s: %i", async (_what, status, head) => {
    expectRefusal(await sendHead(head), status);
  });
});

describe("the host answers 500 without a body to", () => {
  test.each<[string, Head]>([
    ["UTF-8 beyond U+00FF in a header, which the app's package cannot read", { headers: [`X-Name: ${utf8("€")}`] }],
    ["an empty Host, of which it cannot build a URL", { host: "Host:" }],
    ["a Host that is no host of a URL", { host: "Host: a!b" }],
    ["a body declared larger than 100 MB", { line: "POST /length HTTP/1.1", headers: ["Content-Length: 104857601"] }],
  ])("%s", async (_what, head) => {
    const answer = await sendHead(head);
    expect(answer).toMatchObject({ status: 500, body: "" });
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });
});

describe("the host answers 404 to", () => {
  test.each(["OPTIONS * HTTP/1.1", "CONNECT /unrouted HTTP/1.1", "TRACE /unrouted HTTP/1.1", "FOO /unrouted HTTP/1.1"])(
    "%s",
    async (line) => {
      expect(await sendHead({ line })).toMatchObject({ status: 404, body: "" });
    },
  );
});

describe("HTTP/1.0", () => {
  test("the end of the connection ends the body, even with keep-alive", async () => {
    for (const headers of [[], ["Connection: keep-alive"]]) {
      const lines = ["GET /answer/json HTTP/1.0", "Host: localhost", ...headers];
      const answer = await sendRaw(host.port, `${lines.join("\r\n")}\r\n\r\n`);
      expect(answer).toMatchObject({ status: 200, body: '{"a":1}' });
      expect(answer.headers).toMatchObject({ connection: "close" });
      expect(answer.headers).not.toHaveProperty("transfer-encoding");
      expect(answer.headers).not.toHaveProperty("content-length");
    }
  });

  test("without Host the host cannot build a URL", async () => {
    expect(await sendRaw(host.port, "GET /unrouted HTTP/1.0\r\n\r\n")).toMatchObject({ status: 500, body: "" });
  });
});

describe("bodies", () => {
  const chunked = (body: string, more: readonly string[] = []) =>
    sendHead({ line: "POST /length HTTP/1.1", headers: ["Transfer-Encoding: chunked", ...more], body });

  test("malformed chunks are not read: the app answers as to every chunked body", async () => {
    for (const body of ["zz\r\nabc\r\n0\r\n\r\n", "3\r\nabcXX0\r\n\r\n"]) {
      const answer = await chunked(body);
      expect(answer).toMatchObject({ status: 200, body: "0" });
      expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    }
  });

  test("a body that ends too early gets no answer", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { connect } = await import("node:net");
    const socket = connect({ port: host.port, host: "127.0.0.1", allowHalfOpen: true });
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("close", () => resolve(text)).on("error", () => undefined);
    socket.end("POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabc");
    expect(await promise).toBe("");
  });

  test("Expect: 100-continue gets 100 only if the body has not arrived", async () => {
    const head =
      "POST /length HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    expect((await sendRaw(host.port, `${head}abc`)).text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const { connect } = await import("node:net");
    const socket = connect({ port: host.port, host: "127.0.0.1" });
    const { promise, resolve } = Promise.withResolvers<string>();
    let text = "";
    socket.on("data", (data) => {
      text += data;
      if (text === "HTTP/1.1 100 Continue\r\n\r\n") {
        socket.write("abc");
      }
    });
    socket.on("close", () => resolve(text));
    socket.write(head);
    expect(await promise).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe("answers", () => {
  test("the app's answer has the server's name and neither Content-Length nor Keep-Alive", async () => {
    const answer = await sendHead({ line: "GET /answer/json HTTP/1.1" });
    expect(answer.headers).toMatchObject({ server: "Kestrel", "transfer-encoding": "chunked", connection: "close" });
    expect(answer.headers).not.toHaveProperty("content-length");
    expect(answer.headers).not.toHaveProperty("keep-alive");
  });

  test("a connection that stays open is not announced", async () => {
    const open = "GET /answer/json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const { headers } = await sendRaw(host.port, `${open}${open.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}`);
    expect(headers).not.toHaveProperty("connection");
    expect(headers).not.toHaveProperty("keep-alive");
  });

  test("with Application Insights the app gets a span in the caller's trace, and answers have Request-Context", async () => {
    const traceparent = (trace: string) => `traceparent: 00-${trace}-b7ad6b7169203331-01`;
    const given = await sendHead({ line: "GET /echo HTTP/1.0", headers: [traceparent(TRACE), "tracestate: a=1"] });
    expect(given.headers["request-context"]).toBe("appId=");
    const { trace } = JSON.parse(given.body);
    expect(trace.traceState).toBe("a=1");
    expect(trace.traceParent).toMatch(new RegExp(`^00-${TRACE}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    const invalid = await sendHead({ line: "GET /echo HTTP/1.0", headers: [traceparent("0".repeat(32))] });
    expect(JSON.parse(invalid.body).trace.traceParent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});
