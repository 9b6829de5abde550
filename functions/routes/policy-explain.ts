import { authenticate } from "../../shared/authenticate.ts";
import type { Failure } from "../../shared/failure.ts";
import { type PolicyQuestion, readPolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { readBearer } from "../../shared/http/read-proof.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { weigh } from "../../shared/policy/weigh.ts";
import { fail, succeed } from "../../shared/result.ts";
import { noteCaller } from "../../shared/whose-token.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** App role that may ask: policy is not everybody's to read. */
const ROLE = "Policy.Explain";

/** `POST /policy/explain`: what would this caller get, and which rule says so. */
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
      const question = await readPolicyQuestion(request);
      return question.ok ? succeed(json(200, correlationId, explain(stages.policy, question.value))) : question;
    },
  };
}

function explain(policy: Policy, question: PolicyQuestion): Record<string, unknown> {
  const { caller, flow, api, scopes, offlineAccess, subject, grant, redirectUri } = question;
  const weighed = weigh(policy, {
    caller,
    flow,
    wish: {
      audiences: api === undefined ? [] : [api],
      resources: [],
      scopes,
      offlineAccess,
      claims: undefined,
      forceRefresh: false,
      minimumSeconds: 0,
    },
    ...(subject === undefined ? {} : { subject }),
    ...(grant === undefined ? {} : { given: [grant] as const }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
  });
  return weighed.ok ? { allowed: true, ...weighed.value } : { allowed: false, ...weighed.failure };
}
