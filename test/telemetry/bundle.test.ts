/** Telemetry in the built app: it loads no SDK if telemetry is off, and exports pending observations when the host stops. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildResult, buildApp } from "../../local/build/build-app.ts";
import { localRequest } from "../../local/caller/local-request.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { startTestStack } from "../support/test-stack.ts";
import { type OtlpReceiver, points, startOtlpReceiver } from "./support/otlp-receiver.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let built: BuildResult;
let receiver: OtlpReceiver;
beforeAll(async () => {
  mkdirSync(join(root, ".local"), { recursive: true });
  folder = mkdtempSync(join(root, ".local", "telemetry-test-"));
  [built, receiver] = await Promise.all([
    buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") }),
    startOtlpReceiver(),
  ]);
  cpSync(join(root, "host.json"), join(folder, "host.json"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ main: "dist/index.mjs", type: "module" }));
});
afterAll(async () => {
  await receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Chunks with a source whose path contains `part`. */
function chunksWith(part: string): string[] {
  return Object.entries(built.metafile.outputs)
    .filter(([, { inputs }]) => Object.keys(inputs).some((input) => input.includes(part)))
    .map(([path]) => path);
}

test("the bundle loads the OpenTelemetry SDK only by dynamic imports", () => {
  // The Redis client, which is also a lazy chunk, contains the API package.
  const sdk = new Set([
    ...chunksWith("node_modules/@opentelemetry/"),
    ...chunksWith("shared/telemetry/open-telemetry.ts"),
  ]);
  expect(sdk.size).toBeGreaterThan(0);
  // Only dynamic imports lead to these chunks from outside.
  for (const [path, { imports }] of Object.entries(built.metafile.outputs)) {
    for (const imported of imports) {
      if (sdk.has(imported.path) && !sdk.has(path)) {
        expect(imported.kind).toBe("dynamic-import");
      }
    }
  }
  const entry = Object.entries(built.metafile.outputs).find(([path]) => path.endsWith("dist/index.mjs"))?.[0];
  expect(sdk.has(entry ?? "")).toBe(false);
});

test("the bundle contains one copy of each OpenTelemetry package and no instrumentation", () => {
  const packages = Object.keys(built.metafile.inputs)
    .map((path) => /node_modules\/(.*node_modules\/)?@opentelemetry\/[^/]+/.exec(path)?.[0])
    .filter((name) => name !== undefined);
  const found = [...new Set(packages)].sort();
  expect(found.every((path) => path.startsWith("node_modules/@opentelemetry/"))).toBe(true);
  expect(found).not.toContain("node_modules/@opentelemetry/instrumentation");
  const [chunk = "", ...others] = chunksWith("shared/telemetry/open-telemetry.ts");
  expect(others).toEqual([]);
  expect(built.metafile.outputs[chunk]?.bytes).toBeLessThan(150_000);
});

test("the host exports pending metrics and spans when it stops", async () => {
  const stack: Stack = await startTestStack({
    appDirectory: folder,
    serviceSettings: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER: "always_on" },
  });
  const token = stack.tenant.state.mintUserToken({ user: "alice", client: "web" });
  const headers = { authorization: `Bearer ${token}` };
  const answer = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, { headers });
  expect(answer.status).toBe(200);
  await stack.stop();

  expect(points(receiver.metrics(), "gte.exchanges").length).toBeGreaterThan(0);
  expect(receiver.spans().map(({ name }) => name)).toContain("exchange authorization-header");
});
