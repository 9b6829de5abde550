/** A question about a policy from names that a person writes, and the answer of `POST /policy/explain`. Pure. */

import { didYouMean } from "../../shared/core/did-you-mean.ts";
import type { Failure, PolicyRefusal, PolicyRefused } from "../../shared/core/failure.ts";
import type { JsonObject } from "../../shared/core/json-object.ts";
import { policyRefusalToWire } from "../../shared/http/policy-refusal-to-wire.ts";
import { toPolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { requestProblemToWire } from "../../shared/http/request-problem-to-wire.ts";
import type { Allowance } from "../../shared/policy/entitlement.ts";
import { explainPolicy } from "../../shared/policy/explain.ts";
import type { CallerRule, Policy } from "../../shared/policy/rules.ts";
import { UsageError } from "./policy-command-line.ts";

export type Answer =
  | ({ readonly allowed: true } & Allowance)
  | ({ readonly allowed: false; readonly reason: PolicyRefusal } & PolicyRefused);

/**
 * A question as `POST /policy/explain` takes it, except that callers may be names of entries. `registration` replaces the
 * one of the entry. `describe` says why the question cannot be read, for the `UsageError`.
 */
export function ask(
  policy: Policy,
  { registration, ...question }: JsonObject,
  describe: (failure: RequestFailure) => string,
): Answer {
  const { caller, subject } = question;
  const presented = registration === undefined ? {} : { registration };
  const named = (one: unknown) => (typeof one === "string" ? { ...toCaller(policy, one), ...presented } : one);
  const read = toPolicyQuestion({
    ...question,
    ...(caller === undefined ? {} : { caller: named(caller) }),
    ...(subject === undefined ? {} : { subject: named(subject) }),
  });
  if (!read.ok) throw new UsageError(describeFailure(read.failure, describe));
  const explained = explainPolicy(policy, read.value);
  if (!explained.ok) throw new UsageError(`the policy does not define the registration in ${explained.failure}`);
  return explained.value as unknown as Answer;
}

/** What is wrong with a member of the question. */
export type RequestFailure = Extract<Failure, { kind: "request_invalid" }>;

/** In the words of the service, as a part of a sentence: `grant is missing`. */
export function describeMember({ problem, parameter, hint }: RequestFailure): string {
  const { description } = requestProblemToWire(problem, parameter, hint);
  return description.replace(/^The parameter /, "").replace(/\.$/, "");
}

/** What the caller gets instead of a token. */
export function describeRefusal(refused: PolicyRefused): string {
  const { status, code, description } = policyRefusalToWire(refused, {
    dialect: "problem",
    understandsChallenge: false,
  });
  return `${status} ${code}: ${description}`;
}

// ---------------------------------------------------------------------------------------------------------------

/** The name of an entry, or `user:<client id>` or `application:<client id>`. */
function toCaller(policy: Policy, caller: string): JsonObject {
  const [, kind, clientId] = /^(user|application):(.+)$/.exec(caller) ?? [];
  if (kind !== undefined) return { kind, clientId };
  const entry = policy.callers.find(({ name }) => name === caller);
  if (entry !== undefined) return callerOf(entry);
  const names = policy.callers.map(({ name }) => name);
  const meant = didYouMean(caller, names);
  const hint = meant === undefined ? `the entries are ${names.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`the policy has no entry ${JSON.stringify(caller)}; ${hint}`);
}

/** The caller that the entry is for. Any agent of a blueprint may ask for its entry. */
function callerOf({ kind, clientId, blueprint, registration, role }: CallerRule) {
  return {
    kind,
    clientId: clientId ?? blueprint,
    ...(blueprint === undefined ? {} : { blueprint }),
    ...(registration === undefined ? {} : { registration }),
    ...(role === undefined ? {} : { roles: [role] }),
  };
}

function describeFailure(failure: Failure, describe: (failure: RequestFailure) => string): string {
  return failure.kind === "request_invalid" ? describe(failure) : "the question cannot be read";
}
