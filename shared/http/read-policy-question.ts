/**
 * `POST /policy/explain`: a question about a caller that need not be there. Bounded and typed like every body; nothing in
 * it is trusted or needs to be, because the answer is about the policy only.
 */
import * as z from "zod/mini";
import type { Failure } from "../failure.ts";
import { FLOW_NAMES } from "../policy/rules.ts";
import { fail, type Result, succeed } from "../result.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { readJsonObject, safeName } from "./read-body.ts";

const name = z.string().check(z.minLength(1), z.maxLength(512));
const who = z.strictObject({
  kind: z.enum(["user", "application"]),
  clientId: name,
  roles: z._default(z.array(name).check(z.maxLength(64)), []),
  /** The client authenticated with a secret or a certificate. */
  confidential: z._default(z.boolean(), true),
  /** The token declares `cp1`. */
  understandsClaimsChallenge: z._default(z.boolean(), false),
});

const question = z.strictObject({
  caller: who,
  flow: z.enum(FLOW_NAMES),
  api: z.optional(name),
  scopes: z.optional(z.array(name).check(z.maxLength(64))),
  offlineAccess: z._default(z.boolean(), false),
  /** On-behalf-of by an application: the client that obtained the user's token. */
  subject: z.optional(who),
  /** Refresh token: what the grant was made for. */
  grant: z.optional(z.strictObject({ api: name, scopes: z.array(name).check(z.maxLength(64)) })),
  /** Authorization code: where the browser is sent back to. */
  redirectUri: z.optional(name),
});

export type PolicyQuestion = z.infer<typeof question>;

export async function readPolicyQuestion(request: IncomingRequest): Promise<Result<PolicyQuestion, Failure>> {
  const body = await readJsonObject(request);
  if (!body.ok) {
    return body;
  }
  const parsed = question.safeParse(body.value);
  if (parsed.success) {
    return succeed(parsed.data);
  }
  const [first] = parsed.error.issues;
  const member = [...(first?.path ?? []), ...(first?.code === "unrecognized_keys" ? first.keys.slice(0, 1) : [])];
  return fail({ kind: "request_invalid", problem: "parameter_invalid", parameter: safeName(member.join(".")) });
}
