/**
 * The way out to Entra: one keep-alive agent of Node's own https module (no library to load at a cold start). Deadline
 * over the whole exchange, bounded answers, no redirects, no retries: those decisions belong to the callers. It trusts
 * what Node trusts; there is no switch for certificates here.
 */
import { Agent, type RequestOptions, request } from "node:https";
import { fail, type Result, succeed } from "../result.ts";
import type { Outbound, OutboundFailure, OutboundRequest, OutboundResponse } from "./outbound.ts";

/** Connections per host. Entra answers in 50 to 200 ms, so this carries well over 500 exchanges a second. */
const CONNECTIONS_MAX = 128;

/** Makes an outbound client with a connection pool of its own. */
export function createHttpsOutbound(): Outbound {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, scheduling: "lifo" });
  return { send: (outgoing) => send(agent, outgoing) };
}

function send(agent: Agent, outgoing: OutboundRequest): Promise<Result<OutboundResponse, OutboundFailure>> {
  return new Promise((resolve) => {
    let settled = false;
    const outgoingRequest = request(outgoing.url, requestOptions(agent, outgoing));
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
    outgoingRequest.on("error", (error: NodeJS.ErrnoException) =>
      settle(fail({ kind: "network", code: error.code ?? "UNKNOWN" })),
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
      incoming.on("error", (error: NodeJS.ErrnoException) =>
        settle(fail({ kind: "network", code: error.code ?? "ABORTED" })),
      );
      incoming.on("end", () =>
        settle(
          succeed({
            status: incoming.statusCode ?? 0,
            headers: joinHeaders(incoming.headersDistinct),
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        ),
      );
    });
    outgoingRequest.end(outgoing.body);
  });
}

function requestOptions(agent: Agent, outgoing: OutboundRequest): RequestOptions {
  const length = outgoing.body === undefined ? {} : { "content-length": String(Buffer.byteLength(outgoing.body)) };
  return { agent, method: outgoing.method, headers: { ...outgoing.headers, ...length } };
}

function joinHeaders(headers: NodeJS.Dict<string[]>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, values] of Object.entries(headers)) {
    joined[name] = (values ?? []).join(", ");
  }
  return joined;
}
