/**
 * `.local/environment.json`: the addresses of the running stack and the callers of the service. `npm start` writes it for
 * `npm run token`, the demo, the clients and the benchmarks, and deletes it when the stack stops. It contains passwords and
 * secrets of the local tenant, new at each start, so only its owner may read it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

export interface LocalEnvironment {
  serviceUrl: string;
  /** `…/{tenantId}` */
  authority: string;
  tenantId: string;
  graphUrl: string;
  vaultUrl: string;
  /** An absolute path. */
  caCertPath: string;
  service: { clientId: string; scope: "access_as_user"; audience: string };
  /** `audience`: of the registration that this caller requests tokens for, if it is not the default one. */
  callers: Record<string, { clientId: string; clientSecret?: string; audience?: string }>;
  users: Record<string, { username: string; password: string; oid: string }>;
  controlUrl: string;
  controlKey: string;
}

export const localFolder = resolve(process.env["LOCAL_FOLDER"] || resolve(import.meta.dirname, "../../.local"));
export const environmentPath = resolve(localFolder, "environment.json");

export function writeEnvironment(environment: LocalEnvironment, path = environmentPath): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true }); // An existing file would keep its mode.
  writeFileSync(path, `${JSON.stringify(environment, undefined, 2)}\n`, { mode: 0o600 });
}

export function readEnvironment(path = environmentPath): LocalEnvironment | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as LocalEnvironment;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function removeEnvironment(path = environmentPath): void {
  rmSync(path, { force: true });
}
