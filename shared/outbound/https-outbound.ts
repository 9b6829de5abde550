/**
 * Sends requests to Entra and to APIs through keep-alive agents of Node's https module, so that a cold start loads no library. The
 * deadline covers the whole exchange, responses have a size limit, and redirects are not followed. Callers decide about
 * retries, except for a keep-alive connection that the server had closed. The agent trusts the certificate authorities of
 * Node; no option turns the check of certificates off.
 */
import type { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { RELAY_CALLS_MAX } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type {
  BytesOutbound,
  BytesRequest,
  BytesResponse,
  Outbound,
  OutboundFailure,
  OutboundRequest,
  OutboundResponse,
} from "./outbound.ts";

/** Connections per host. Entra answers in 50 to 200 ms, so these are enough for more than 500 exchanges a second. */
const CONNECTIONS_MAX = 128;
/** Connections per API: four policy entries can have all their calls running. */
const API_CONNECTIONS_MAX = 4 * RELAY_CALLS_MAX;

/** The errors of a keep-alive connection that the server closed between two requests. */
const STALE: readonly unknown[] = ["ECONNRESET", "EPIPE"];

/** Creates an outbound client with a separate connection pool. */
export function createHttpsOutbound(): Outbound {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, scheduling: "lifo" });
  return {
    async send(outgoing) {
      const sent = await sendThrough({ agent, request }, outgoing);
      // The server closed an idle keep-alive connection before handling the request, so one retry is safe (see Node's
      // http.Agent docs).
      return isStale(sent) ? sendThrough({ agent, request }, outgoing) : sent;
    },
  };
}

/** Methods that a second attempt cannot repeat by mistake (RFC 9110 section 9.2.2). */
const IDEMPOTENT: readonly string[] = ["GET", "HEAD", "PUT", "DELETE"] satisfies BytesRequest["method"][];

/** Creates a client for APIs, with a separate connection pool: a slow API takes no connection from Entra. */
export function createBytesOutbound(): BytesOutbound {
  const agent = new Agent({ keepAlive: true, maxSockets: API_CONNECTIONS_MAX, scheduling: "lifo" });
  const running = new Map<string, number>();
  const add = (share: string, change: number) => {
    const count = (running.get(share) ?? 0) + change;
    if (count === 0) running.delete(share);
    else running.set(share, count);
  };
  return {
    async sendBytes({ share, ...outgoing }) {
      if ((running.get(share) ?? 0) >= RELAY_CALLS_MAX) return fail({ kind: "share_used_up" });
      add(share, 1);
      try {
        const sent = await exchange({ agent, request }, outgoing);
        const again = isStale(sent) && IDEMPOTENT.includes(outgoing.method);
        return again ? await exchange({ agent, request }, outgoing) : sent;
      } finally {
        add(share, -1);
      }
    },
  };
}

/** Node's HTTP client for one scheme. */
export interface HttpClient {
  readonly agent: PlainAgent;
  readonly request: typeof plainRequest;
}

/** Sends one request with the client of either scheme and returns the response. */
export async function sendThrough(
  client: HttpClient,
  outgoing: OutboundRequest,
): Promise<Result<OutboundResponse, OutboundFailure>> {
  const sent = await exchange(client, outgoing);
  return sent.ok ? succeed({ ...sent.value, body: sent.value.body.toString("utf8") }) : sent;
}

// ---------------------------------------------------------------------------------------------------------------

type AnyRequest = Omit<OutboundRequest, "method" | "body"> & {
  readonly method: string;
  readonly body?: string | Uint8Array;
};

function exchange(
  { agent, request: open }: HttpClient,
  outgoing: AnyRequest,
): Promise<Result<BytesResponse, OutboundFailure>> {
  return new Promise((resolve) => {
    let settled = false;
    const outgoingRequest = open(outgoing.url, requestOptions(agent, outgoing));
    const settle = (result: Result<BytesResponse, OutboundFailure>) => {
      if (!settled) {
        settled = true;
        clearTimeout(timer);
        resolve(result);
      }
    };
    const giveUp = (failure: OutboundFailure) => {
      settle(fail(failure));
      outgoingRequest.destroy();
    };
    const timer = setTimeout(() => giveUp({ kind: "timeout" }), outgoing.deadlineMs);
    const broken = ({ code = "UNKNOWN" }: NodeJS.ErrnoException) => settle(fail({ kind: "network", code }));
    outgoingRequest.on("error", (error: NodeJS.ErrnoException) =>
      outgoingRequest.reusedSocket && STALE.includes(error.code)
        ? settle(fail({ kind: "network", code: "ECONNRESET", staleConnection: true }))
        : broken(error),
    );
    outgoingRequest.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > outgoing.maxBytes) {
          giveUp({ kind: "answer_too_large" });
        } else {
          chunks.push(chunk);
        }
      });
      incoming.on("error", broken);
      incoming.on("end", () =>
        settle(
          succeed({
            status: Number(incoming.statusCode),
            headers: joinHeaders(incoming.headersDistinct as Record<string, string[]>),
            body: Buffer.concat(chunks, size),
          }),
        ),
      );
    });
    outgoingRequest.end(outgoing.body);
  });
}

function isStale(sent: Result<unknown, OutboundFailure>): boolean {
  return !sent.ok && sent.failure.kind === "network" && sent.failure.staleConnection === true;
}

function requestOptions(agent: PlainAgent, outgoing: AnyRequest): RequestOptions {
  const length = outgoing.body === undefined ? {} : { "content-length": String(Buffer.byteLength(outgoing.body)) };
  return { agent, method: outgoing.method, headers: { ...outgoing.headers, ...length } };
}

function joinHeaders(headers: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.join(", ")]));
}
