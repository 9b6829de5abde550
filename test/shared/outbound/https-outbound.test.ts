/** The way out, over real TLS on loopback: deadline, limits, broken connections, no redirects, no foreign certificates. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLocalTls, type LocalTls } from "../../../local/tls/local-tls.ts";
import { createHttpsOutbound } from "../../../shared/outbound/https-outbound.ts";
import type { OutboundRequest } from "../../../shared/outbound/outbound.ts";

type Behaviour = (response: ServerResponse, body: string) => void;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A server that does what the test says, and counts requests and connections. */
class Peer {
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  behave: Behaviour = (response) => response.end("ok");
  readonly #server: Server;

  constructor(tls: LocalTls) {
    this.#server = createServer({ key: tls.serverKeyPem, cert: tls.serverCertPem }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        this.seen.push({ method: request.method, url: request.url, headers: request.headers, body });
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
let stranger: Peer;

beforeAll(async () => {
  const tls = createLocalTls();
  setDefaultCACertificates([...getCACertificates("default"), tls.caPem]);
  trusted = new Peer(tls);
  stranger = new Peer(createLocalTls());
  await Promise.all([trusted.start(), stranger.start()]);
});
afterAll(() => Promise.all([trusted.stop(), stranger.stop()]));

function send(behave: Behaviour, request: Partial<OutboundRequest> = {}) {
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

describe("an answer", () => {
  test("has the status, the headers in lower case and the body as text", async () => {
    const answer = await send((response) => {
      response.writeHead(400, { "X-Ms-Request-Id": "7", "Set-Cookie": ["a=1", "b=2"] });
      response.end("größer");
    });
    expect(answer).toMatchObject({
      ok: true,
      value: { status: 400, body: "größer", headers: { "x-ms-request-id": "7", "set-cookie": "a=1, b=2" } },
    });
  });

  test("to a form: its bytes are counted, its headers sent", async () => {
    await send((response) => response.end(), { body: "scope=größer", headers: { "content-type": "text/plain" } });
    expect(trusted.seen.at(-1)).toMatchObject({
      method: "POST",
      body: "scope=größer",
      headers: { "content-type": "text/plain", "content-length": "14" },
    });
  });

  test("to a GET without a body", async () => {
    const url = `https://localhost:${trusted.port}/keys?x=1`;
    expect(await createHttpsOutbound().send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 1_000 })).toMatchObject({
      ok: true,
    });
    expect(trusted.seen.at(-1)).toMatchObject({ method: "GET", url: "/keys?x=1", body: "" });
  });

  test("SEC-14: a redirect is an answer and is not followed", async () => {
    const before = trusted.seen.length;
    const answer = await send((response) => {
      response.writeHead(302, { location: `https://localhost:${trusted.port}/elsewhere` });
      response.end();
    });
    expect(answer).toMatchObject({ ok: true, value: { status: 302 } });
    expect(trusted.seen).toHaveLength(before + 1);
  });

  test("a character that is split between two chunks stays whole", async () => {
    const bytes = Buffer.from("ö");
    const answer = await send((response) => {
      response.write(bytes.subarray(0, 1), () => response.end(bytes.subarray(1)));
    });
    expect(answer).toMatchObject({ value: { body: "ö" } });
  });
});

describe("limits (SEC-14)", () => {
  test("an answer as large as allowed is taken", async () => {
    expect(await send((response) => response.end("x".repeat(1_000)))).toMatchObject({ ok: true });
  });

  test("one byte more is refused", async () => {
    expect(await send((response) => response.end("x".repeat(1_001)))).toEqual({
      ok: false,
      failure: { kind: "answer_too_large" },
    });
  });

  test("an endless answer ends at the limit, and its connection with it", async () => {
    const closed = Promise.withResolvers<void>();
    const answer = await send((response) => {
      response.on("close", closed.resolve);
      const more = () => response.destroyed || response.write("x".repeat(500), () => setImmediate(more));
      more();
    });
    expect(answer).toEqual({ ok: false, failure: { kind: "answer_too_large" } });
    await closed.promise;
  });

  test("no answer within the deadline", async () => {
    const answer = await send(() => undefined, { deadlineMs: 50 });
    expect(answer).toEqual({ ok: false, failure: { kind: "timeout" } });
  });

  test("the deadline counts to the last byte: a body that never ends is late", async () => {
    const answer = await send((response) => response.write("half"), { deadlineMs: 50 });
    expect(answer).toEqual({ ok: false, failure: { kind: "timeout" } });
  });
});

describe("broken connections", () => {
  test("reset before an answer", async () => {
    const answer = await send((response) => response.socket?.destroy());
    expect(answer).toMatchObject({ ok: false, failure: { kind: "network", code: "ECONNRESET" } });
  });

  test("reset within the body", async () => {
    const answer = await send((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.socket?.destroy());
    });
    expect(answer).toMatchObject({ ok: false, failure: { kind: "network", code: "ECONNRESET" } });
  });

  test("nobody listens", async () => {
    const peer = new Peer(createLocalTls());
    await peer.start();
    const { port } = peer;
    await peer.stop();
    const url = `https://localhost:${port}/`;
    expect(await createHttpsOutbound().send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 10 })).toMatchObject({
      failure: { kind: "network", code: "ECONNREFUSED" },
    });
  });

  test("what is not HTTP", async () => {
    const answer = await send((response) => response.socket?.end("nonsense\r\n\r\n"));
    expect(answer).toMatchObject({ failure: { kind: "network", code: expect.stringMatching(/^HPE_/) } });
  });
});

