/**
 * Azurite's table service over TLS, taking Entra tokens (checked for form, audience and time only) instead of the
 * account key: as the store meets it in Azure. Plain Azurite is `local/azurite/table-service.ts`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { freePort } from "../../../../local/process/free-port.ts";

const BINARY = fileURLToPath(new URL("../../../../node_modules/azurite/dist/src/table/main.js", import.meta.url));
/** Azurite would outlive a test process that was killed. */
const END_WITH_PARENT = '--import=data:text/javascript,process.on("disconnect",()=>process.exit())';
const START_MS = 30_000;

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
  const port = await freePort();
  const service = ["--tablePort", String(port), "--inMemoryPersistence", "--silent", "--disableTelemetry"];
  const secure = ["--oauth", "basic", "--cert", certificateFile, "--key", keyFile];
  const child = spawn(process.execPath, [END_WITH_PARENT, BINARY, ...service, ...secure], {
    cwd: folder,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  await listening(port, () => child.exitCode === null);
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

async function listening(port: number, alive: () => boolean): Promise<void> {
  const end = Date.now() + START_MS;
  while (Date.now() < end && alive()) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      socket.destroy();
    }
  }
  throw new Error("Azurite did not start.");
}
