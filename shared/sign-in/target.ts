/**
 * The target of a sign-in: converts policy's first decision to sealed state, and back to the input of the next
 * decision. Pure.
 */

import type { AuditFacts } from "../audit/audit-event.ts";
import { requestedFacts } from "../audit/requested-facts.ts";
import type { ReleaseBound } from "../core/api-scopes.ts";
import type { Allowance, ApiAllowance } from "../policy/entitlement.ts";
import type { SignInInput } from "../policy/evaluate.ts";
import { registrationNameOf } from "../policy/registrations.ts";
import type { Policy } from "../policy/rules.ts";
import type { Target, TargetApi } from "../sealed-state/sealed-state.ts";

/** What policy allowed, as sealed state. `registration`: client id of the entry's registration. */
export function toTarget(
  allowance: Allowance,
  client: Pick<Target, "clientId" | "blueprint" | "registration">,
): Target {
  const { entry, offlineAccess, also, acceptSurplus } = allowance;
  const apis = [toTargetApi(allowance), ...also.map(toTargetApi)] as const;
  return { entry, ...client, apis, surplus: acceptSurplus, offlineAccess };
}

/** The input of the next policy decision. */
export function toSignInInput({ entry, clientId, blueprint, apis }: Target): SignInInput {
  return { entry, clientId, blueprint, apis };
}

/** The scopes of the authorization request to Entra. Unlike a token request, it may name several resources. */
export function scopesForEntra({ apis }: Target): string[] {
  return apis.flatMap(({ resource, scopes }) => scopes.map((scope) => `${resource}/${scope}`));
}

/** The scopes as a response to the application names them. */
export function bareScopesOf({ apis }: Target): string[] {
  return apis.flatMap(({ scopes }) => scopes);
}

/** `policy` names the registration. */
export function targetFacts(policy: Policy, { entry, clientId, registration, apis }: Target): Partial<AuditFacts> {
  const names = { entry, registration: registrationNameOf(policy, registration) };
  return { flow: "authorization-code", callerClientId: clientId, ...requestedFacts(names, apis) };
}

/** The scopes that the confirmation page shows. After approval, no others are released. */
export function toBound({ apis, surplus }: Target): ReleaseBound {
  return { apis: apis.map(({ api, scopes, beyond }) => ({ api, scopes: [...scopes, ...beyond] })), surplus };
}

function toTargetApi({ api, scopes, releasable }: ApiAllowance): TargetApi {
  const beyond = releasable.filter((scope) => !scopes.includes(scope));
  return { api: api.name, resource: api.resource, scopes, beyond };
}
