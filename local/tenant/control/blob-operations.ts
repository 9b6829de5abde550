/**
 * Control operations for blobs. For an outage, use a scripted response: `{ endpoint: "blob", status: 503, times: 0 }`.
 */
import type { Directory } from "../directory/directory.ts";
import { BLOB_ACCOUNT_PATH } from "../storage/blob-endpoint.ts";
import type { Blobs } from "../storage/blobs.ts";

export interface BlobTenant {
  readonly url: string;
  readonly directory: Directory;
  readonly blobs: Blobs;
}

export function createBlobOperations({ url, directory, blobs }: BlobTenant) {
  return {
    /** `path`: container and name, for example `policy/policy.json`. Returns the URL of the blob. */
    putBlob: ({ path, content }: { path: string; content: string }) => {
      blobs.put(path, content);
      return { url: `${url}${BLOB_ACCOUNT_PATH}${path}` };
    },
    deleteBlob: ({ path }: { path: string }) => blobs.delete(path),
    /** Gives or takes the role Storage Blob Data Reader. Default: the system-assigned identity. */
    setBlobReader: ({ reads, principal = "systemIdentity" }: { reads: boolean; principal?: string }) => {
      const oid = directory.registration(principal)?.objectId ?? principal;
      if (reads) blobs.readers.add(oid);
      else blobs.readers.delete(oid);
    },
  };
}
