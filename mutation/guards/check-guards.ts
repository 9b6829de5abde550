/** Takes each guard away in turn, and runs the tests that must notice. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../instrument.ts";
import { startTestRunner } from "../test-runner.ts";
import type { Guard } from "./guard.ts";

export interface GuardResult {
  readonly guard: Guard;
  /** Undefined: a cited test fails without the guard and passes with it. */
  readonly problem: string | undefined;
}

/** Until `endMs`; guards for which no time is left have no result. */
export async function checkGuards(
  guards: readonly Guard[],
  endMs: number,
  onResult: (result: GuardResult) => void,
): Promise<GuardResult[]> {
  let changed: { readonly path: string; readonly content: string } | undefined;
  const runner = await startTestRunner((path) => (path === changed?.path ? changed.content : undefined));
  const results: GuardResult[] = [];
  try {
    for (const guard of guards) {
      if (Date.now() > endMs) break;
      const content = withoutGuard(guard);
      const run = async () => {
        runner.forget(guard.file);
        const outcomes = await runner.runTests(guard.test, guard.titles);
        return { count: outcomes.length, failed: outcomes.filter(({ passed }) => !passed).length };
      };
      const before = await run();
      changed = content === undefined ? undefined : { path: join(ROOT, guard.file), content };
      const after = await run();
      changed = undefined;
      runner.forget(guard.file);
      const result = { guard, problem: problemOf(content, before, after) };
      results.push(result);
      onResult(result);
    }
  } finally {
    await runner.close();
  }
  return results;
}

/** The source without the guard. Undefined: the guard does not stand there any more. */
export function withoutGuard({ file, from, to }: Guard): string | undefined {
  const content = readFileSync(join(ROOT, file), "utf8");
  return content.split(from).length === 2 ? content.replace(from, () => to) : undefined;
}

// ---------------------------------------------------------------------------------------------------------------

interface Run {
  readonly count: number;
  readonly failed: number;
}

function problemOf(content: string | undefined, before: Run, after: Run): string | undefined {
  if (content === undefined) return "the text of the guard is not in its file exactly once";
  if (before.count === 0) return "no test has this title";
  if (before.failed > 0) return "the cited test fails with the guard in place";
  return after.failed > 0 || after.count === 0 ? undefined : "no cited test fails without the guard";
}
