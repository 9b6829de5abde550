/** An exchange makes one call to Entra, on a connection that is already open. */
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLocalTls } from "../../local/tls/local-tls.ts";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import { bearer, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";

describe("twenty exchanges in one instance", () => {
  const { world } = useWorld();

  test("make twenty calls to the token endpoint, one request for the keys and no discovery request", async () => {
    const service = world.serve();
    for (let index = 0; index < 20; index++) {
      const token = userToken(world, { claims: { uti: `path-${index}` } });
      const answer = await service.call("/AuthorizationHeader/graph", { headers: bearer(token) });
      expect(answer.status).toBe(200);
    }
    const { all: _all, vault: _vault, msi: _identity, ...requests } = world.tenant.state.requestCounts();
    expect(requests).toEqual({ jwks: 1, token: 20, "token:on-behalf-of": 20 });
  });
});

describe("HTTPS requests to Entra", () => {
  const trusted = getCACertificates("default");
  let server: Server;
  let url: string;
  const sockets: TLSSocket[] = [];
  beforeAll(async () => {
    const tls = createLocalTls();
    setDefaultCACertificates([...trusted, tls.caPem]);
    server = createServer({ key: tls.serverKeyPem, cert: tls.serverCertPem }, (_request, response) =>
      response.end("{}"),
    );
    server.on("secureConnection", (socket) => sockets.push(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    setDefaultCACertificates(trusted);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  test("fifty sequential requests share one connection, and a new connection resumes the TLS session", async () => {
    const outbound = createHttpsOutbound();
    const send = () => outbound.send({ method: "POST", url, body: "a=b", deadlineMs: 5_000, maxBytes: 1_000 });
    for (let index = 0; index < 50; index++) {
      expect((await send()).ok).toBe(true);
    }
    expect(sockets).toHaveLength(1);
    const [first] = sockets;
    first?.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await send()).ok).toBe(true);
    expect(sockets).toHaveLength(2);
    expect(sockets[1]?.isSessionReused()).toBe(true);
  });

  test("concurrent requests open several connections, and later requests use them again", async () => {
    const outbound = createHttpsOutbound();
    const send = () => outbound.send({ method: "POST", url, body: "a=b", deadlineMs: 5_000, maxBytes: 1_000 });
    const before = sockets.length;
    await Promise.all(Array.from({ length: 10 }, send));
    const opened = sockets.length - before;
    await Promise.all(Array.from({ length: 10 }, send));
    expect(sockets.length - before).toBe(opened);
  });
});
