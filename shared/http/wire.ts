/** A failure as callers see it, independent of how the route writes it. */
import type { EntraEvidence } from "../core/failure.ts";
import type { Quota } from "../core/load-failure.ts";

export type Action = "retry" | "new_caller_token" | "sign_in" | "ask_admin" | "fix_request";

/** How a route writes failures: `oauth` as in RFC 6749 section 5.2, `problem` as in RFC 9457, `page` as HTML. */
export type Dialect = "oauth" | "problem" | "page";

export interface Wire {
  readonly status: number;
  /** RFC 6749 error, or the RFC 6750 error of a challenge. */
  readonly error: string;
  /** Stable: programs may branch on it, and operators search for it. */
  readonly code: string;
  /**
   * What is wrong and what to do, in the characters of RFC 6749 section 5.2. Values of the caller's request and of its
   * policy entry go through `safe-text.ts`.
   */
  readonly description: string;
  /** What the caller does next. */
  readonly action: Action;
  readonly suberror?: string;
  /** Entra's claims request: unchanged JSON text. */
  readonly claims?: string;
  /** Scopes that lack consent. */
  readonly scopes?: readonly string[];
  /** Where a person can renew the grant. */
  readonly signInUrl?: string;
  /** AADSTS error codes. */
  readonly errorCodes?: readonly number[];
  readonly traceId?: string;
  readonly retryAfterSeconds?: number;
  /** Adds `RateLimit-Policy` and `RateLimit`: the caller has used this quota up. */
  readonly usedUp?: Quota;
  readonly allow?: readonly string[];
  /**
   * Adds a `Bearer` challenge. `error` is absent if the request had no credentials (RFC 6750 section 3.1). `scope`: what
   * the caller requests from Entra.
   */
  readonly challenge?: { readonly error?: string; readonly claims?: string; readonly scope?: string };
  /** Adds a `Basic` challenge in place of a `Bearer` challenge: the client sent a secret (RFC 6749 section 5.2). */
  readonly basicChallenge?: true;
}

/** What callers have to know about the service to get a token for it. Each name is public. */
export interface ServiceNames {
  readonly tenantId: string;
  /** The registrations that callers request tokens for, the default one first. */
  readonly registrations: readonly [RegistrationNames, ...RegistrationNames[]];
}

interface RegistrationNames {
  readonly name: string;
  readonly clientId: string;
  readonly appIdUri: string;
}

export interface WireOptions {
  readonly dialect: Dialect;
  /** The caller's token has `xms_cc` `cp1`: the caller can answer a claims challenge. */
  readonly understandsChallenge: boolean;
  /** Undefined: messages describe the service's scope and tenant without their names. */
  readonly service?: ServiceNames;
}

/** Entra's identifiers, as members of the response. */
export function evidenceMembers(
  evidence: EntraEvidence | undefined,
): Pick<Wire, "errorCodes" | "traceId" | "suberror"> {
  return {
    ...(evidence === undefined || evidence.codes.length === 0 ? {} : { errorCodes: evidence.codes }),
    ...(evidence?.traceId === undefined ? {} : { traceId: evidence.traceId }),
    ...(evidence?.suberror === undefined ? {} : { suberror: evidence.suberror }),
  };
}
