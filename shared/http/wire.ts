/** What a failure looks like outside, before it is written in the words of a route. */
import type { EntraEvidence } from "../core/failure.ts";

export type Action = "retry" | "new_caller_token" | "sign_in" | "ask_admin" | "fix_request";

/** OAuth routes speak RFC 6749 section 5.2, those for browsers HTML, the others RFC 9457. */
export type Dialect = "oauth" | "problem" | "page";

export interface Wire {
  readonly status: number;
  /** RFC 6749 error, or the RFC 6750 one in a challenge. */
  readonly error: string;
  /** Stable: programs may branch on it, operators search for it. */
  readonly code: string;
  /** One generic English sentence in the characters of RFC 6749 section 5.2; never a value from outside. */
  readonly description: string;
  /** What a program should do next. */
  readonly action: Action;
  readonly suberror?: string;
  /** Claims request of Entra's, JSON text as it came. */
  readonly claims?: string;
  /** Scopes that lack consent, or that were too many. */
  readonly scopes?: readonly string[];
  /** Where a person can make the grant again. */
  readonly signInUrl?: string;
  /** AADSTS numbers. */
  readonly errorCodes?: readonly number[];
  readonly traceId?: string;
  readonly retryAfterSeconds?: number;
  readonly allow?: readonly string[];
  /** Send a `Bearer` challenge; `error` is left out of it when no credentials came (RFC 6750 section 3.1). */
  readonly challenge?: { readonly error?: string; readonly claims?: string };
}

export interface EntraCall {
  readonly dialect: Dialect;
  /** The caller's token has `xms_cc` `cp1`: it can answer a claims challenge. */
  readonly understandsChallenge: boolean;
}

/** Entra's identifiers, as members of the answer. */
export function evidence(from: EntraEvidence | undefined): Pick<Wire, "errorCodes" | "traceId" | "suberror"> {
  return {
    ...(from === undefined || from.codes.length === 0 ? {} : { errorCodes: from.codes }),
    ...(from?.traceId === undefined ? {} : { traceId: from.traceId }),
    ...(from?.suberror === undefined ? {} : { suberror: from.suberror }),
  };
}
