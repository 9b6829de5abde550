/** Runs in every test file of a mutation run: activates one mutant, and reports which mutants the file reaches. */
import { afterAll, inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Id of the active mutant. Empty: none, the file reports which it reaches. */
    mutant: string;
  }
  interface TaskMeta {
    /** How often each mutant's place was reached. */
    reached?: Record<string, number>;
  }
}

/** A loop that a mutant made endless ends here: no test reaches one place as often. */
const HITS_MAX = 2_000_000;

interface Instrumentation {
  activeMutant?: string | undefined;
  hitCount?: number;
  hitLimit?: number;
  mutantCoverage?: { readonly static: Record<string, number> };
}

const instrumented = globalThis as { __stryker__?: Instrumentation };
const mutant = inject("mutant");
instrumented.__stryker__ = mutant === "" ? {} : { activeMutant: mutant, hitCount: 0, hitLimit: HITS_MAX };

// biome-ignore lint/correctness/noEmptyPattern: Vitest reads the names of the fixtures from this pattern.
afterAll(({}, suite) => {
  suite.meta.reached = mutant === "" ? (instrumented.__stryker__?.mutantCoverage?.static ?? {}) : {};
});
