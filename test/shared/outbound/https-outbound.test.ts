/** The outbound client over real TLS on loopback: deadline, limits, failed connections, redirects and certificates. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLocalTls, type LocalTls } from "../../../local/tls/local-tls.ts";
import { RELAY_CALLS_MAX } from "../../../shared/core/limits.ts";
import { createBytesOutbound, createHttpsOutbound } from "../../../shared/outbound/https-outbound.ts";
import type { OutboundRequest } from "../../../shared/outbound/outbound.ts";

type Behavior = (response: ServerResponse, body: string) => void;

interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A server with the behavior that a test sets. It records requests and connections. */
class Peer {
  readonly received: ReceivedRequest[] = [];
  readonly sockets = new Set<Socket>();
  behave: Behavior = (response) => response.end("ok");
  readonly #server: Server;

  constructor(tls: LocalTls) {
    this.#server = createServer({ key: tls.serverKeyPem, cert: tls.serverCertPem }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        this.received.push({ method: request.method, url: request.url, headers: request.headers, body });
        this.behave(response, body);
      });
    });
    this.#server.on("secureConnection", (socket) => this.sockets.add(socket));
  }

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

let trusted: Peer;
let untrusted: Peer;

beforeAll(async () => {
  const tls = createLocalTls();
  setDefaultCACertificates([...getCACertificates("default"), tls.caPem]);
  trusted = new Peer(tls);
  untrusted = new Peer(createLocalTls());
  await Promise.all([trusted.start(), untrusted.start()]);
});
afterAll(() => Promise.all([trusted.stop(), untrusted.stop()]));

function send(behave: Behavior, request: Partial<OutboundRequest> = {}) {
  trusted.behave = behave;
  const url = `https://localhost:${trusted.port}/token`;
  return createHttpsOutbound().send({
    method: "POST",
    url,
    body: "a=b",
    deadlineMs: 5_000,
    maxBytes: 1_000,
    ...request,
  });
}

describe("a response", () => {
  test("has the status, the header names in lower case and the body as text", async () => {
    const answer = await send((response) => {
      response.writeHead(400, { "X-Ms-Request-Id": "7", "Set-Cookie": ["a=1", "b=2"] });
      response.end("größer");
    });
    expect(answer).toMatchObject({
      ok: true,
      value: { status: 400, body: "größer", headers: { "x-ms-request-id": "7", "set-cookie": "a=1, b=2" } },
    });
  });

  test("to a POST: the request has its headers and the length of its body in bytes", async () => {
    await send((response) => response.end(), { body: "scope=größer", headers: { "content-type": "text/plain" } });
    expect(trusted.received.at(-1)).toMatchObject({
      method: "POST",
      body: "scope=größer",
      headers: { "content-type": "text/plain", "content-length": "14" },
    });
  });

  test("to a GET: the request has no body", async () => {
    const url = `https://localhost:${trusted.port}/keys?x=1`;
    expect(await createHttpsOutbound().send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 1_000 })).toMatchObject({
      ok: true,
    });
    expect(trusted.received.at(-1)).toMatchObject({ method: "GET", url: "/keys?x=1", body: "" });
  });

  test("SEC-14: a redirect is returned and not followed", async () => {
    const before = trusted.received.length;
    const answer = await send((response) => {
      response.writeHead(302, { location: `https://localhost:${trusted.port}/elsewhere` });
      response.end();
    });
    expect(answer).toMatchObject({ ok: true, value: { status: 302 } });
    expect(trusted.received).toHaveLength(before + 1);
  });

  test("keeps a character that is split between two chunks", async () => {
    const bytes = Buffer.from("ö");
    const answer = await send((response) => {
      response.write(bytes.subarray(0, 1), () => response.end(bytes.subarray(1)));
    });
    expect(answer).toMatchObject({ value: { body: "ö" } });
  });
});

