import type { Failure } from "../../shared/core/failure.ts";
import { fail, succeed } from "../../shared/core/result.ts";
import type { PolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { json } from "../../shared/http/write-answer.ts";
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
export function policyExplainRoute({ exchangeContext }: Service): Route {
  return {
    name: "policy-explain",
    template: "policy/explain",
    methods: ["POST"],
    dialect: "problem",
    audit: "answered",
    run: authenticated(exchangeContext, bearerOnly, async ({ roles }, _input, request, { correlationId }) => {
      if (!roles.includes(ROLE))
        return fail<Failure>({ kind: "policy_refused", reason: "role_required", listed: [ROLE] });
      // Administrators use this route rarely, so a cold start does not load its reader.
      const { readPolicyQuestion } = await import("../../shared/http/read-policy-question.ts");
      const question = await readPolicyQuestion(request);
      if (!question.ok) return question;
      return succeed(json(200, correlationId, explain(exchangeContext.policy, question.value)));
    }),
  };
}

// ------------------------------------------------------------------------------------------------------------------

function explain(policy: Policy, question: PolicyQuestion): Record<string, unknown> {
  const evaluated = question.about === "request" ? evaluate(policy, question) : evaluateLink(policy, question);
  return evaluated.ok ? { allowed: true, ...evaluated.value } : { allowed: false, ...evaluated.failure };
}

/** The decision of `POST /signin/links`: the question names the entry, and the entry names the client. */
function evaluateLink(policy: Policy, { caller, apis }: Extract<PolicyQuestion, { about: "link" }>) {
  const clientId = policy.callers.find(({ name }) => name === caller)?.clientId ?? "";
  return evaluateSignIn(policy, { entry: caller, clientId, apis });
}
