/**
 * The build: a small app, bundled and split as the product is, runs in the host from the bundle alone.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildResult, buildApp } from "../../../local/build/build-app.ts";
import { startHostProcess } from "../../../local/host/host-process.ts";
import { fixtureFolder } from "../host/support/fixture.ts";
import { send } from "../host/support/send.ts";

const app = `
import { app } from "@azure/functions";
app.hook.appStart(() => {});
app.http("lazy", { methods: ["GET"], route: "lazy", handler: async () => (await import("./lazy.ts")).answer() });
`;
const lazy = `
/*! a legal comment */
import { decodeJwt } from "jose";
export const answer = () => ({ body: typeof decodeJwt });
`;

// A folder of the repository, so that the sources resolve their packages. The bundle runs in another folder.
const work = resolve(import.meta.dirname, "../../../.local");
let folder: string;
let result: BuildResult;
beforeAll(async () => {
  mkdirSync(work, { recursive: true });
  folder = mkdtempSync(join(work, "build-test-"));
  writeFileSync(join(folder, "index.ts"), app);
  writeFileSync(join(folder, "lazy.ts"), lazy);
  mkdirSync(join(folder, "dist"));
  writeFileSync(join(folder, "dist/stale.mjs"), "");
  result = await buildApp({ entry: join(folder, "index.ts"), outDirectory: join(folder, "dist") });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the build replaces the output folder with the entry, its chunks and the metafile", () => {
  expect(readdirSync(join(folder, "dist")).sort()).toEqual(["chunks", "index.mjs", "meta.json"]);
  expect(Object.keys(JSON.parse(readFileSync(join(folder, "dist/meta.json"), "utf8")))).toEqual(["inputs", "outputs"]);
});

test("a lazily imported module is not loaded at start", () => {
  expect(result.startBytes).toBeLessThan(result.totalBytes);
  const sources = Object.values(result.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  expect(sources.some((path) => path.includes("node_modules/jose/"))).toBe(true);
  const entry = Object.values(result.metafile.outputs).find(({ entryPoint }) => entryPoint?.endsWith("index.ts"));
  expect(Object.keys(entry?.inputs ?? {}).some((path) => path.includes("/jose/"))).toBe(false);
});

test("the bundle imports only the core module from the host and contains no legal comments", () => {
  const external = Object.values(result.metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter((imported) => imported.external && !imported.path.startsWith("node:"))
    .map(({ path }) => path);
  const builtIn = ["crypto", "events", "http", "net", "url", "util", "module", "stream", "buffer"];
  expect(external.filter((path) => !builtIn.includes(path))).toEqual(["@azure/functions-core"]);
  const texts = readdirSync(join(folder, "dist/chunks")).map((name) =>
    readFileSync(join(folder, "dist/chunks", name), "utf8"),
  );
  expect(texts.some((text) => text.includes("legal comment"))).toBe(false);
});

test("the bundle runs in the host without node_modules", async () => {
  const deployed = mkdtempSync(join(tmpdir(), "gte-build-test-"));
  cpSync(join(folder, "dist"), join(deployed, "dist"), { recursive: true });
  cpSync(join(fixtureFolder("shutdown"), "host.json"), join(deployed, "host.json"));
  writeFileSync(join(deployed, "package.json"), JSON.stringify({ main: "dist/index.mjs" }));
  const host = await startHostProcess({ appDirectory: deployed, port: 0, settings: {} });
  expect(await send(host.port, "/lazy")).toMatchObject({ status: 200, text: "function" });
  await host.stop();
  rmSync(deployed, { recursive: true, force: true });
});