describe("the limits of a request (SEC-14)", () => {
  test("a response of exactly the maximum size is accepted", async () => {
    expect(await send((response) => response.end("x".repeat(1_000)))).toMatchObject({ ok: true });
  });

  test("a response of one byte more than the maximum size fails", async () => {
    expect(await send((response) => response.end("x".repeat(1_001)))).toEqual({
      ok: false,
      failure: { kind: "answer_too_large" },
    });
  });

  test("the size limit ends an endless response and its connection", async () => {
    const closed = Promise.withResolvers<void>();
    const answer = await send((response) => {
      response.on("close", closed.resolve);
      const more = () => response.destroyed || response.write("x".repeat(500), () => setImmediate(more));
      more();
    });
    expect(answer).toEqual({ ok: false, failure: { kind: "answer_too_large" } });
    await closed.promise;
  });

  test("a request without a response fails at the deadline", async () => {
    const answer = await send(() => undefined, { deadlineMs: 50 });
    expect(answer).toEqual({ ok: false, failure: { kind: "timeout" } });
  });

  test("a response whose body never ends fails at the deadline", async () => {
    const answer = await send((response) => response.write("half"), { deadlineMs: 50 });
    expect(answer).toEqual({ ok: false, failure: { kind: "timeout" } });
  });
});

describe("a network failure", () => {
  test("is a reset before the response", async () => {
    const answer = await send((response) => response.socket?.destroy());
    expect(answer).toMatchObject({ ok: false, failure: { kind: "network", code: "ECONNRESET" } });
  });

  test("is a reset within the response body", async () => {
    const answer = await send((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.socket?.destroy());
    });
    expect(answer).toMatchObject({ ok: false, failure: { kind: "network", code: "ECONNRESET" } });
  });

  test("is a refused connection", async () => {
    const peer = new Peer(createLocalTls());
    await peer.start();
    const { port } = peer;
    await peer.stop();
    const url = `https://localhost:${port}/`;
    expect(await createHttpsOutbound().send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 10 })).toMatchObject({
      failure: { kind: "network", code: "ECONNREFUSED" },
    });
  });

  test("is a response that is not HTTP", async () => {
    const answer = await send((response) => response.socket?.end("nonsense\r\n\r\n"));
    expect(answer).toMatchObject({ failure: { kind: "network", code: expect.stringMatching(/^HPE_/) } });
  });
});

describe("TLS", () => {
  test.each([
    ["a certificate of an untrusted authority for a host name", "localhost"],
    ["a certificate of an untrusted authority for an address", "127.0.0.1"],
  ])("%s is refused, and no request is sent", async (_name, host) => {
    const url = `https://${host}:${untrusted.port}/`;
    const answer = await createHttpsOutbound().send({
      method: "POST",
      url,
      body: "x",
      deadlineMs: 5_000,
      maxBytes: 10,
    });
    expect(answer).toMatchObject({ ok: false, failure: { kind: "network", code: expect.stringMatching(/^[A-Z_]+$/) } });
    expect(untrusted.received).toEqual([]);
  });

  test("a trusted certificate for another host name is refused", async () => {
    const tls = createLocalTls({ dns: ["localhost"], ip: [] });
    setDefaultCACertificates([...getCACertificates("default"), tls.caPem]);
    const peer = new Peer(tls);
    await peer.start();
    const url = `https://127.0.0.1:${peer.port}/`;
    const answer = await createHttpsOutbound().send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 10 });
    expect(answer).toEqual({ ok: false, failure: { kind: "network", code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
    expect(peer.received).toEqual([]);
    await peer.stop();
  });

  test("a URL with http is refused", () => {
    const outbound = createHttpsOutbound();
    const url = `http://localhost:${trusted.port}/`;
    return expect(outbound.send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 10 })).rejects.toThrow("http:");
  });
});

test("five requests in sequence use one connection", async () => {
  trusted.behave = (response) => response.end("ok");
  const outbound = createHttpsOutbound();
  const before = trusted.sockets.size;
  for (let call = 0; call < 5; call++) {
    const url = `https://localhost:${trusted.port}/token`;
    await outbound.send({ method: "POST", url, body: "x", deadlineMs: 5_000, maxBytes: 10 });
  }
  expect(trusted.sockets.size).toBe(before + 1);
});

