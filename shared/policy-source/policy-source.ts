import type { Result } from "../core/result.ts";

/** One version of the policy's text. */
export interface PolicyDocument {
  readonly text: string;
  /** Names the version in the next read. Undefined: the storage named none. */
  readonly etag: string | undefined;
}

/** Why the policy could not be read. The values are part of operator events, so they are stable. */
export type PolicyReadFailure =
  /** The managed identity gave no token. */
  | "identity_unavailable"
  /** 401 or 403: the identity lacks the role Storage Blob Data Reader, or a firewall refuses the app. */
  | "forbidden"
  /** 404: there is no such blob or container. */
  | "not_found"
  | "timeout"
  | "network"
  /** The blob is larger than `POLICY_MAX_BYTES`. */
  | "too_large"
  | "throttled"
  /** Any other status. */
  | "unavailable";

export interface PolicySource {
  /** The policy if it differs from the version `knownEtag`. Never rejects. */
  read(knownEtag: string | undefined): Promise<Result<PolicyDocument | "unchanged", PolicyReadFailure>>;
}
