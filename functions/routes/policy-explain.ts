import { hasOperatorRole } from "../../shared/caller/operator-role.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { fail, succeed } from "../../shared/core/result.ts";
import { invalidRequest } from "../../shared/http/invalid-request.ts";
import { json } from "../../shared/http/write-answer.ts";
import { explainPolicy } from "../../shared/policy/explain.ts";
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
    run: authenticated(exchangeContext, bearerOnly, async (caller, _input, request, { correlationId }) => {
      if (!hasOperatorRole(caller, ROLE, exchangeContext.registrations))
        return fail<Failure>({ kind: "policy_refused", reason: "role_required", listed: [ROLE] });
      // Administrators use this route rarely, so a cold start does not load its reader.
      const { readPolicyQuestion } = await import("../../shared/http/read-policy-question.ts");
      const question = await readPolicyQuestion(request);
      if (!question.ok) return question;
      const explained = explainPolicy(exchangeContext.policy, question.value);
      return explained.ok
        ? succeed(json(200, correlationId, explained.value))
        : invalidRequest("parameter_invalid", explained.failure);
    }),
  };
}
