/** The schema of the administrator's own test cases, for `policy test`. docs/policy-cases.schema.json is made from it. */
import * as z from "zod/mini";
import type { PolicyRefusal } from "../../shared/core/failure.ts";
import { POLICY_REFUSALS } from "../../shared/http/policy-refusal-to-wire.ts";
import { callerForm, requestQuestion } from "../../shared/http/read-policy-question.ts";

const caller = z.union(
  [z.string().check(z.minLength(1), z.maxLength(512)), callerForm],
  'must be the name of an entry, "user:<client id>", "application:<client id>" or an object with kind and clientId',
);

/** `allowed`: the scopes that are requested from Entra, in any order, or `true` for any. `refused`: the reason. */
const expectation = z.union(
  [
    z.strictObject({ allowed: z.union([z.literal(true), z.array(z.string())]) }),
    z.strictObject({ refused: z.enum(POLICY_REFUSALS as readonly [PolicyRefusal, ...PolicyRefusal[]]) }),
  ],
  'must be { "allowed": [scopes] }, { "allowed": true } or { "refused": "<reason>" } with a reason of docs/troubleshooting.md',
);

export const caseSchema = z.strictObject({
  ...requestQuestion.shape,
  name: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  caller,
  subject: z.optional(caller),
  /** Name of the registration that the tokens are for. Not set: the one of the entry. */
  registration: z.optional(z.string()),
  expect: expectation,
});

export const casesSchema = z.strictObject({
  $schema: z.optional(z.string()),
  cases: z.array(caseSchema).check(z.minLength(1)),
});

export type PolicyCase = z.infer<typeof caseSchema>;
