/**
 * `npm run bench [name …]`: runs all benchmarks or the named ones and writes the results to docs/benchmarks.md. `--smoke`
 * runs them with minimal sizes and writes nothing, to check that they work. All traffic stays on loopback.
 */
import { saveRun, toText, writePage } from "./report/report.ts";
import type { Scale, Scenario } from "./scenario.ts";
import { coldStart } from "./scenarios/cold-start.ts";
import { emptyFunction } from "./scenarios/empty-function.ts";
import { eventLoop } from "./scenarios/event-loop.ts";
import { noisyNeighbour } from "./scenarios/noisy-neighbour.ts";
import { scaleOut } from "./scenarios/scale-out.ts";
import { uncached } from "./scenarios/uncached.ts";
import { users } from "./scenarios/users.ts";
import { startWorld } from "./world.ts";

const SCENARIOS: readonly Scenario[] = [emptyFunction, users, uncached, scaleOut, coldStart, noisyNeighbour, eventLoop];

const FULL: Scale = { rounds: 7, ms: 3_000, smoke: false };
const SMOKE: Scale = { rounds: 1, ms: 200, smoke: true };

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const smoke = args.includes("--smoke");
  const names = args.filter((name) => name !== "--smoke");
  const unknown = names.find((name) => SCENARIOS.every((scenario) => scenario.name !== name));
  if (unknown !== undefined) {
    console.error(
      `"${unknown}" is not a benchmark. The benchmarks are ${SCENARIOS.map(({ name }) => name).join(", ")}.`,
    );
    process.exitCode = 2;
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
