/** Vitest's global setup of the project `infra`: creates a temporary folder for the tests and deletes it after the run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    infraFolder: string;
  }
}

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "gte-infra-"));
  project.provide("infraFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
