/**
 * Listens on the loopback addresses only: on 127.0.0.1 and, if the machine has it, on ::1 with the same port. `localhost`
 * may resolve to either address.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { answerUnusual } from "./answer-refusal.ts";

export interface LoopbackListener {
  port: number;
  /** Stops accepting connections, closes idle ones and resolves when the last one has ended. */
  close(): Promise<void>;
  closeIdle(): void;
  closeAll(): void;
}

/**
 * Much more than kestrel.ts accepts, so that it decides between 414 and 431. Above this size Node refuses what it has read,
 * and whether the request line had ended then depends on how the bytes arrived.
 */
const maxHeaderSize = 1024 * 1024;
/** Kestrel's keep-alive timeout. */
const keepAliveTimeout = 130_000;

export async function listenOnLoopback(port: number, listener: RequestListener): Promise<LoopbackListener> {
  for (let attempt = 0; ; attempt++) {
    const ipv4 = newServer(listener);
    await listen(ipv4, port, "127.0.0.1");
    const chosen = (ipv4.address() as AddressInfo).port;
    const ipv6 = newServer(listener);
    try {
      await listen(ipv6, chosen, "::1");
      return toListener(chosen, [ipv4, ipv6]);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return toListener(chosen, [ipv4]);
      ipv4.close();
      if (port !== 0 || attempt === 4) throw error;
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------

function newServer(listener: RequestListener): Server {
  const options = { maxHeaderSize, keepAliveTimeout, headersTimeout: 30_000, noDelay: true, requireHostHeader: false };
  const server = createServer(options, listener);
  server.maxHeadersCount = 0; // kestrel.ts counts them.
  answerUnusual(server, listener);
  return server;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ port, host, exclusive: true }, () => {
    server.off("error", reject);
    resolve();
  });
  return promise;
}

function toListener(port: number, servers: readonly Server[]): LoopbackListener {
  const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    port,
    close: async () => {
      await Promise.all(servers.map(close));
    },
    closeIdle: () => {
      for (const server of servers) {
        server.closeIdleConnections();
      }
    },
    closeAll: () => {
      for (const server of servers) {
        server.closeAllConnections();
      }
    },
  };
}
