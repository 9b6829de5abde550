/**
 * Whether the service may redeem an idle grant by itself. The rules are those of a redemption by its application, which is
 * not present: the entry must still match, and must allow one of the grant's APIs unattended. A person's own grant is never
 * redeemed without the person. Pure.
 */

import type { PolicyRefused } from "../core/failure.ts";
import type { Grant } from "../core/grant.ts";
import { fail, type Result } from "../core/result.ts";
import type { Allowance } from "./entitlement.ts";
import { stillMatches } from "./entries-of-client.ts";
import { evaluate } from "./evaluate.ts";
import { isOfRegistration } from "./registrations.ts";
import type { CallerRule, Policy } from "./rules.ts";

export type KeptGrant = Pick<Grant, "binding" | "registration" | "policyEntry" | "apis">;

/** An entry that wants the grant to be kept alive. */
export type KeepAliveRule = CallerRule & { readonly keepAliveDays: number };

/** Undefined: no entry of the policy wants it (any more). */
export function keepAliveRule(policy: Policy, grant: KeptGrant): KeepAliveRule | undefined {
  const { binding, registration, policyEntry } = grant;
  if (binding.kind !== "application") return undefined;
  const clientId = binding.clientId.toLowerCase();
  const entry = policy.callers.find(
    ({ kind, name, blueprint, ...rest }) =>
      kind === "application" &&
      // The grant does not say whose agent its client is. The name of the entry does.
      (blueprint === undefined || name === policyEntry) &&
      isOfRegistration(policy, rest, registration) &&
      stillMatches(policy, { kind, name, blueprint, ...rest }, { clientId, blueprint }),
  );
  const keepAliveDays = entry?.keepAliveDays;
  return entry === undefined || keepAliveDays === undefined ? undefined : { ...entry, keepAliveDays };
}

/** What a redemption without its application would be allowed: for the first API of the grant that policy still allows. */
export function evaluateKeepAlive(
  policy: Policy,
  { role, blueprint, kind }: KeepAliveRule,
  { binding, registration, apis }: KeptGrant,
): Result<Allowance, PolicyRefused> {
  let refused: Result<never, PolicyRefused> = fail({ reason: "api_not_allowed" });
  for (const { api } of apis) {
    const evaluated = evaluate(policy, {
      caller: {
        kind,
        clientId: binding.clientId,
        registration,
        roles: role === undefined ? [] : [role],
        agent: blueprint === undefined ? undefined : { blueprint },
        confidential: true,
        understandsClaimsChallenge: false,
      },
      flow: "refresh-token",
      tokenParameters: { ...NO_PARAMETERS, audiences: [api] },
      given: apis,
      keepsAlive: true,
    });
    if (evaluated.ok) return evaluated;
    refused = evaluated;
  }
  return refused;
}

// ---------------------------------------------------------------------------------------------------------------

const NO_PARAMETERS = {
  resources: [],
  scopes: undefined,
  claims: undefined,
  forceRefresh: false,
  minimumSeconds: 0,
  offlineAccess: false,
};
