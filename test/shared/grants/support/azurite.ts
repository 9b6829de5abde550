/**
 * Azurite's table service over TLS with Entra tokens instead of the account key, as in Azure. Azurite checks only form,
 * audience and time of the tokens. Azurite over http is `local/azurite/table-service.ts`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { asChild, receivePort } from "../../../../local/azurite/table-service.ts";

const BINARY = fileURLToPath(new URL("../../../../node_modules/azurite/dist/src/table/main.js", import.meta.url));

export interface SecureAzurite {
  /** `tableEndpoint` of the store. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

export interface SecureAzuriteInput {
  /** PEM files for 127.0.0.1. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Its working directory. */
  readonly folder: string;
}

export async function startSecureAzurite({
  certificateFile,
  keyFile,
  folder,
}: SecureAzuriteInput): Promise<SecureAzurite> {
  const service = ["--tablePort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry"];
  const secure = ["--oauth", "basic", "--cert", certificateFile, "--key", keyFile];
  const child = spawn(process.execPath, [...asChild, BINARY, ...service, ...secure], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("Azurite did not start.")));
  const port = await Promise.race([receivePort(child), ended]);
  ended.catch(() => undefined);
  return {
    endpoint: `https://127.0.0.1:${port}/devstoreaccount1`,
    async stop() {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
