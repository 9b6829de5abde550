import type { Failure } from "../../shared/core/failure.ts";
import { fail, succeed } from "../../shared/core/result.ts";
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
    run: authenticated(exchangeContext, bearerOnly, async ({ roles }, _input, request, { correlationId }) => {
      if (!roles.includes(ROLE))
        return fail<Failure>({ kind: "policy_refused", reason: "role_required", listed: [ROLE] });
      // Administrators use this route rarely, so a cold start does not load its reader.
      const { readPolicyQuestion } = await import("../../shared/http/read-policy-question.ts");
      const question = await readPolicyQuestion(request);
      if (!question.ok) return question;
      return succeed(json(200, correlationId, explainPolicy(exchangeContext.policy, question.value)));
    }),
  };
}
