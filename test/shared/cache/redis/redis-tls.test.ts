/** TLS: the certificate must name the host of REDIS_URL and come from an authority that Node trusts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createLocalTls } from "../../../../local/tls/local-tls.ts";
import { connectToRedis } from "../../../../shared/cache/redis/redis-connection.ts";
import { cachedToken, closeLevels, eventually, inAnHour, openLevel } from "./support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "./support/redis-server.ts";

describeWithRedis("Redis over TLS", () => {
  const trusted = getCACertificates("default");
  const directory = mkdtempSync(join(tmpdir(), "gte-redis-tls-"));
  let server: RedisServer;
  let url: string;
  let authority: string;
  beforeAll(async () => {
    const tls = createLocalTls();
    authority = tls.caPem;
    const file = (name: string, content: string) => {
      writeFileSync(join(directory, name), content, { mode: 0o600 });
      return join(directory, name);
    };
    const options = [
      "--tls-cert-file",
      file("cert.pem", tls.serverCertPem),
      "--tls-key-file",
      file("key.pem", tls.serverKeyPem),
      "--tls-ca-cert-file",
      file("ca.pem", tls.caPem),
      "--tls-auth-clients",
      "no",
    ];
    server = await startRedis(options, "--tls-port");
    url = `rediss://localhost:${server.secondPort}`;
  });
  afterEach(() => {
    closeLevels();
    setDefaultCACertificates(trusted);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test("a server with a trusted certificate for its host is used", async () => {
    setDefaultCACertificates([...trusted, authority]);
    const { level } = await openLevel(url);
    await level.put("key", cachedToken("one"), inAnHour());
    expect((await level.find("key"))?.accessToken.reveal()).toBe("one");
  });

  test("a server with a certificate of an unknown authority gets no connection", async () => {
    const problems: string[] = [];
    const connection = connectToRedis({ url, credentials: undefined, onProblem: (reason) => problems.push(reason) });
    await eventually(() => problems.length > 0);
    expect(connection.commands()).toBeUndefined();
    expect(problems[0]).toMatch(/CERT|SELF_SIGNED|ISSUER/);
    connection.close();
  });
});
