/**
 * Vitest's global setup of the project `world`: one Azurite, the tenants' signing keys and their certificate serve all
 * test files, because they take long to create or to trust. Each world has a table of its own.
 */
import { generateKeyPairSync } from "node:crypto";
import type { TestProject } from "vitest/node";
import { startTableService } from "../../local/azurite/table-service.ts";
import type { RunningTables } from "../../local/stack/stack.ts";
import { createLocalTls, type LocalTls } from "../../local/tls/local-tls.ts";

declare module "vitest" {
  interface ProvidedContext {
    tables: RunningTables;
    tls: LocalTls;
    /** PEM */
    signingKeys: string[];
  }
}

/** A tenant has four, and a test may add some. */
const KEYS = 8;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starting = startTableService();
  const signingKeys = Array.from({ length: KEYS }, () =>
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
  project.provide("signingKeys", signingKeys);
  project.provide("tls", createLocalTls());
  const tables = await starting;
  project.provide("tables", { url: tables.url, pid: tables.pid });
  return tables.stop;
}
