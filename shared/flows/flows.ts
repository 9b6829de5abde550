/**
 * Stage 4 of 5: the flows. One registry: which flow turns which subject into a token. Each flow is a file that says
 * what its token depends on and how Entra is asked.
 */
import type { TokenIdentity } from "../cache/cache-key.ts";
import type { Failure } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import { authorizationCode } from "./authorization-code.ts";
import { clientCredentials } from "./client-credentials.ts";
import type { Flow, FlowContext, FlowRequest } from "./flow.ts";
import { onBehalfOf } from "./on-behalf-of.ts";
import { importedRefreshToken, refreshToken } from "./refresh-token.ts";
import type { Subject } from "./subject.ts";

/** A flow with its subject filled in. */
export interface BoundFlow {
  readonly identity: TokenIdentity | undefined;
  readonly notAfterSeconds: number | undefined;
  acquire(context: FlowContext, request: FlowRequest): Promise<Result<EntraToken, Failure>>;
}

export function flowFor(subject: Subject): BoundFlow {
  switch (subject.source) {
    case "user":
      return bind(onBehalfOf, subject);
    case "grant":
      return bind(refreshToken, subject);
    case "imported":
      return bind(importedRefreshToken, subject);
    case "code":
      return bind(authorizationCode, subject);
    case "application":
      return bind(clientCredentials, subject);
  }
}

function bind<P>(flow: Flow<P>, subject: P): BoundFlow {
  return {
    identity: flow.identity(subject),
    notAfterSeconds: flow.notAfterSeconds(subject),
    acquire: (context, request) => flow.acquire(context, subject, request),
  };
}
