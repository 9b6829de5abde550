import { authenticate } from "../../shared/authenticate.ts";
import type { Failure } from "../../shared/failure.ts";
import type { PolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { readBearer } from "../../shared/http/read-proof.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { weigh, weighSignIn } from "../../shared/policy/weigh.ts";
import { fail, succeed } from "../../shared/result.ts";
import { noteCaller } from "../../shared/whose-token.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** App role that may ask: policy is not everybody's to read. */
const ROLE = "Policy.Explain";

/** `POST /policy/explain`: what would this caller get, may it have a sign-in link, and which rule says so. */
export function policyExplainRoute({ stages }: Service): Route {
  return {
    name: "policy-explain",
    template: "policy/explain",
    methods: ["POST"],
    dialect: "problem",
    audit: "answered",
    async run(request, { note, correlationId, trace }) {
      const bearer = readBearer(request);
      if (!bearer.ok) {
        return bearer;
      }
      const caller = await authenticate({ ...stages, trace }, bearer.value);
      if (!caller.ok) {
        return caller;
      }
      noteCaller(caller.value, note);
      if (!caller.value.roles.includes(ROLE)) {
        return fail<Failure>({ kind: "policy_refused", reason: "role_required" });
      }
      // Administrators ask seldom; no instance reads this at its start.
      const { readPolicyQuestion } = await import("../../shared/http/read-policy-question.ts");
      const question = await readPolicyQuestion(request);
      return question.ok ? succeed(json(200, correlationId, explain(stages.policy, question.value))) : question;
    },
  };
}

function explain(policy: Policy, question: PolicyQuestion): Record<string, unknown> {
  const weighed = question.about === "request" ? weigh(policy, question) : weighLink(policy, question);
  return weighed.ok ? { allowed: true, ...weighed.value } : { allowed: false, ...weighed.failure };
}

/** As `POST /signin/links` would decide: the entry is named, and the client is the one that stands in it. */
function weighLink(policy: Policy, { caller, apis }: Extract<PolicyQuestion, { about: "link" }>) {
  const clientId = policy.callers.find(({ name }) => name === caller)?.clientId ?? "";
  return weighSignIn(policy, { entry: caller, clientId, apis });
}
