/**
 * The compiler process of the test run and a copy of the templates. Without a compiler, the suites that need it are skipped
 * with a message. With REQUIRE_BICEP=1 they fail.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, inject } from "vitest";
import { type BicepProcess, startBicep } from "../../../infra/compiler/bicep-process.ts";
import { findCompiler } from "../../../infra/compiler/find-compiler.ts";
import { copyWithGraphTypes } from "../../../infra/compiler/graph/copy-with-graph-types.ts";

const INFRA = fileURLToPath(new URL("../../../infra/", import.meta.url));
export const infraFile = (path: string): string => join(INFRA, path);

const { compiler, tried } = findCompiler();
const missing = `no Bicep compiler (${tried.join("; ")})`;

if (compiler === undefined) {
  if (process.env["REQUIRE_BICEP"] === "1") throw new Error(missing);
  process.stderr.write(`SKIPPED: ${missing}, so the deployed resources were NOT checked\n`);
}

export const describeWithBicep = compiler === undefined ? describe.skip : describe;

export interface BicepWorkspace {
  readonly bicep: BicepProcess;
  /** A copy of infra/ whose Graph extension is built from the Graph types of this repository. */
  readonly infra: string;
}

let workspace: BicepWorkspace | undefined;

/**
 * Created on the first call and shared by all tests, because test/infra runs in one worker without isolation. The compiler
 * ends with the worker, when its standard input closes.
 */
export function openBicepWorkspace(): BicepWorkspace {
  workspace ??= createBicepWorkspace();
  return workspace;
}

function createBicepWorkspace(): BicepWorkspace {
  if (compiler === undefined) throw new Error(missing);
  const infra = join(inject("infraFolder"), "infra");
  copyWithGraphTypes(compiler, INFRA, infra);
  return { bicep: startBicep(compiler), infra };
}
