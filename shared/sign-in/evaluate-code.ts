/**
 * Whether policy still allows the sign-in of a pushed request: the policy may have changed since, and a browser must not
 * be sent to a redirect URI that an administrator has removed. No caller is authenticated here, so the result is not an
 * entitlement. Policy decides again when the caller redeems the code. Pure.
 */
import type { Failure } from "../core/failure.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import { fail, type Result } from "../core/result.ts";
import type { Allowance } from "../policy/entitlement.ts";
import { evaluate } from "../policy/evaluate.ts";
import type { Policy } from "../policy/rules.ts";
import type { Target } from "../sealed-state/sealed-state.ts";
import { toBound } from "./target.ts";

export function evaluateCode(
  policy: Policy,
  target: Target,
  { redirectUri }: RedirectTarget,
): Result<Allowance, Failure> {
  const entry = policy.callers.find(({ name }) => name === target.entry);
  if (entry === undefined) return fail({ kind: "policy_refused", reason: "caller_not_listed" });
  const evaluated = evaluate(policy, {
    caller: {
      kind: entry.kind,
      clientId: target.clientId,
      registration: target.registration,
      agent: target.blueprint === undefined ? undefined : { blueprint: target.blueprint },
      roles: entry.role === undefined ? [] : [entry.role],
      confidential: true,
      understandsClaimsChallenge: false,
    },
    flow: "authorization-code",
    tokenParameters: { ...PLAIN_PARAMETERS, offlineAccess: target.offlineAccess },
    given: target.apis,
    bound: toBound(target),
    redirectUri,
  });
  return evaluated.ok ? evaluated : fail({ kind: "policy_refused", ...evaluated.failure });
}

// ---------------------------------------------------------------------------------------------------------------

const PLAIN_PARAMETERS = {
  audiences: [],
  resources: [],
  scopes: undefined,
  claims: undefined,
  forceRefresh: false,
  minimumSeconds: 0,
};
