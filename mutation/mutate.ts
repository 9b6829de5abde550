/** Runs mutants one after the other until the time is over, and counts which ones the tests notice. */
import type { Coverage } from "./coverage.ts";
import type { KnownEquivalents } from "./equivalents.ts";
import { FOLDERS, type Mutant } from "./instrument.ts";
import type { TestRunner } from "./test-runner.ts";

export type Verdict =
  | { readonly kind: "killed"; readonly by: string }
  | { readonly kind: "survived"; readonly filesRun: number }
  | { readonly kind: "equivalent"; readonly reason: string };

export interface MutantResult {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

export interface MutateInput {
  readonly mutants: readonly Mutant[];
  readonly coverage: Coverage;
  readonly equivalents: KnownEquivalents;
  readonly runner: TestRunner;
  /** No mutant starts later, milliseconds since 1970. */
  readonly endMs: number;
  /** The files that reach a mutant most often; more are not run. So the result is never too good. */
  readonly filesMax: number;
  /** `count`: results so far. */
  readonly onResult: (result: MutantResult, count: number) => void;
}

export async function mutate(input: MutateInput): Promise<MutantResult[]> {
  const results: MutantResult[] = [];
  for (const mutant of input.mutants) {
    if (Date.now() > input.endMs) break;
    const result = { mutant, verdict: await judge(input, mutant) };
    results.push(result);
    input.onResult(result, results.length);
  }
  return results;
}

/** Percent of the mutants that are not equivalent. */
export function scoreOf(results: readonly MutantResult[]): number {
  const counted = results.filter(({ verdict }) => verdict.kind !== "equivalent");
  const killed = counted.filter(({ verdict }) => verdict.kind === "killed");
  return counted.length === 0 ? 100 : (100 * killed.length) / counted.length;
}

export function toTable(results: readonly MutantResult[]): string {
  const rows = FOLDERS.map((folder) =>
    row(
      folder,
      results.filter(({ mutant }) => mutant.folder === folder),
    ),
  );
  return ["folder                  mutants  killed  survived  equivalent   score", ...rows, row("all", results)].join(
    "\n",
  );
}

// ---------------------------------------------------------------------------------------------------------------

async function judge({ coverage, equivalents, runner, filesMax }: MutateInput, mutant: Mutant): Promise<Verdict> {
  const reason = equivalents.reasonOf(mutant);
  if (reason !== undefined) return { kind: "equivalent", reason };
  const files = ownTestFirst(mutant, coverage.get(mutant.id) ?? []).slice(0, filesMax);
  for (const wave of waves(files)) {
    const failed = (await runner.run(wave, mutant.id)).find(({ passed }) => !passed);
    if (failed !== undefined) return { kind: "killed", by: `${failed.file}: ${failed.failures[0] ?? "no test ran"}` };
  }
  return { kind: "survived", filesRun: files.length };
}

/** `test/shared/policy/decide.test.ts` is the first to notice a change of `shared/policy/decide.ts`. */
function ownTestFirst({ file, folder }: Mutant, files: readonly string[]): string[] {
  const own = `test/${file.replace(/\.ts$/, ".test.ts")}`;
  const rank = (path: string) => [path === own, path.startsWith(`test/shared/${folder}/`)].indexOf(true);
  const order = (path: string) => (rank(path) === -1 ? 2 : rank(path));
  return [...files].sort((a, b) => order(a) - order(b));
}

/** Most mutants die in the first file. */
function* waves(files: readonly string[]): Generator<readonly string[]> {
  let size = 2;
  for (let at = 0; at < files.length; size *= 2) {
    yield files.slice(at, at + size);
    at += size;
  }
}

function row(name: string, results: readonly MutantResult[]): string {
  const count = (kind: Verdict["kind"]) => results.filter(({ verdict }) => verdict.kind === kind).length;
  const cells = [results.length, count("killed"), count("survived"), count("equivalent")];
  const widths = [9, 8, 10, 12];
  const numbers = cells.map((cell, at) => String(cell).padStart(widths[at] ?? 8)).join("");
  return `${name.padEnd(22)}${numbers}${scoreOf(results).toFixed(1).padStart(7)} %`;
}
