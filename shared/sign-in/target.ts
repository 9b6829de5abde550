/** What a sign-in is for, from policy's first answer to the question that policy is asked again. Pure. */

import type { AuditFacts } from "../audit/audit-event.ts";
import { requestedFacts } from "../audit/requested-facts.ts";
import type { ReleaseBound } from "../core/api-scopes.ts";
import type { Allowance, ApiAllowance } from "../policy/entitlement.ts";
import type { SignInInput } from "../policy/evaluate.ts";
import type { Target, TargetApi } from "../sealed-state/sealed-state.ts";

/** What policy allowed, to be sealed. */
export function toTarget(allowance: Allowance, clientId: string): Target {
  const { entry, offlineAccess, also, acceptSurplus } = allowance;
  const apis = [toTargetApi(allowance), ...also.map(toTargetApi)] as const;
  return { entry, clientId, apis, surplus: acceptSurplus, offlineAccess };
}

/** As policy is asked about it again. */
export function toSignInInput({ entry, clientId, apis }: Target): SignInInput {
  return { entry, clientId, apis };
}

/** Everything that Entra is asked consent for: an authorization request may name several resources, a token request not. */
export function scopesForEntra({ apis }: Target): string[] {
  return apis.flatMap(({ resource, scopes }) => scopes.map((scope) => `${resource}/${scope}`));
}

/** As an answer to the application names them. */
export function bareScopesOf({ apis }: Target): string[] {
  return apis.flatMap(({ scopes }) => scopes);
}

export function targetFacts({ entry, clientId, apis }: Target): Partial<AuditFacts> {
  return { flow: "authorization-code", callerClientId: clientId, ...requestedFacts(entry, apis) };
}

/** What a page shows, and what is released after it at most. */
export function toBound({ apis, surplus }: Target): ReleaseBound {
  return { apis: apis.map(({ api, scopes, beyond }) => ({ api, scopes: [...scopes, ...beyond] })), surplus };
}

function toTargetApi({ api, scopes, releasable }: ApiAllowance): TargetApi {
  const beyond = releasable.filter((scope) => !scopes.includes(scope));
  return { api: api.name, resource: api.resource, scopes, beyond };
}
