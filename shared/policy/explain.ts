/**
 * What policy decides about a hypothetical request or sign-in link, and which rule decides: the answer of
 * `POST /policy/explain` and of `policy explain`. Pure.
 */
import type { ConsentedApis } from "../core/api-scopes.ts";
import { DEFAULT_REGISTRATION } from "../core/registration-names.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { evaluate, evaluateSignIn, type PolicyInput } from "./evaluate.ts";
import type { PolicyCaller } from "./find-entry.ts";
import type { Policy } from "./rules.ts";

/** Its callers have the name of a registration, where a request has the client id. */
export type PolicyQuestion =
  /** Would policy allow this request? */
  | ({ readonly about: "request" } & Omit<PolicyInput, "bound">)
  /** May a sign-in link be created for this entry? */
  | { readonly about: "link"; readonly caller: string; readonly apis: ConsentedApis };

/** The member whose registration the policy does not define. */
export type UnknownRegistration = "caller.registration" | "subject.registration";

export function explainPolicy(
  policy: Policy,
  question: PolicyQuestion,
): Result<Record<string, unknown>, UnknownRegistration> {
  if (question.about === "link") return succeed(explainLink(policy, question));
  const { subject, ...request } = question;
  const caller = withClientId(policy, question.caller);
  if (caller === undefined) return fail("caller.registration");
  if (subject === undefined) return succeed(toAnswer(evaluate(policy, { ...request, caller })));
  const user = withClientId(policy, subject);
  return user === undefined
    ? fail("subject.registration")
    : succeed(toAnswer(evaluate(policy, { ...request, caller, subject: user })));
}

// ---------------------------------------------------------------------------------------------------------------

function toAnswer(evaluated: ReturnType<typeof evaluate>): Record<string, unknown> {
  return evaluated.ok ? { allowed: true, ...evaluated.value } : { allowed: false, ...evaluated.failure };
}

/** The policy does not have the client id of the default registration: any id that no other registration has means it. */
function withClientId({ registrations }: Policy, caller: PolicyCaller): PolicyCaller | undefined {
  const { registration: name } = caller;
  if (name === DEFAULT_REGISTRATION) return { ...caller, registration: "" };
  const registration = Object.hasOwn(registrations, name) ? registrations[name]?.clientId : undefined;
  return registration === undefined ? undefined : { ...caller, registration };
}

/**
 * The decision of `POST /signin/links`: the question names the entry, and the entry names the client. `requiresOneOf`
 * lists the members of which the request for the link must have one.
 */
function explainLink(
  policy: Policy,
  { caller, apis }: Extract<PolicyQuestion, { about: "link" }>,
): Record<string, unknown> {
  const entry = policy.callers.find(({ name }) => name === caller);
  const { clientId = "", blueprint } = entry ?? {};
  const evaluated = evaluateSignIn(policy, { entry: caller, clientId, blueprint, apis });
  if (entry === undefined || !evaluated.ok) return toAnswer(evaluated);
  const requiresOneOf = entry.anyPersonMayAllow ? [] : ["expectedUser", "codeChallenge"];
  return { ...toAnswer(evaluated), requiresOneOf, linkMinutes: entry.linkMinutes };
}
