/**
 * Stage 3 of 5: policy. Receives the caller, whose token it is, and the wish; gives an entitlement or the rule that
 * refused. Entra does not downscope (a delegated token carries every consented scope), so the entitlement also says what
 * may be released; `release.ts` holds Entra's answer against it. The rules are in `weigh.ts`; here their
 * answer becomes proof, because the caller is one that validation made.
 */
import type { Caller, UserCaller } from "../caller/caller.ts";
import type { PolicyRefused } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import type { Entitlement } from "./entitlement.ts";
import { evaluate, evaluateSignIn, type PolicyInput, type SignInInput } from "./evaluate.ts";
import type { Policy } from "./rules.ts";

/** A request after authentication. */
export interface DecisionInput extends PolicyInput {
  readonly caller: Caller;
  readonly subject?: UserCaller;
}

/** Decides; the first rule that does not hold refuses. */
export function decide(policy: Policy, input: DecisionInput): Result<Entitlement, PolicyRefused> {
  return evaluate(policy, input) as Result<Entitlement, PolicyRefused>;
}

/** Decides whether a person may make a grant for an application: only one that may redeem it while nobody is there. */
export function decideSignIn(policy: Policy, input: SignInInput): Result<Entitlement, PolicyRefused> {
  return evaluateSignIn(policy, input) as Result<Entitlement, PolicyRefused>;
}
