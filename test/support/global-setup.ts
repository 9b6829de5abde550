/**
 * Vitest's global setup of the project `world`: one Azurite and the tenants' signing keys serve all test files, because
 * both take long to create. Each world has a table of its own.
 */
import { generateKeyPairSync } from "node:crypto";
import type { TestProject } from "vitest/node";
import { startTableService } from "../../local/azurite/table-service.ts";
import type { RunningTables } from "../../local/stack/stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    tables: RunningTables;
    /** PEM */
    signingKeys: string[];
  }
}

/** A tenant has four. A test file that starts more than two tenants creates more. */
const KEYS = 8;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starting = startTableService();
  const signingKeys = Array.from({ length: KEYS }, () =>
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
  project.provide("signingKeys", signingKeys);
  const tables = await starting;
  project.provide("tables", { url: tables.url, pid: tables.pid });
  return tables.stop;
}
