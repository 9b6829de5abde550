/**
 * The one compiler of the run, and a copy of the templates that it may read. Without a compiler the suites that need it
 * are skipped, loudly; with REQUIRE_BICEP=1 they fail instead.
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
  process.stderr.write(`SKIPPED: ${missing}, so what the templates would deploy was NOT checked\n`);
}

export const describeWithBicep = compiler === undefined ? describe.skip : describe;

export interface Workshop {
  readonly bicep: BicepProcess;
  /** A folder like infra/, whose Graph extension is made from this repository's property facts. */
  readonly infra: string;
}

let workshop: Workshop | undefined;

/**
 * Made when a test first asks for it, and shared by all of them: test/infra runs in one worker without isolation. The
 * compiler ends with the worker, when its input does.
 */
export function openWorkshop(): Workshop {
  workshop ??= makeWorkshop();
  return workshop;
}

function makeWorkshop(): Workshop {
  if (compiler === undefined) throw new Error(missing);
  const infra = join(inject("infraFolder"), "infra");
  copyWithGraphTypes(compiler, INFRA, infra);
  return { bicep: startBicep(compiler), infra };
}
