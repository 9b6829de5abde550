/** An HTTP proxy before one server. A test decides which requests fail: they end without a response. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FaultyProxy {
  /** The URL of the target with the host and port of the proxy. */
  readonly url: string;
  /** Which requests fail, by method. Default: none. */
  fails: (method: string) => boolean;
  stop(): Promise<void>;
}

export async function startFaultyProxy(targetUrl: string): Promise<FaultyProxy> {
  const target = new URL(targetUrl);
  const server = createServer((incoming, response) => {
    if (proxy.fails(incoming.method ?? "")) incoming.destroy();
    else forward(target, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(targetUrl);
  url.port = String((server.address() as AddressInfo).port);
  const proxy: FaultyProxy = {
    url: url.href.replace(/\/$/, ""),
    fails: () => false,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

// ---------------------------------------------------------------------------------------------------------------

function forward({ hostname, port }: URL, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url: path, headers } = incoming;
  const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  incoming.pipe(outgoing);
}
