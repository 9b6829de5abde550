/**
 * Sends requests without TLS to this machine only, for a telemetry collector next to the local stack. The rules of
 * `https-outbound.ts` apply. Any other host is a programming error and throws.
 */
import { Agent, request } from "node:http";
import { isLoopbackUrl } from "../core/loopback.ts";
import { sendThrough } from "./https-outbound.ts";
import type { Outbound } from "./outbound.ts";

export function createLoopbackOutbound(): Outbound {
  // No keep-alive: exports are a minute apart, and the collector closes idle connections earlier.
  const agent = new Agent();
  return {
    send(outgoing) {
      if (!isLoopbackUrl(outgoing.url)) throw new TypeError("Requests without TLS may go to this machine only.");
      return sendThrough({ agent, request }, outgoing);
    },
  };
}
