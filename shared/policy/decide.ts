/**
 * The policy decision. Receives the validated caller, the subject and the token parameters; returns an entitlement or
 * the rule that refused. Entra does not downscope (a delegated token carries every consented scope), so the entitlement
 * also lists the scopes that may be released; `release.ts` checks Entra's token against it. The rules are in
 * `evaluate.ts`. Only this file turns their result into an entitlement, because only here is the caller known to be
 * validated.
 */
import type { Caller, UserCaller } from "../caller/caller.ts";
import type { PolicyRefused } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import type { Entitlement } from "./entitlement.ts";
import { evaluate, evaluateSignIn, type PolicyInput, type SignInInput } from "./evaluate.ts";
import { evaluateKeepAlive, type KeepAliveRule, type KeptGrant } from "./evaluate-keep-alive.ts";
import type { Policy } from "./rules.ts";

/** A request after authentication. */
export interface DecisionInput extends PolicyInput {
  readonly caller: Caller;
  readonly subject?: UserCaller;
}

/** Decides about a token request. The first rule that is not met refuses. */
export function decide(policy: Policy, input: DecisionInput): Result<Entitlement, PolicyRefused> {
  return evaluate(policy, input) as Result<Entitlement, PolicyRefused>;
}

/**
 * Decides whether a person may create a grant for an application. The application must be allowed to redeem it
 * unattended.
 */
export function decideSignIn(policy: Policy, input: SignInInput): Result<Entitlement, PolicyRefused> {
  return evaluateSignIn(policy, input) as Result<Entitlement, PolicyRefused>;
}

/** Decides whether the service may redeem an idle grant by itself, for the entry that `keepAliveRule` found. */
export function decideKeepAlive(
  policy: Policy,
  rule: KeepAliveRule,
  grant: KeptGrant,
): Result<Entitlement, PolicyRefused> {
  return evaluateKeepAlive(policy, rule, grant) as Result<Entitlement, PolicyRefused>;
}
