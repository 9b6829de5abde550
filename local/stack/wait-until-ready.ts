/**
 * Polls /ready of the service until it answers 200. Throws after a fixed time, or as soon as the host has ended.
 */
import { setTimeout as delay } from "node:timers/promises";
import { localRequest } from "../caller/local-request.ts";
import type { HostProcess } from "../host/host-process.ts";

const timeoutMs = 60_000;
const pollIntervalMs = 50;

export async function waitUntilReady(serviceUrl: string, host: HostProcess): Promise<void> {
  const end = Date.now() + timeoutMs;
  let last = "no answer";
  let ended = false;
  void host.exited.then(() => {
    ended = true;
  });
  while (!ended && Date.now() < end) {
    try {
      const response = await localRequest(`${serviceUrl}/ready`);
      if (response.status === 200) return;
      last = `${response.status} ${response.text.slice(0, 500)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await delay(pollIntervalMs);
  }
  throw new Error(
    `The service did not become ready. The last answer of ${serviceUrl}/ready: ${last}\n${host.logs.tail(20)}`,
  );
}
