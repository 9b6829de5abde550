/**
 * Reads the policy from Azure Blob Storage with one conditional request (If-None-Match), so that a read of an unchanged
 * policy transfers no content. Plain REST: the storage SDK would add a megabyte to the bundle for this one request.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/get-blob
 */
import { beforeDeadline } from "../core/deadline.ts";
import { POLICY_DEADLINE_MS, POLICY_MAX_BYTES } from "../core/limits.ts";
import { fail, succeed } from "../core/result.ts";
import type { Outbound, OutboundFailure, OutboundResponse } from "../outbound/outbound.ts";
import type { PolicyReadFailure, PolicySource } from "./policy-source.ts";

/** A version of the REST API that takes tokens of Entra. The answers of one version never change. */
const API_VERSION = "2021-12-02";

export interface BlobPolicySourceInput {
  /** Checked by the configuration: https and the blob suffix of the cloud, or this machine. */
  readonly url: string;
  readonly outbound: Outbound;
  /** A token of the managed identity for Azure Storage. Rejects if there is none. */
  readonly accessToken: () => Promise<string>;
  /** For tests; normally `POLICY_DEADLINE_MS`. */
  readonly deadlineMs?: number;
}

export function createBlobPolicySource(input: BlobPolicySourceInput): PolicySource {
  const { deadlineMs = POLICY_DEADLINE_MS } = input;
  return {
    async read(knownEtag) {
      try {
        return await beforeDeadline(readBlob({ ...input, deadlineMs }, knownEtag), deadlineMs);
      } catch {
        return fail("timeout");
      }
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function readBlob(
  { url, outbound, accessToken, deadlineMs }: Required<BlobPolicySourceInput>,
  knownEtag: string | undefined,
): ReturnType<PolicySource["read"]> {
  const token = await accessToken().catch(() => undefined);
  if (token === undefined) return fail("identity_unavailable");
  const answer = await outbound.send({
    method: "GET",
    url,
    headers: {
      authorization: `Bearer ${token}`,
      "x-ms-version": API_VERSION,
      ...(knownEtag === undefined ? {} : { "if-none-match": knownEtag }),
    },
    deadlineMs,
    maxBytes: POLICY_MAX_BYTES,
  });
  return answer.ok ? toDocument(answer.value, knownEtag) : fail(toReason(answer.failure));
}

function toDocument(
  { status, headers, body }: OutboundResponse,
  knownEtag: string | undefined,
): Awaited<ReturnType<PolicySource["read"]>> {
  switch (status) {
    case 200:
      return succeed({ text: body, etag: headers["etag"] });
    case 304:
      return knownEtag === undefined ? fail("unavailable") : succeed("unchanged");
    case 401:
    case 403:
      return fail("forbidden");
    case 404:
      return fail("not_found");
    case 429:
    case 503:
      return fail("throttled");
    default:
      return fail("unavailable");
  }
}

function toReason({ kind }: OutboundFailure): PolicyReadFailure {
  return kind === "answer_too_large" ? "too_large" : kind;
}
