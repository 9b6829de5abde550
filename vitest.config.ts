import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that start no server, change no global and no clock. */
const pure = [
  "test/shared/{audit,caller,client-authentication,config,core,entra,events,flows,http,policy,sealing,throttling}/**/*.test.ts",
  "test/forged-tokens/**/*.test.ts",
  "test/infra/{files,findings,kql}.test.ts",
  "test/docs/**/!(requests|commands|snippets|bodies|events|gateways|playground|policy-commands).test.ts",
];

/** What the Bicep templates deploy. One worker, because it runs one compiler process. Not part of `npm test`. */
const infra = "test/infra/*.test.ts";

/** The snippets in the documents and on pages, run as a reader pastes them. Not part of `npm test`. */
const documents = [
  "test/docs/{commands,snippets,bodies,events,gateways,playground,policy-commands}.test.ts",
  "test/local/playground/snippets.test.ts",
];

/** The slowest files start first, so that they do not run alone at the end. */
const SLOW = [
  "test/browser/",
  "test/functions/four-hundred-days",
  "test/local/start",
  "test/functions/errors",
  "test/functions/grants",
  "test/functions/credential-rotation",
  "test/attacks/http",
  "test/cache/service-with-redis",
  "test/telemetry/exporter",
  "test/soak/",
  "test/fuzz/",
];

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => SLOW.some((part) => moduleId.includes(part));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

// Every worker loads the same packages, so Node caches their compiled code. V8 coverage needs uncached code.
if (!process.argv.includes("--coverage")) {
  process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/node");
}

export default defineConfig({
  test: {
    environment: "node",
    // Wide enough for a slow or busy machine. No test measures time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The default leaves one core free: on two cores that would be one file at a time.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: SlowFirst },
    // No test is retried: a test that fails now and then has a race, or waits for a time instead of an event.
    projects: [
      { extends: true, test: { name: "pure", include: pure, isolate: false } },
      {
        extends: true,
        test: {
          name: "world",
          include: ["test/**/*.test.ts"],
          exclude: [...pure, infra, ...documents],
          globalSetup: "test/support/global-setup.ts",
          // One process for many files: each starts a tenant of its own, and no file repeats the loading of all packages.
          isolate: false,
          // CI retries a failed test once, because its machine is shared, and reports it.
          retry: process.env["CI"] === "true" ? 1 : 0,
        },
      },
      {
        extends: true,
        test: {
          name: "infra",
          include: [infra],
          exclude: pure,
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          globalSetup: "test/infra/support/folder.ts",
        },
      },
      { extends: true, test: { name: "documents", include: documents, globalSetup: "test/support/global-setup.ts" } },
    ],
    coverage: {
      provider: "v8",
      include: ["functions/**/*.ts", "shared/**/*.ts"],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
