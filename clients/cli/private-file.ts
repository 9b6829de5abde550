/**
 * Files for their owner only: folder 0700, file 0600, written beside and renamed, so that a reader sees the old content
 * or the new and never half of it. A file that others may read is not read.
 *
 * Windows has no such modes: there the file is as private as the folder it lies in, which by default is %APPDATA%, whose
 * access list names the user, the system and administrators only.
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { settingsProblem } from "./cli-failure.ts";

const OTHERS = 0o077;

/** Undefined when there is none. */
export function readPrivateFile(path: string): string | undefined {
  try {
    const { mode } = statSync(path);
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
      throw settingsProblem(`${path} can be read by others: remove it, or run chmod 600 on it.`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function writePrivateFile(path: string, text: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700); // It may have been there before.
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = openSync(draft, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

export function removePrivateFile(path: string): void {
  rmSync(path, { force: true });
}

export function removePrivateFolder(path: string): void {
  rmSync(path, { force: true, recursive: true });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
