/** The blobs of the storage account, in memory, and who may read them. */
import { randomBytes } from "node:crypto";

export interface Blob {
  readonly content: string;
  /** Changes with every write, even of equal content. */
  readonly etag: string;
}

export interface Blobs {
  find(path: string): Blob | undefined;
  put(path: string, content: string): void;
  delete(path: string): void;
  /** Principals with the role Storage Blob Data Reader. */
  readonly readers: Set<string>;
  clear(): void;
}

export function createBlobs(readers: readonly string[]): Blobs {
  const blobs = new Map<string, Blob>();
  const current = new Set(readers);
  return {
    find: (path) => blobs.get(path),
    put: (path, content) => {
      blobs.set(path, { content, etag: `"0x8D${randomBytes(6).toString("hex").toUpperCase()}"` });
    },
    delete: (path) => void blobs.delete(path),
    readers: current,
    clear: () => {
      blobs.clear();
      for (const reader of readers) current.add(reader);
    },
  };
}
