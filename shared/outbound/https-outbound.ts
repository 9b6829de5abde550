/**
 * The way out to Entra: one keep-alive agent of Node's own https module (no library to load at a cold start). Deadline
 * over the whole exchange, bounded answers, no redirects. No retries, those belong to the callers, with one exception: a
 * kept connection that the other side had closed meanwhile. It trusts what Node trusts; there is no switch for
 * certificates here.
 */
import type { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { fail, type Result, succeed } from "../core/result.ts";
import type { Outbound, OutboundFailure, OutboundRequest, OutboundResponse } from "./outbound.ts";

/** Connections per host. Entra answers in 50 to 200 ms, so this carries well over 500 exchanges a second. */
const CONNECTIONS_MAX = 128;

/** How a kept connection fails that was closed while nobody looked. */
const STALE: readonly unknown[] = ["ECONNRESET", "EPIPE"];

/** Makes an outbound client with a connection pool of its own. */
export function createHttpsOutbound(): Outbound {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, scheduling: "lifo" });
  return {
    async send(outgoing) {
      const sent = await sendThrough({ agent, request }, outgoing);
      // Node's advice for keep-alive (https.Agent): the request never reached a server, so a new connection may carry it.
      return isStale(sent) ? sendThrough({ agent, request }, outgoing) : sent;
    },
  };
}

function isStale(sent: Result<OutboundResponse, OutboundFailure>): boolean {
  return !sent.ok && sent.failure.kind === "network" && sent.failure.staleConnection === true;
}

/** Node's client for one scheme. */
export interface Way {
  readonly agent: PlainAgent;
  readonly request: typeof plainRequest;
}

/** One request and its answer, whatever the scheme. */
export function sendThrough(
  { agent, request: open }: Way,
  outgoing: OutboundRequest,
): Promise<Result<OutboundResponse, OutboundFailure>> {
  return new Promise((resolve) => {
    let settled = false;
    const outgoingRequest = open(outgoing.url, requestOptions(agent, outgoing));
    const settle = (result: Result<OutboundResponse, OutboundFailure>) => {
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
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        ),
      );
    });
    outgoingRequest.end(outgoing.body);
  });
}

function requestOptions(agent: PlainAgent, outgoing: OutboundRequest): RequestOptions {
  const length = outgoing.body === undefined ? {} : { "content-length": String(Buffer.byteLength(outgoing.body)) };
  return { agent, method: outgoing.method, headers: { ...outgoing.headers, ...length } };
}

function joinHeaders(headers: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.join(", ")]));
}
