/**
 * Which test files reach which mutants. Found by running each test file once with no mutant active. The result for a file
 * stays in `.local/mutation/` until the file or one of the mutated sources changes.
 */
import { hash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Instrumented, ROOT } from "./instrument.ts";
import type { FileResult, TestRunner } from "./test-runner.ts";

const STORE = join(ROOT, ".local/mutation/coverage.json");

/** The test files that reach a mutant, by the id of the mutant: the one that reaches it most often comes first. */
export type Coverage = ReadonlyMap<string, readonly string[]>;

interface Stored {
  readonly content: string;
  readonly reached: Readonly<Record<string, number>>;
}

export async function measureCoverage({ mutants, sources }: Instrumented, runner: TestRunner): Promise<Coverage> {
  const ofSources = hash("sha256", [...sources.values()].join("\n"));
  const contentOf = (file: string) => hash("sha256", ofSources + readFileSync(join(ROOT, file), "utf8"));
  const stored = readStored();
  const stale = runner.files.filter((file) => stored[file]?.content !== contentOf(file));
  if (stale.length > 0) console.log(`Running ${stale.length} test files without a mutant.`);
  const results = stale.length > 0 ? await runGreen(runner, stale) : [];
  for (const { file, reached } of results) stored[file] = { content: contentOf(file), reached };
  mkdirSync(dirname(STORE), { recursive: true });
  writeFileSync(STORE, JSON.stringify(stored));
  return new Map(mutants.map(({ id }) => [id, filesThatReach(id, runner.files, stored)]));
}

// ---------------------------------------------------------------------------------------------------------------

function readStored(): Record<string, Stored> {
  return existsSync(STORE) ? (JSON.parse(readFileSync(STORE, "utf8")) as Record<string, Stored>) : {};
}

/**
 * A test that fails without a mutant would count as noticing every mutant. A file that fails is run once more, because a busy
 * machine can miss a deadline.
 */
async function runGreen(runner: TestRunner, files: readonly string[]): Promise<FileResult[]> {
  const first = await runner.run(files);
  const again = first.filter(({ passed }) => !passed).map(({ file }) => file);
  const second = again.length > 0 ? await runner.run(again) : [];
  const red = second.filter(({ passed }) => !passed);
  if (red.length > 0) {
    const lines = red.map(({ file, failures }) => `  ${file}: ${failures[0]}`);
    throw new Error(`These test files fail without any mutant:\n${lines.join("\n")}`);
  }
  return [...first.filter(({ passed }) => passed), ...second];
}

function filesThatReach(id: string, files: readonly string[], stored: Readonly<Record<string, Stored>>): string[] {
  const hits = (file: string) => stored[file]?.reached[id] ?? 0;
  return files.filter((file) => hits(file) > 0).sort((a, b) => hits(b) - hits(a));
}
