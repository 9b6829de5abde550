/**
 * Writes a zip file whose bytes depend on its content only: entries are sorted, every time is the format's first
 * (1980-01-01), every file is `rw-r--r--`.
 */
import { type Zippable, zipSync } from "fflate";

export interface ZipEntry {
  /** Relative, with forward slashes. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** `os: 3` is Unix: only then do unpackers read the permissions from `attrs`. */
const UNIX_FILE = { os: 3, attrs: 0o100644 << 16 } as const;

export function zip(entries: readonly ZipEntry[]): Buffer {
  const files: Zippable = {};
  for (const { name, content } of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!/^[\w.-]+(\/[\w.-]+)*$/.test(name) || name.split("/").includes("..")) {
      throw new Error(`"${name}" is not a valid file name in a zip.`);
    }
    if (Object.hasOwn(files, name)) throw new Error(`"${name}" appears twice in the zip.`);
    files[name] = content;
  }
  // A local time, because the format has no time zone and fflate writes the local time.
  return Buffer.from(zipSync(files, { ...UNIX_FILE, level: 9, mtime: new Date(1980, 0, 1) }));
}
