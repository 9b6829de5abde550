/**
 * `npm run mutate`: changes the sources of the folders that guard a token, one small change at a time, and runs the tests
 * that reach the change. A change that no test notices is a guard that can be lost without notice.
 *
 *   npm run mutate                                  every mutant (hours)
 *   npm run mutate -- --sample 200 --seed 7         a seeded sample
 *   npm run mutate -- --folder policy --minutes 20  one folder, until the time is over
 *   npm run mutate -- --match "declined.ok"         the mutants whose line contains a text
 *   npm run mutate -- --guards                      the guards that SECURITY.md names, each with its cited test
 *
 * The exit code is 1 if the tests notice too few mutants, if `equivalents.json` lists a mutant that no longer exists, or if
 * the loss of a guard is not noticed.
 */
import { parseArgs } from "node:util";
import { shuffled } from "../test/support/seeded-random.ts";
import { measureCoverage } from "./coverage.ts";
import { readEquivalents } from "./equivalents.ts";
import { checkGuards } from "./guards/check-guards.ts";
import { LOST_GUARDS } from "./guards/lost-guards.ts";
import { SECURITY_GUARDS } from "./guards/security-guards.ts";
import { FOLDERS, type Instrumented, instrument, type Mutant } from "./instrument.ts";
import { type MutantResult, mutate, scoreOf, toTable } from "./mutate.ts";
import { startTestRunner } from "./test-runner.ts";

/** Percent of the mutants that the tests notice. */
const OVERALL_MIN = 96;
const FOLDER_MIN = 93;
/** A sample of some dozen mutants is too small to be held to the same figure: this notices only that tests are broken. */
const SAMPLE_MIN = 75;
/** A whole run asks every file that reaches a mutant. */
const SAMPLE_FILES_MAX = 40;

interface Options {
  readonly seed: number;
  readonly sample: number | undefined;
  readonly endMs: number;
  readonly folders: readonly string[];
  readonly match: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      guards: { type: "boolean", default: false },
      sample: { type: "string" },
      seed: { type: "string", default: String(Date.now() % 100_000) },
      minutes: { type: "string" },
      folder: { type: "string", multiple: true, default: [...FOLDERS] },
      match: { type: "string", default: "" },
    },
  });
  const options: Options = {
    seed: Number(values.seed),
    sample: values.sample === undefined ? undefined : Number(values.sample),
    endMs: values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.minutes) * 60_000,
    folders: values.folder,
    match: values.match,
  };
  const isGood = values.guards ? await runGuards(options) : await runMutants(options);
  process.exitCode = isGood ? 0 : 1;
}

async function runGuards({ seed, sample, endMs }: Options): Promise<boolean> {
  const all = [...SECURITY_GUARDS, ...LOST_GUARDS];
  const chosen = sample === undefined ? all : shuffled(all, seed).slice(0, sample);
  console.log(`${chosen.length} of ${all.length} guards, seed ${seed}`);
  const results = await checkGuards(chosen, endMs, ({ guard, problem }) => {
    console.log(
      problem === undefined ? `noticed  ${guard.claim}` : `LOST     ${guard.claim} (${guard.file}): ${problem}`,
    );
  });
  const lost = results.filter(({ problem }) => problem !== undefined);
  console.log(`${results.length} guards taken away, ${results.length - lost.length} noticed by their cited tests.`);
  return lost.length === 0 && results.length > 0;
}

async function runMutants(options: Options): Promise<boolean> {
  const instrumented = await instrument();
  const equivalents = readEquivalents();
  const stale = equivalents.stale(instrumented.mutants);
  for (const entry of stale) console.log(`equivalents.json lists a mutant that does not exist: ${entry}`);
  const runner = await startTestRunner((path) => instrumented.sources.get(path));
  try {
    const coverage = await measureCoverage(instrumented, runner);
    const mutants = choose(instrumented, options);
    console.log(`${mutants.length} of ${instrumented.mutants.length} mutants, seed ${options.seed}`);
    const results = await mutate({
      mutants,
      coverage,
      equivalents,
      runner,
      endMs: options.endMs,
      filesMax: isWhole(options) ? Number.POSITIVE_INFINITY : SAMPLE_FILES_MAX,
      onResult: (result, count) => {
        printSurvivor(result);
        if (count % 25 === 0) console.log(`${count} mutants`);
      },
    });
    console.log(toTable(results));
    return stale.length === 0 && isGoodEnough(results, isWhole(options));
  } finally {
    await runner.close();
  }
}

function isWhole({ sample, endMs, match }: Options): boolean {
  return sample === undefined && endMs === Number.POSITIVE_INFINITY && match === "";
}

function choose({ mutants }: Instrumented, options: Options): readonly Mutant[] {
  const { folders, match, sample, seed } = options;
  const wanted = mutants.filter(({ folder, key }) => folders.includes(folder) && key.includes(match));
  return isWhole(options) ? wanted : shuffled(wanted, seed).slice(0, sample);
}

function printSurvivor({ mutant, verdict }: MutantResult): void {
  if (verdict.kind !== "survived") return;
  const files = verdict.filesRun === 0 ? "no test reaches it" : `${verdict.filesRun} test files ran`;
  console.log(`survived  ${mutant.file}:${mutant.line}  ${mutant.key}  (${files})`);
}

function isGoodEnough(results: readonly MutantResult[], whole: boolean): boolean {
  if (!whole) return scoreOf(results) >= SAMPLE_MIN;
  const ofFolders = FOLDERS.map((name) => results.filter(({ mutant }) => mutant.folder === name));
  return scoreOf(results) >= OVERALL_MIN && ofFolders.every((some) => scoreOf(some) >= FOLDER_MIN);
}

await main();
