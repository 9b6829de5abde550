/**
 * What OpenTelemetry costs at start: `npm run build && node bench/telemetry-start.ts [runs]`. Whole processes of the
 * local host with the built app, with telemetry off and on in turn, so that a busy machine is fair to both. From the
 * start of the process to the first /healthz, the first exchange, and the exchanges after it, during which the chunk
 * is read.
 */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { localRequest } from "../local/caller/local-request.ts";
import { startHostProcess } from "../local/host/host-process.ts";
import { createServiceSettings } from "../local/stack/service-settings.ts";
import { startStack } from "../local/stack/stack.ts";
import { startOtlpReceiver } from "../test/telemetry/support/otlp-receiver.ts";

const runs = Number(process.argv[2] ?? 15);
const AFTER = 20;
const FIGURES = [
  "first /healthz",
  "  processor time until then",
  "first exchange",
  `median of the next ${AFTER}`,
  `slowest of the next ${AFTER}`,
  "processor time in all",
  "resident memory, MB",
] as const;

const [stack, receiver] = await Promise.all([startStack(), startOtlpReceiver()]);
const settingsOf = (endpoint: string | undefined) => ({
  NODE_EXTRA_CA_CERTS: stack.environment.caCertPath,
  ...createServiceSettings(
    {
      tenantUrl: stack.tenant.url,
      serviceUrl: stack.service.url,
      tableUrl: stack.tables.url,
      managedIdentity: stack.tenant.state.identity,
    },
    { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: "always_on" },
  ),
});
const results = { off: [] as number[][], on: [] as number[][] };
for (let run = 0; run <= runs; run++) {
  for (const which of run % 2 === 0 ? (["off", "on"] as const) : (["on", "off"] as const)) {
    const figures = await measure(settingsOf(which === "on" ? receiver.url : undefined));
    // The first pair warms the file cache.
    if (run > 0) {
      results[which].push(figures);
    }
  }
}
for (const [index, figure] of FIGURES.entries()) {
  const [off, on] = (["off", "on"] as const).map((which) => results[which].map((figures) => figures[index] ?? 0));
  console.log(`${figure.padEnd(28)} off ${summary(off)}   on ${summary(on)}`);
}
console.log(`${runs} runs each, median (quartiles), milliseconds; ${receiver.exports.length} exports received`);
await receiver.close();
await stack.stop();

async function measure(settings: Record<string, string>): Promise<number[]> {
  const begun = performance.now();
  const host = await startHostProcess({ appDirectory: process.cwd(), port: 0, settings });
  await localRequest(`${host.url}/healthz`);
  const healthy = performance.now() - begun;
  const processor = processorMs(host.pid);
  const exchanges: number[] = [];
  for (let exchange = 0; exchange <= AFTER; exchange++) {
    const token = stack.tenant.state.mintUserToken({ user: "alice", client: "web" });
    const asked = performance.now();
    const headers = { authorization: `Bearer ${token}` };
    const answer = await localRequest(`${host.url}/AuthorizationHeader/graph`, { headers });
    if (answer.status !== 200) throw new Error(`The exchange failed with ${answer.status}.`);
    exchanges.push(performance.now() - asked);
    // Over the half second after which the chunk is read.
    await setTimeout(50);
  }
  const processorInAll = processorMs(host.pid);
  const memory = residentMegabytes(host.pid);
  await host.stop();
  const [first = 0, ...next] = exchanges;
  const sorted = next.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return [healthy, processor, first, median, sorted.at(-1) ?? 0, processorInAll, memory];
}

/** Linux only, in steps of ten milliseconds: user and system time of the process. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024;
}

function summary(values: readonly number[] = []): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(0);
  return `${at(0.5)} (${at(0.25)}-${at(0.75)})`.padEnd(18);
}