describe("a keep-alive connection that the server closed", () => {
  const request = () => ({
    method: "POST" as const,
    url: `https://localhost:${trusted.port}/token`,
    body: "a=b",
    deadlineMs: 5_000,
    maxBytes: 1_000,
  });

  test("does not fail the next request: it is sent again on a new connection", async () => {
    const outbound = createHttpsOutbound();
    trusted.behave = (response) => response.end("first");
    await outbound.send(request());
    let broken = 0;
    trusted.behave = (response) => {
      if (broken === 0) {
        broken += 1;
        response.socket?.destroy();
      } else {
        response.end("second");
      }
    };
    expect(await outbound.send(request())).toMatchObject({ ok: true, value: { body: "second" } });
    expect(broken).toBe(1);
  });

  test("leads to only one retry", async () => {
    const outbound = createHttpsOutbound();
    trusted.behave = (response) => response.end("first");
    await outbound.send(request());
    trusted.behave = (response) => response.socket?.destroy();
    expect(await outbound.send(request())).toMatchObject({ ok: false, failure: { kind: "network" } });
  });
});

describe("the client for APIs", () => {
  const everyByte = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
  const url = () => `https://localhost:${trusted.port}/file`;
  const bounds = { deadlineMs: 5_000, maxBytes: 1_000, share: "entry" };

  test("sends and returns bytes unchanged", async () => {
    trusted.behave = (response) => response.end(everyByte);
    const request = { method: "PUT", url: url(), body: everyByte, ...bounds } as const;
    const answer = await createBytesOutbound().sendBytes(request);
    expect(answer.ok && [...answer.value.body]).toEqual([...everyByte]);
    expect(trusted.received.at(-1)).toMatchObject({ method: "PUT", headers: { "content-length": "512" } });
  });

  test("sends a length with a POST without a body, and returns a redirect without following it", async () => {
    trusted.behave = (response) => response.writeHead(302, { location: "https://localhost/elsewhere" }).end();
    const before = trusted.received.length;
    const answer = await createBytesOutbound().sendBytes({ method: "POST", url: url(), ...bounds });
    expect(answer).toMatchObject({ ok: true, value: { status: 302 } });
    expect(trusted.received.slice(before)).toMatchObject([{ headers: { "content-length": "0" } }]);
  });

  test("ends a response over the limit", async () => {
    trusted.behave = (response) => response.end("x".repeat(1_001));
    const answer = await createBytesOutbound().sendBytes({ method: "GET", url: url(), ...bounds });
    expect(answer).toEqual({ ok: false, failure: { kind: "answer_too_large" } });
  });

  test("a share with 128 running requests gets no further one, and takes nothing from another share", async () => {
    const outbound = createBytesOutbound();
    const waiting: (() => void)[] = [];
    const all = Promise.withResolvers<void>();
    trusted.behave = (response) => {
      waiting.push(() => response.end("late"));
      if (waiting.length === RELAY_CALLS_MAX) all.resolve();
    };
    const get = (share: string) => outbound.sendBytes({ method: "GET", url: url(), ...bounds, share });
    const slow = Array.from({ length: RELAY_CALLS_MAX }, () => get("slow"));
    await all.promise;
    expect(await get("slow")).toEqual({ ok: false, failure: { kind: "share_used_up" } });
    trusted.behave = (response) => response.end("ok");
    expect((await get("other")).ok).toBe(true);
    for (const end of waiting) end();
    expect((await Promise.all(slow)).every(({ ok }) => ok)).toBe(true);
    expect((await get("slow")).ok).toBe(true);
  });

  test.each([
    ["GET", 2, true],
    ["PUT", 2, true],
    ["DELETE", 2, true],
    ["POST", 1, false],
    ["PATCH", 1, false],
  ] as const)("repeats %s on a connection that the server closed: %i requests", async (method, requests, ok) => {
    const outbound = createBytesOutbound();
    trusted.behave = (response) => response.end("ok");
    await outbound.sendBytes({ method: "GET", url: url(), ...bounds });
    const before = trusted.received.length;
    trusted.behave = (response) => {
      if (trusted.received.length === before + 1) response.socket?.destroy();
      else response.end("again");
    };
    const answer = await outbound.sendBytes({ method, url: url(), ...bounds });
    expect([answer.ok, trusted.received.length - before]).toEqual([ok, requests]);
  });
});
