/** The registry of flows: which flow acquires a token for which subject. */

import type { TokenIdentity } from "../cache/cache-key.ts";
import type { Failure } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { authorizationCode, type CodeSubject } from "./authorization-code.ts";
import { type ApplicationSubject, clientCredentials } from "./client-credentials.ts";
import type { Flow, FlowContext, FlowRequest } from "./flow.ts";
import { onBehalfOf, type UserSubject } from "./on-behalf-of.ts";
import { type GrantSubject, type ImportedSubject, importedRefreshToken, refreshToken } from "./refresh-token.ts";

/**
 * The subject of a token request (RFC 8693): on whose behalf the token is acquired. A user's token, a stored grant, a
 * refresh token that becomes a grant, a user's sign-in, or the calling application itself.
 */
export type Subject = UserSubject | GrantSubject | ImportedSubject | CodeSubject | ApplicationSubject;

/** A flow for one subject. */
export interface SubjectFlow {
  readonly identity: TokenIdentity | undefined;
  readonly notAfterSeconds: number | undefined;
  acquire(context: FlowContext, request: FlowRequest): Promise<Result<EntraToken, Failure>>;
}

export function flowFor(subject: Subject): SubjectFlow {
  switch (subject.source) {
    case "user":
      return withSubject(onBehalfOf, subject);
    case "grant":
      return withSubject(refreshToken, subject);
    case "imported":
      return withSubject(importedRefreshToken, subject);
    case "code":
      return withSubject(authorizationCode, subject);
    case "application":
      return withSubject(clientCredentials, subject);
  }
}

// ---------------------------------------------------------------------------------------------------------------

function withSubject<S>(flow: Flow<S>, subject: S): SubjectFlow {
  return {
    identity: flow.identity(subject),
    notAfterSeconds: flow.notAfterSeconds(subject),
    acquire: (context, request) => flow.acquire(context, subject, request),
  };
}
