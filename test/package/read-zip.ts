/** Reads a zip through its central directory and compares the header of each file with the directory. */
import { crc32, inflateRawSync } from "node:zlib";

export function readZip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const end = zip.length - 22;
  if (zip.readUInt32LE(end) !== 0x06054b50) throw new Error("The zip has no end-of-directory record at its end.");
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error("The zip directory has an invalid entry.");
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    files.set(name, readFile(zip, zip.readUInt32LE(at + 42), zip.subarray(at + 6, at + 30)));
    at += 46 + nameLength;
  }
  if (at !== end) throw new Error("The zip directory does not end at its end-of-directory record.");
  return files;
}

/** `entry`: the fields of the file in the directory, 24 bytes from the version to the length of the name. */
function readFile(zip: Buffer, at: number, entry: Buffer): Buffer {
  if (zip.readUInt32LE(at) !== 0x04034b50 || !zip.subarray(at + 4, at + 28).equals(entry)) {
    throw new Error("The header of a file differs from its directory entry.");
  }
  const start = at + 30 + zip.readUInt16LE(at + 26);
  const content = inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(at + 18)));
  if (crc32(content) !== zip.readUInt32LE(at + 14) || content.length !== zip.readUInt32LE(at + 22)) {
    throw new Error("A file does not match the size or checksum in its header.");
  }
  return content;
}
