/**
 * Reserves the folder of a stack, so that a second stack does not overwrite the files of a running one. The holder listens
 * on a loopback port and answers with a random text; both are in the lock file. A file without such an answer is from a
 * stack that was killed, and is replaced.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";

export class FolderInUse extends Error {
  /** The process that uses the folder. */
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`The process ${pid} uses the folder ${folder} for its local stack.`);
    this.pid = pid;
  }
}

export interface FolderLock {
  release(): void;
}

const LOCK_FILE = "stack.lock";

/** The content of the lock file. */
interface Holder {
  readonly pid: number;
  readonly port: number;
  readonly id: string;
}

export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, LOCK_FILE);
  const id = randomUUID();
  const server = createServer((socket) => socket.on("error", () => socket.destroy()).end(id)).unref();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const holder = { pid: process.pid, port: (server.address() as AddressInfo).port, id };
  try {
    await takeFile(folder, holder);
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    release: () => {
      server.close();
      if (readHolder(path)?.id === id) rmSync(path, { force: true });
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function takeFile(folder: string, holder: Holder): Promise<void> {
  const path = join(folder, LOCK_FILE);
  for (let attempt = 0; attempt < 5; attempt++) {
    if (createFile(path, holder)) return;
    const other = readHolder(path);
    if (other !== undefined && (await answers(other))) throw new FolderInUse(folder, other.pid);
    rmSync(path, { force: true });
  }
  throw new Error(`${path} cannot be created, because several stacks start at the same time.`);
}

/** False if the file exists. A file that exists is complete: a hard link, unlike a new file, appears with its content. */
function createFile(path: string, holder: Holder): boolean {
  const draft = `${path}.${holder.id}`;
  writeFileSync(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, "utf8")) as Holder;
    return Number.isInteger(holder.port) ? holder : undefined;
  } catch {
    return undefined;
  }
}

async function answers({ port, id }: Holder): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    let text = "";
    for await (const chunk of socket.setEncoding("utf8").setTimeout(2_000, () => socket.destroy())) {
      text += String(chunk);
    }
    return text === id;
  } catch {
    return false;
  }
}
