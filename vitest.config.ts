import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that start nothing, change no global and hold no clock beyond a test: they share one module registry. */
const pure = [
  "test/shared/{audit,caller,config,entra,flows,http,policy}/**/*.test.ts",
  "test/forged-tokens/**/*.test.ts",
  "test/infra/{files,findings,kql}.test.ts",
  "test/docs/**/!(requests|commands|snippets).test.ts",
];

/** What the templates would deploy, asked of the Bicep compiler: one process of it, one worker. Not part of `npm test`. */
const infra = "test/infra/*.test.ts";

/** Every command of the documents, as a reader would paste it: programs after programs. Not part of `npm test` either. */
const documents = "test/docs/{commands,snippets}.test.ts";

/** Files that wait for others (a browser, servers that die) rather than work: first, so that nobody waits for them at the end. */
const SLOW = ["test/browser/", "test/functions/errors", "test/cache/service-with-redis", "test/telemetry/exporter"];

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => SLOW.some((part) => moduleId.includes(part));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

export default defineConfig({
  test: {
    environment: "node",
    // One slow machine or one busy neighbour must not turn a test red; nothing here measures time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // By default one core stays free, which on two cores means one file at a time.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: SlowFirst },
    // No test is retried: a test that fails now and then has a race, or waits for a time instead of an event.
    projects: [
      { extends: true, test: { name: "pure", include: pure, isolate: false } },
      {
        extends: true,
        test: { name: "world", include: ["test/**/*.test.ts"], exclude: [...pure, infra, documents] },
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
      { extends: true, test: { name: "documents", include: [documents] } },
    ],
    coverage: {
      provider: "v8",
      include: ["functions/**/*.ts", "shared/**/*.ts"],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
