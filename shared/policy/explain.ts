/**
 * What policy decides about a hypothetical request or sign-in link, and which rule decides: the answer of
 * `POST /policy/explain` and of `policy explain`. Pure.
 */
import type { ConsentedApis } from "../core/api-scopes.ts";
import { evaluate, evaluateSignIn, type PolicyInput } from "./evaluate.ts";
import type { Policy } from "./rules.ts";

export type PolicyQuestion =
  /** Would policy allow this request? */
  | ({ readonly about: "request" } & Omit<PolicyInput, "bound">)
  /** May a sign-in link be created for this entry? */
  | { readonly about: "link"; readonly caller: string; readonly apis: ConsentedApis };

export function explainPolicy(policy: Policy, question: PolicyQuestion): Record<string, unknown> {
  const evaluated = question.about === "request" ? evaluate(policy, question) : evaluateLink(policy, question);
  return evaluated.ok ? { allowed: true, ...evaluated.value } : { allowed: false, ...evaluated.failure };
}

// ---------------------------------------------------------------------------------------------------------------

/** The decision of `POST /signin/links`: the question names the entry, and the entry names the client. */
function evaluateLink(policy: Policy, { caller, apis }: Extract<PolicyQuestion, { about: "link" }>) {
  const clientId = policy.callers.find(({ name }) => name === caller)?.clientId ?? "";
  return evaluateSignIn(policy, { entry: caller, clientId, apis });
}
