/**
 * Stage 4 of 5: the flows. One registry: which flow turns which permission into a token. Each flow is a file that says
 * what its token depends on and how Entra is asked.
 */
import type { TokenIdentity } from "../cache/cache-key.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Failure } from "../failure.ts";
import type { Permission } from "../permission.ts";
import type { Result } from "../result.ts";
import { authorizationCode } from "./authorization-code.ts";
import { clientCredentials } from "./client-credentials.ts";
import type { Flow, FlowDependencies, FlowRequest } from "./flow.ts";
import { onBehalfOf } from "./on-behalf-of.ts";
import { importedRefreshToken, refreshToken } from "./refresh-token.ts";

/** A flow with its permission filled in. */
export interface BoundFlow {
  readonly identity: TokenIdentity | undefined;
  readonly notAfterSeconds: number | undefined;
  acquire(dependencies: FlowDependencies, request: FlowRequest): Promise<Result<EntraToken, Failure>>;
}

export function flowFor(permission: Permission): BoundFlow {
  switch (permission.source) {
    case "user":
      return bind(onBehalfOf, permission);
    case "grant":
      return bind(refreshToken, permission);
    case "imported":
      return bind(importedRefreshToken, permission);
    case "code":
      return bind(authorizationCode, permission);
    case "application":
      return bind(clientCredentials, permission);
  }
}

function bind<P>(flow: Flow<P>, permission: P): BoundFlow {
  return {
    identity: flow.identity(permission),
    notAfterSeconds: flow.notAfterSeconds(permission),
    acquire: (dependencies, request) => flow.acquire(dependencies, permission, request),
  };
}
