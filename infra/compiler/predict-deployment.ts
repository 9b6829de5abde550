/** What a parameter file would deploy to a resource group, as the Bicep compiler evaluates it. Sends nothing to Azure. */
import { resolve } from "node:path";
import { type Snapshot, startBicep, type Target } from "./bicep-process.ts";
import { findCompiler } from "./find-compiler.ts";

/** Undefined: there is no compiler. Rejects if the file does not compile. */
export async function predictDeployment(path: string, target: Target): Promise<Snapshot | undefined> {
  const { compiler } = findCompiler();
  if (compiler === undefined) return undefined;
  const bicep = startBicep(compiler);
  try {
    return await bicep.snapshot(resolve(path), target);
  } finally {
    bicep.close();
  }
}
