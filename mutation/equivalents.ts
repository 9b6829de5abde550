/**
 * `equivalents.json`: mutants that no test can notice, because the changed source does the same, with the reason. Everything
 * else that survives is a gap in the tests.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./instrument.ts";

/** Reasons by file and by the mutant's key. */
type Equivalents = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface KnownEquivalents {
  reasonOf(mutant: Mutant): string | undefined;
  /** Entries that no mutant of the present sources has. */
  stale(mutants: readonly Mutant[]): string[];
}

export function readEquivalents(): KnownEquivalents {
  const all = JSON.parse(readFileSync(join(import.meta.dirname, "equivalents.json"), "utf8")) as Equivalents;
  return {
    reasonOf: ({ file, key }) => all[file]?.[key],
    stale(mutants) {
      const known = new Set(mutants.map(({ file, key }) => `${file}: ${key}`));
      const listed = Object.entries(all).flatMap(([file, keys]) => Object.keys(keys).map((key) => `${file}: ${key}`));
      return listed.filter((entry) => !known.has(entry));
    },
  };
}
