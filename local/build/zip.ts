/**
 * Writes a zip file: deflate, names in UTF-8, nothing that differs between two runs or two machines. Entries are sorted,
 * every time is the format's first (1980-01-01), every file is `rw-r--r--`. No zip64: at most 65,535 files, below 4 GB.
 *
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16
 */
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  /** Relative, with forward slashes. */
  readonly name: string;
  readonly content: Uint8Array;
}

const VERSION_NEEDED = 20;
/** Unix in the upper byte, so that the permissions below count. */
const MADE_BY = (3 << 8) | VERSION_NEEDED;
const UTF8_NAMES = 1 << 11;
const DEFLATE = 8;
const TIME = 0;
/** 1980-01-01: year 0, month 1, day 1. */
const DATE = (1 << 5) | 1;
const REGULAR_FILE_0644 = (0o100644 << 16) >>> 0;
const FILES_MAX = 0xffff;

export function zip(entries: readonly ZipEntry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  checkNames(sorted);
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of sorted) {
    const encodedName = Buffer.from(name, "utf8");
    const packed = deflateRawSync(content, { level: 9 });
    const about = describe(content, packed, encodedName);
    const file = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), about, encodedName, packed]);
    directory.push(directoryEntry(about, encodedName, offset));
    files.push(file);
    offset += file.length;
  }
  const listed = Buffer.concat(directory);
  return Buffer.concat([...files, listed, endOfDirectory(sorted.length, listed.length, offset)]);
}

// ---------------------------------------------------------------------------------------------------------------

/** Names that would leave the folder, or mean the same file twice, are a mistake of ours. */
function checkNames(sorted: readonly ZipEntry[]): void {
  if (sorted.length > FILES_MAX) {
    throw new Error(`${sorted.length} files are too many for one zip.`);
  }
  for (const [index, { name }] of sorted.entries()) {
    if (!/^[\w.-]+(\/[\w.-]+)*$/.test(name) || name.split("/").includes("..") || name === sorted[index + 1]?.name) {
      throw new Error(`"${name}" is no name for a file in a zip, or is there twice.`);
    }
  }
}

/** What the file's own header and the directory say alike: 26 bytes, from the version to the lengths. */
function describe(content: Uint8Array, packed: Buffer, name: Buffer): Buffer {
  const about = Buffer.alloc(26);
  about.writeUInt16LE(VERSION_NEEDED, 0);
  about.writeUInt16LE(UTF8_NAMES, 2);
  about.writeUInt16LE(DEFLATE, 4);
  about.writeUInt16LE(TIME, 6);
  about.writeUInt16LE(DATE, 8);
  about.writeUInt32LE(crc32(content), 10);
  about.writeUInt32LE(packed.length, 14);
  about.writeUInt32LE(content.length, 18);
  about.writeUInt16LE(name.length, 22);
  return about;
}

function directoryEntry(about: Buffer, name: Buffer, offset: number): Buffer {
  const start = Buffer.alloc(6);
  start.write("PK\x01\x02", 0, "latin1");
  start.writeUInt16LE(MADE_BY, 4);
  const end = Buffer.alloc(14);
  end.writeUInt32LE(REGULAR_FILE_0644, 6);
  end.writeUInt32LE(offset, 10);
  return Buffer.concat([start, about, end, name]);
}

function endOfDirectory(files: number, bytes: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(files, 8);
  end.writeUInt16LE(files, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}
