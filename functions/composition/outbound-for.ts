import type { Outbound } from "../../shared/outbound/outbound.ts";

/** The configuration allows http only for an address on this machine, and only in the local cloud. */
export async function outboundFor(outbound: Outbound, url: string): Promise<Outbound> {
  if (url.startsWith("https:")) return outbound;
  const { createLoopbackOutbound } = await import("../../shared/outbound/loopback-outbound.ts");
  return createLoopbackOutbound();
}
