/**
 * Files that only their owner can read: folder 0700, file 0600. A file is written under another name and renamed, so that
 * a reader sees the old content or the new content. A file that others can read is rejected.
 *
 * Windows has no such modes. There the folder protects the file: by default %APPDATA%, whose access list contains only the
 * user, the system and administrators.
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
import { dirname, join } from "node:path";
import { CliFailure, settingsFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";

const OTHERS = 0o077;

/** Undefined if the file does not exist. */
export function readPrivateFile(path: string): string | undefined {
  try {
    const { mode } = statSync(path);
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
      throw settingsFailure(`Other users can read ${path}. Remove it, or run chmod 600 on it.`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error instanceof CliFailure ? error : fileFailure("read", path, error);
  }
}

export function writePrivateFile(path: string, text: string): void {
  try {
    replaceFile(path, text);
  } catch (error) {
    throw fileFailure("write", path, error);
  }
}

/**
 * Fails if no file can be written into the folder. Call it before a person signs in, because a sign-in whose tokens cannot
 * be stored is lost. A folder that did not exist does not exist afterwards.
 */
export function checkWritable(folder: string): void {
  const probe = join(folder, "probe");
  let made: string | undefined;
  try {
    made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceFile(probe, "");
    rmSync(probe);
  } catch (error) {
    throw fileFailure("write", folder, error);
  } finally {
    if (made !== undefined) rmSync(made, { recursive: true });
  }
}

function replaceFile(path: string, text: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700); // The folder may exist with another mode.
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

function fileFailure(action: "read" | "write", path: string, cause: unknown): CliFailure {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const advice = "Correct its permissions, or name another folder with --home or GTE_HOME.";
  return new CliFailure(EXIT.internal, "file", `gte cannot ${action} ${path} (${reason}). ${advice}`, { cause });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
