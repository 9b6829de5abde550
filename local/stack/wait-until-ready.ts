/**
 * Asks the service's /ready until it says yes, for a bounded time, and stops asking when the host has ended.
 */
import { setTimeout as delay } from "node:timers/promises";
import { localRequest } from "../caller/local-request.ts";
import type { HostProcess } from "../host/host-process.ts";

const patienceMs = 20_000;
const pauseMs = 50;

export async function waitUntilReady(serviceUrl: string, host: HostProcess): Promise<void> {
  const end = Date.now() + patienceMs;
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
    await delay(pauseMs);
  }
  throw new Error(`The service did not become ready; ${serviceUrl}/ready last said: ${last}\n${host.logs.tail(20)}`);
}
