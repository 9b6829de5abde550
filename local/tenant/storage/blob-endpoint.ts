/**
 * Azure Blob Storage's operation Get Blob with a token of Entra
 * (https://learn.microsoft.com/rest/api/storageservices/get-blob and .../authorize-with-azure-active-directory).
 */
import { randomUUID } from "node:crypto";
import { RESOURCE_URIS } from "../directory/seed-ids.ts";
import { type BearerTenant, readBearer } from "../oauth/bearer.ts";
import type { Blobs } from "./blobs.ts";

export interface StorageTenant extends BearerTenant {
  readonly blobs: Blobs;
}

export interface BlobRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** `x-ms-version`: without one from 2017-11-09, storage refuses tokens. */
  readonly version: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** All blobs are below the name of Azurite's account. */
export const BLOB_ACCOUNT_PATH = "/devstoreaccount1/";

export function answerBlobRequest(tenant: StorageTenant, request: BlobRequest): Response {
  const headers = { "x-ms-request-id": randomUUID(), "x-ms-version": request.version ?? "2009-09-19" };
  const refused = refuseCaller(tenant, request);
  if (refused !== undefined) return errorResponse(refused, headers);
  const blob = tenant.blobs.find(request.path.slice(BLOB_ACCOUNT_PATH.length));
  if (blob === undefined) return errorResponse([404, "BlobNotFound", "The specified blob does not exist."], headers);
  const versioned = { ...headers, ETag: blob.etag };
  if (request.ifNoneMatch === blob.etag) return new Response(null, { status: 304, headers: versioned });
  return new Response(blob.content, {
    status: 200,
    headers: { ...versioned, "Content-Type": "application/octet-stream", "x-ms-blob-type": "BlockBlob" },
  });
}

type BlobError = readonly [status: number, code: string, message: string];

function refuseCaller(tenant: StorageTenant, request: BlobRequest): BlobError | undefined {
  if (request.method !== "GET")
    return [405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb."];
  const finding = readBearer(tenant, request.authorization, [RESOURCE_URIS.storage]);
  if (finding.kind === "missing") {
    // An account without anonymous access does not say whether the blob exists.
    return [409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account."];
  }
  if (finding.kind !== "valid" || (request.version ?? "") < "2017-11-09") {
    return [401, "InvalidAuthenticationInfo", "Server failed to authenticate the request."];
  }
  return tenant.blobs.readers.has(String(finding.claims["oid"]))
    ? undefined
    : [
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
      ];
}

function errorResponse([status, code, message]: BlobError, headers: Record<string, string>): Response {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Response(body, {
    status,
    headers: { ...headers, "x-ms-error-code": code, "Content-Type": "application/xml" },
  });
}
