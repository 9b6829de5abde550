/** Reads a zip by its directory, as an unpacker does, and checks what the file headers say against it. */
import { crc32, inflateRawSync } from "node:zlib";

export function readZip(zip: Buffer): ReadonlyMap<string, Buffer> {
  const end = zip.length - 22;
  if (zip.readUInt32LE(end) !== 0x06054b50) throw new Error("The end of the directory is not where it must be.");
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error("The directory is broken.");
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    files.set(name, readFile(zip, zip.readUInt32LE(at + 42), zip.subarray(at + 6, at + 30)));
    at += 46 + nameLength;
  }
  if (at !== end) throw new Error("The directory does not end where it says.");
  return files;
}

/** `about`: what the directory says of the file, 24 bytes from the version to the name's length. */
function readFile(zip: Buffer, at: number, about: Buffer): Buffer {
  if (zip.readUInt32LE(at) !== 0x04034b50 || !zip.subarray(at + 4, at + 28).equals(about)) {
    throw new Error("A file's header and the directory contradict each other.");
  }
  const start = at + 30 + zip.readUInt16LE(at + 26);
  const content = inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(at + 18)));
  if (crc32(content) !== zip.readUInt32LE(at + 14) || content.length !== zip.readUInt32LE(at + 22)) {
    throw new Error("A file is not what its header says.");
  }
  return content;
}
