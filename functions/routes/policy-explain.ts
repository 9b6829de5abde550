import { hasOperatorRole } from "../../shared/caller/operator-role.ts";
import type { Config } from "../../shared/config/config.ts";
import type { Failure, PolicyRefused } from "../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../shared/core/result.ts";
import { invalidRequest } from "../../shared/http/invalid-request.ts";
import type { PolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Allowance } from "../../shared/policy/entitlement.ts";
import { evaluate, evaluateSignIn } from "../../shared/policy/evaluate.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { authenticated, bearerOnly } from "../authenticated.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** The app role that may read policy decisions. */
const ROLE = "Policy.Explain";

/**
 * `POST /policy/explain`: answers what policy decides for a request or a sign-in link, and which rule decides. The app
 * role `Policy.Explain` is required.
 */
export function policyExplainRoute({ config, exchangeContext }: Service): Route {
  return {
    name: "policy-explain",
    template: "policy/explain",
    methods: ["POST"],
    dialect: "problem",
    audit: "answered",
    run: authenticated(exchangeContext, bearerOnly, async (caller, _input, request, { correlationId }) => {
      if (!hasOperatorRole(caller, ROLE, exchangeContext.registrations))
        return fail<Failure>({ kind: "policy_refused", reason: "role_required", listed: [ROLE] });
      // Administrators use this route rarely, so a cold start does not load its reader.
      const { readPolicyQuestion } = await import("../../shared/http/read-policy-question.ts");
      const question = await readPolicyQuestion(request);
      if (!question.ok) return question;
      const explained = explain(config, question.value);
      return explained.ok ? succeed(json(200, correlationId, explained.value)) : explained;
    }),
  };
}

// ------------------------------------------------------------------------------------------------------------------

type RequestQuestion = Extract<PolicyQuestion, { about: "request" }>;
type Explained = Result<Record<string, unknown>, Failure>;

function explain(config: Config, question: PolicyQuestion): Explained {
  if (question.about === "link") return succeed(toAnswer(evaluateLink(config.policy, question)));
  const { subject, ...rest } = question;
  const caller = withClientId(config, question.caller, "caller");
  if (!caller.ok) return caller;
  if (subject === undefined) return succeed(toAnswer(evaluate(config.policy, { ...rest, caller: caller.value })));
  const user = withClientId(config, subject, "subject");
  return user.ok
    ? succeed(toAnswer(evaluate(config.policy, { ...rest, caller: caller.value, subject: user.value })))
    : user;
}

function toAnswer(evaluated: Result<Allowance, PolicyRefused>): Record<string, unknown> {
  return evaluated.ok ? { allowed: true, ...evaluated.value } : { allowed: false, ...evaluated.failure };
}

/** A question names a registration. Policy compares client ids, as in a token. */
function withClientId({ registrations }: Config, caller: RequestQuestion["caller"], member: string) {
  const registration = registrations.find(({ name }) => name === caller.registration)?.clientId;
  return registration === undefined
    ? invalidRequest("parameter_invalid", `${member}.registration`)
    : succeed({ ...caller, registration });
}

/** The decision of `POST /signin/links`: the question names the entry, and the entry names the client. */
function evaluateLink(policy: Policy, { caller, apis }: Extract<PolicyQuestion, { about: "link" }>) {
  const clientId = policy.callers.find(({ name }) => name === caller)?.clientId ?? "";
  return evaluateSignIn(policy, { entry: caller, clientId, apis });
}
