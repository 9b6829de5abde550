/**
 * `npm run bench [name …]`: runs all benchmarks or the named ones and writes the results to docs/benchmarks.md. `--smoke`
 * runs them with minimal sizes and writes nothing, to check that they work. All traffic stays on loopback, except with
 * `--url`, which measures one deployment.
 */
import { parseArgs } from "node:util";
import { measureDeployment } from "./deployment.ts";
import { saveRun, toText, writePage } from "./report/report.ts";
import type { Scale, Scenario } from "./scenario.ts";
import { coldStart } from "./scenarios/cold-start.ts";
import { emptyFunction } from "./scenarios/empty-function.ts";
import { eventLoop } from "./scenarios/event-loop.ts";
import { noisyNeighbour } from "./scenarios/noisy-neighbour.ts";
import { overload } from "./scenarios/overload.ts";
import { policySize } from "./scenarios/policy-size.ts";
import { relay } from "./scenarios/relay.ts";
import { scaleOut } from "./scenarios/scale-out.ts";
import { uncached } from "./scenarios/uncached.ts";
import { users } from "./scenarios/users.ts";
import { startWorld } from "./world.ts";

const SCENARIOS: readonly Scenario[] = [
  emptyFunction,
  users,
  uncached,
  scaleOut,
  coldStart,
  noisyNeighbour,
  overload,
  eventLoop,
  policySize,
  relay,
];

const FULL: Scale = { rounds: 7, ms: 3_000, smoke: false };
const SMOKE: Scale = { rounds: 1, ms: 200, smoke: true };

async function main(): Promise<void> {
  const { values, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
      smoke: { type: "boolean", default: false },
      url: { type: "string" },
      "token-file": { type: "string" },
      api: { type: "string", default: "graph" },
      connections: { type: "string", default: "4" },
    },
  });
  const { smoke, url } = values;
  if (url !== undefined) {
    const { rounds, ms: roundMs } = smoke ? SMOKE : FULL;
    const { api, "token-file": tokenFile } = values;
    const options = { url, tokenFile, api, connections: Number(values.connections), rounds, roundMs };
    await measureDeployment(options).then(console.log, failWith);
  } else {
    await runScenarios(names, smoke);
  }
}

async function runScenarios(names: readonly string[], smoke: boolean): Promise<void> {
  const unknown = names.find((name) => SCENARIOS.every((scenario) => scenario.name !== name));
  if (unknown !== undefined) {
    failWith(`"${unknown}" is not a benchmark. The benchmarks are ${SCENARIOS.map(({ name }) => name).join(", ")}.`);
    return;
  }
  const chosen = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));
  for (const scenario of chosen) {
    await runScenario(scenario, smoke ? SMOKE : FULL);
  }
  if (!smoke) {
    writePage(SCENARIOS);
    console.log("Written to docs/benchmarks.md.");
  }
}

function failWith(problem: unknown): void {
  console.error(problem instanceof Error ? problem.message : problem);
  process.exitCode = 2;
}

/** Runs each benchmark with its own tenant and hosts, so that they do not affect each other. */
async function runScenario(scenario: Scenario, scale: Scale): Promise<void> {
  const started = performance.now();
  const world = await startWorld();
  try {
    const findings = await scenario.run(world, scale);
    const seconds = Math.round((performance.now() - started) / 1_000);
    console.log(`\n${scenario.title} (${scenario.name}, ${seconds} s)\n${scale.smoke ? "  runs" : toText(findings)}`);
    if (!scale.smoke) {
      saveRun(scenario, findings);
    }
  } finally {
    await world.stop();
  }
}

await main();
