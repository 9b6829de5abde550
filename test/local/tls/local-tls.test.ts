/**
 * The local authority over real TLS: its certificates are trusted for the loopback names only.
 */
import { X509Certificate } from "node:crypto";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createLocalTls, type LocalTls, loopbackNames } from "../../../local/tls/local-tls.ts";

/** Serves with `tls` and requests `servername`. Returns the status of the answer or the message of the error. */
async function handshake(tls: LocalTls, host: string, options: { servername?: string; ca?: string }): Promise<string> {
  const server = createServer({ key: tls.serverKeyPem, cert: tls.serverCertPem }, (_request, response) => {
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, host === "::1" ? "::1" : "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve) => {
      const request = get({ host, port, agent: false, ...options }, (response) => {
        response.resume();
        resolve(String(response.statusCode));
      });
      request.on("error", (error) => resolve(error.message));
    });
  } finally {
    server.close();
  }
}

const tls = createLocalTls();

test.each([["localhost"], ["127.0.0.1"]])("%s is trusted only with the CA", async (host) => {
  expect(await handshake(tls, host, { ca: tls.caPem })).toBe("200");
  expect(await handshake(tls, host, {})).toMatch(/unable to verify|self.signed/);
});

test("the CA of another start does not verify the certificate", async () => {
  expect(await handshake(tls, "localhost", { ca: createLocalTls().caPem })).toMatch(
    /signature failure|unable to verify/,
  );
});

test.each([
  ["another name", { dns: ["login.microsoftonline.com"], ip: [] }, "login.microsoftonline.com"],
  ["another name beside localhost", { dns: ["localhost", "graph.microsoft.com"], ip: [] }, "localhost"],
  ["another address", { dns: ["localhost"], ip: ["10.0.0.1"] }, "localhost"],
])("a certificate for %s, signed by the CA, is refused", async (_what, names, servername) => {
  const wrong = createLocalTls(names);
  expect(await handshake(wrong, "localhost", { ca: wrong.caPem, servername })).toBe("permitted subtree violation");
});

test("the certificates contain the expected names, usages and lifetimes", () => {
  const ca = new X509Certificate(tls.caPem);
  const server = new X509Certificate(tls.serverCertPem);
  expect(ca.ca).toBe(true);
  expect(server.ca).toBe(false);
  expect(server.verify(ca.publicKey)).toBe(true);
  expect(server.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(loopbackNames).toEqual({ dns: ["localhost"], ip: ["127.0.0.1", "::1"] });
  const days = (Date.parse(ca.validTo) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(13);
  expect(days).toBeLessThan(15);
});

test("the key of the authority is not returned", () => {
  expect(Object.keys(tls).sort()).toEqual(["caPem", "serverCertPem", "serverKeyPem"]);
  expect(tls.caPem).not.toContain("KEY");
});
