/**
 * Copies the templates and builds their Graph extension from the Graph types of this repository, so that entra.bicep can be
 * compiled if Microsoft's registry is unreachable.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BicepCompiler } from "../find-compiler.ts";
import { GRAPH_RESOURCES } from "./graph-types.ts";
import { toTypeIndex } from "./to-type-index.ts";

const EXTENSION = "microsoft-graph.tgz";
/** Templates, parameter files, queries and the configuration of the compiler. */
const COMPILED = /\.(bicep|bicepparam|kql|json)$/;

/** Copies `infra` into `folder`. Throws the compiler's message if it cannot build the extension. */
export function copyWithGraphTypes(compiler: BicepCompiler, infra: string, folder: string): void {
  cpSync(infra, folder, {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || COMPILED.test(path),
  });
  publish(compiler, join(folder, "graph-types"), join(folder, "entra", EXTENSION));
  const config = join(folder, "entra", "bicepconfig.json");
  const declared = JSON.parse(readFileSync(config, "utf8")) as { extensions: Record<string, string> };
  const extensions = Object.keys(declared.extensions).map((name) => [name, EXTENSION]);
  writeFileSync(config, JSON.stringify({ ...declared, extensions: Object.fromEntries(extensions) }));
}

function publish(compiler: BicepCompiler, folder: string, target: string): void {
  const { index, types } = toTypeIndex(GRAPH_RESOURCES);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "types.json"), JSON.stringify(types));
  writeFileSync(join(folder, "index.json"), JSON.stringify(index));
  const run = spawnSync(
    compiler.program,
    ["publish-extension", join(folder, "index.json"), "--target", target, "--force"],
    { encoding: "utf8" },
  );
  if (run.status !== 0) throw new Error(`bicep publish-extension: ${run.stderr ?? run.error?.message}`);
}
