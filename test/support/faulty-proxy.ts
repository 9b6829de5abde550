/**
 * An HTTP proxy before one server. A test decides which requests fail: they end without a response, before they reach the
 * server or after the server has answered.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FaultyProxy {
  /** The URL of the target with the host and port of the proxy. */
  readonly url: string;
  /** Which requests fail, by method. Default: none. */
  fails: (method: string) => boolean;
  /** Which requests reach the server, and their answers are lost. Default: none. */
  losesAnswer: (method: string) => boolean;
  stop(): Promise<void>;
}

export async function startFaultyProxy(targetUrl: string): Promise<FaultyProxy> {
  const target = new URL(targetUrl);
  const server = createServer((incoming, response) => {
    const method = incoming.method ?? "";
    if (proxy.fails(method)) incoming.destroy();
    else forward(target, incoming, response, proxy.losesAnswer(method));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(targetUrl);
  url.port = String((server.address() as AddressInfo).port);
  const proxy: FaultyProxy = {
    url: url.href.replace(/\/$/, ""),
    fails: () => false,
    losesAnswer: () => false,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

// ---------------------------------------------------------------------------------------------------------------

function forward(
  { hostname, port }: URL,
  incoming: IncomingMessage,
  response: ServerResponse,
  losesAnswer: boolean,
): void {
  const { method, url: path, headers } = incoming;
  const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
    if (losesAnswer) return void answer.resume().on("end", () => response.destroy());
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  incoming.pipe(outgoing);
}