describe("TLS", () => {
  test.each([
    ["a certificate of nobody we trust", "localhost"],
    ["the same by address", "127.0.0.1"],
  ])("%s is refused, and nothing is sent", async (_name, host) => {
    const url = `https://${host}:${stranger.port}/`;
    const answer = await createHttpsOutbound().send({
      method: "POST",
      url,
      body: "x",
      deadlineMs: 5_000,
      maxBytes: 10,
    });
    expect(answer).toMatchObject({ ok: false, failure: { kind: "network", code: expect.stringMatching(/^[A-Z_]+$/) } });
    expect(stranger.seen).toEqual([]);
  });

  test("a certificate we trust for another name is refused", async () => {
    const tls = createLocalTls({ dns: ["localhost"], ip: [] });
    setDefaultCACertificates([...getCACertificates("default"), tls.caPem]);
    const peer = new Peer(tls);
    await peer.start();
    const url = `https://127.0.0.1:${peer.port}/`;
    const answer = await createHttpsOutbound().send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 10 });
    expect(answer).toEqual({ ok: false, failure: { kind: "network", code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
    expect(peer.seen).toEqual([]);
    await peer.stop();
  });

  test("plain http is no way out", () => {
    const outbound = createHttpsOutbound();
    const url = `http://localhost:${trusted.port}/`;
    return expect(outbound.send({ method: "GET", url, deadlineMs: 5_000, maxBytes: 10 })).rejects.toThrow("http:");
  });
});

test("connections are kept and used again", async () => {
  trusted.behave = (response) => response.end("ok");
  const outbound = createHttpsOutbound();
  const before = trusted.sockets.size;
  for (let call = 0; call < 5; call++) {
    const url = `https://localhost:${trusted.port}/token`;
    await outbound.send({ method: "POST", url, body: "x", deadlineMs: 5_000, maxBytes: 10 });
  }
  expect(trusted.sockets.size).toBe(before + 1);
});

describe("a kept connection that the other side closed", () => {
  const request = () => ({
    method: "POST" as const,
    url: `https://localhost:${trusted.port}/token`,
    body: "a=b",
    deadlineMs: 5_000,
    maxBytes: 1_000,
  });

  test("costs the next request nothing: it goes over a new one", async () => {
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

  test("is tried again once, not for ever", async () => {
    const outbound = createHttpsOutbound();
    trusted.behave = (response) => response.end("first");
    await outbound.send(request());
    trusted.behave = (response) => response.socket?.destroy();
    expect(await outbound.send(request())).toMatchObject({ ok: false, failure: { kind: "network" } });
  });
});
