/**
 * A world behind an HTTP proxy: hosts that only the proxy can reach, with certificates for their names. The proxy answers
 * CONNECT, asks for a password if it has one, and connects every name to the one server behind it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OutsideWorld {
  /** The names of CONNECT requests, with their ports. */
  readonly connected: string[];
  /** The URL of the proxy without a password. */
  readonly proxy: string;
  readonly caFile: string;
  /** The next CONNECT requests get this status. */
  refuseWith(status: number | undefined): void;
  /** The proxy asks for this pair `user:password`. */
  ask(pair: string | undefined): void;
  close(): void;
}

export async function startOutsideWorld(names: readonly string[], answer: RequestListener): Promise<OutsideWorld> {
  const folder = mkdtempSync(join(tmpdir(), "gte-outside-"));
  const { key, cert, caFile } = makeCertificate(folder, names);
  const hosts = await listening(createTlsServer({ key, cert }, answer));
  const connected: string[] = [];
  let status: number | undefined;
  let pair: string | undefined;
  const sockets = new Set<Socket>();
  const proxy = createServer((_, response) => response.writeHead(400).end());
  proxy.on("connect", (request: IncomingMessage, client: Socket) => {
    connected.push(request.url ?? "");
    const sent = request.headers["proxy-authorization"];
    const wanted = pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString("base64")}`;
    const refusal = sent === wanted ? status : 407;
    if (refusal !== undefined) return void client.end(`HTTP/1.1 ${refusal} No\r\nContent-Length: 0\r\n\r\n`);
    const server = connect(portOf(hosts), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) sockets.add(socket.on("error", () => socket.destroy()));
  });
  const listeningProxy = await listening(proxy);
  return {
    connected,
    proxy: `http://127.0.0.1:${portOf(listeningProxy)}`,
    caFile,
    refuseWith: (next) => {
      status = next;
    },
    ask: (next) => {
      pair = next;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      hosts.close();
      proxy.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const portOf = (server: NetServer) => (server.address() as AddressInfo).port;

async function listening<T extends Server | NetServer>(server: T): Promise<T> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

/** The local certificate authority may not certify these names, so the certificate is self-signed by openssl. */
function makeCertificate(folder: string, names: readonly string[]) {
  const [keyFile, caFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=outside", "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  execFileSync("openssl", ["req", "-x509", ...key, "-days", "2", "-out", caFile, ...subject], { stdio: "pipe" });
  return { key: readFileSync(keyFile), cert: readFileSync(caFile), caFile };
}
