/** Vitest's global setup of the project `world`: one Azurite serves all test files. Each world has a table of its own. */
import type { TestProject } from "vitest/node";
import { startTableService } from "../../local/azurite/table-service.ts";

declare module "vitest" {
  interface ProvidedContext {
    tableUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const tables = await startTableService();
  project.provide("tableUrl", tables.url);
  return tables.stop;
}
