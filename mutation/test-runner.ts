/** The tests of this repository that run the service in one process, with changed sources. */
import { join } from "node:path";
import { createVitest, type TestModule } from "vitest/node";
import { ROOT } from "./instrument.ts";

export interface TestRunner {
  /** Every test file that can reach the mutants. */
  readonly files: readonly string[];
  /** Runs the files, and stops at the first failure if a mutant is active. */
  run(files: readonly string[], mutant?: string): Promise<readonly FileResult[]>;
  /** Runs the tests with these titles. */
  runTests(file: string, titles: readonly string[]): Promise<readonly TestOutcome[]>;
  /** The next run loads this source again. */
  forget(file: string): void;
  close(): Promise<void>;
}

export interface FileResult {
  readonly file: string;
  readonly passed: boolean;
  /** Tests that failed, or the failure outside of every test. */
  readonly failures: readonly string[];
  readonly ms: number;
  readonly reached: Readonly<Record<string, number>>;
}

export interface TestOutcome {
  readonly title: string;
  readonly passed: boolean;
}

/** These files start the built app, a browser or a tool in another process, or look at texts only: no mutant reaches them. */
const EXCLUDED = [
  "test/{bench,browser,docs,infra,local,package,structure,telemetry}/**",
  "test/attacks/http.test.ts",
  "test/clients/!(policy|policy-mistakes).test.ts",
];

export async function startTestRunner(sourceOf: (path: string) => string | undefined): Promise<TestRunner> {
  const vitest = await createVitest(
    "test",
    {
      root: ROOT,
      config: false,
      watch: false,
      include: ["test/**/*.test.ts"],
      exclude: EXCLUDED,
      globalSetup: "test/support/global-setup.ts",
      setupFiles: [join(import.meta.dirname, "setup.ts")],
      reporters: [],
      pool: "forks",
      testTimeout: 30_000,
      hookTimeout: 60_000,
      provide: { mutant: "" },
      onConsoleLog: () => false,
      // Vitest would keep the changed sources for its next run.
      fsModuleCache: false,
    },
    { plugins: [{ name: "mutants", enforce: "pre", transform: (_code, id) => sourceOf(id) }] },
  );
  const specifications = await vitest.globTestSpecifications();
  const byFile = new Map(specifications.map((one) => [one.moduleId.slice(ROOT.length + 1), one]));
  // Vitest reports the files of earlier runs too, so each run starts by clearing them.
  return {
    files: [...byFile.keys()].sort(),
    async run(files, mutant = "") {
      vitest.provide("mutant", mutant);
      vitest.config.bail = mutant === "" ? 0 : 1;
      for (const project of vitest.projects) project.config.bail = vitest.config.bail;
      vitest.state.filesMap.clear();
      const { testModules } = await vitest.runTestSpecifications(files.flatMap((file) => byFile.get(file) ?? []));
      return testModules.map(toResult);
    },
    forget: (file) => vitest.invalidateFile(join(ROOT, file)),
    async runTests(file, titles) {
      vitest.provide("mutant", "");
      vitest.config.bail = 0;
      const project = vitest.projects[0];
      const named = titles.map((title) =>
        title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/%[sdj]/g, ".*"),
      );
      const testNamePattern = new RegExp(`(?:${named.join("|")})(?:$| > )`);
      const specification = project?.createSpecification(join(ROOT, file), { testNamePattern });
      vitest.state.filesMap.clear();
      const { testModules } = await vitest.runTestSpecifications(specification === undefined ? [] : [specification]);
      return testModules.flatMap((one) => outcomesOf(one));
    },
    close: () => vitest.close(),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function toResult(module: TestModule): FileResult {
  const failed = [...module.children.allTests("failed")].map(({ fullName }) => fullName);
  const outside = module.errors().map(({ message }) => message);
  const ms = module.diagnostic().duration;
  return {
    file: module.moduleId.slice(ROOT.length + 1),
    passed: module.ok(),
    failures: [...failed, ...outside],
    ms,
    reached: module.meta().reached ?? {},
  };
}

function outcomesOf(module: TestModule): TestOutcome[] {
  const ran = [...module.children.allTests()].filter((test) => ["passed", "failed"].includes(test.result().state));
  return ran.map((test) => ({ title: test.name, passed: test.result().state === "passed" }));
}
