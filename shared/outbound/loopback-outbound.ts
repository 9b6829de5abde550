/**
 * The way out without TLS, to this machine and nowhere else: a telemetry collector beside the local stack. Same rules as
 * `https-outbound.ts`. Any other host is a programmer's mistake and throws.
 */
import { Agent, request } from "node:http";
import { sendThrough } from "./https-outbound.ts";
import type { Outbound } from "./outbound.ts";

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

export function createLoopbackOutbound(): Outbound {
  // One export a minute: a kept connection would be closed at the other end by then.
  const agent = new Agent();
  return {
    send(outgoing) {
      if (!LOOPBACK.includes(new URL(outgoing.url).hostname)) {
        throw new TypeError("only this machine is reached without TLS");
      }
      return sendThrough({ agent, request }, outgoing);
    },
  };
}
