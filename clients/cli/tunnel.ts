/** Opens a connection through an HTTP proxy with CONNECT (RFC 9110 section 9.3.6). Node 22.19 has no proxy support. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { CliFailure, settingsFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";

/** The caller starts TLS to the target on this socket, so the proxy sees only the target's host and port. */
export function openTunnel(proxy: URL, target: URL, signal: AbortSignal): Promise<Socket> {
  const authority = `${target.hostname}:${target.port || 443}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const send = proxy.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send({
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...credentials(proxy) },
    agent: false,
    signal,
  });
  request.on("connect", ({ statusCode = 0 }, socket: Socket) => {
    if (statusCode >= 200 && statusCode < 300) return resolve(socket);
    socket.destroy();
    reject(proxyRefused(proxy, authority, statusCode));
  });
  request.on("error", (cause) => reject(new ProxyUnreachable(proxy, cause)));
  request.end();
  return promise;
}

/** So that the message names the proxy and not the target. */
export class ProxyUnreachable extends Error {
  readonly proxyHost: string;

  constructor(proxy: URL, cause: Error) {
    super("The proxy cannot be reached.", { cause });
    this.proxyHost = proxy.host;
  }
}

function credentials({ username, password }: URL): { "proxy-authorization"?: string } {
  if (username === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair, "utf8").toString("base64")}` };
}

function proxyRefused(proxy: URL, authority: string, status: number): CliFailure {
  if (status === 407) {
    const advice = proxy.username === "" ? "Put them into HTTPS_PROXY" : "Correct those in HTTPS_PROXY";
    return settingsFailure(
      `The proxy ${proxy.host} requires a user name and password (407). ${advice}: http://user:password@${proxy.host}. gte supports only Basic authentication.`,
    );
  }
  const exit = status >= 500 ? EXIT.unavailable : EXIT.refused;
  return new CliFailure(exit, "proxy", `The proxy ${proxy.host} refused the connection to ${authority} (${status}).`);
}
