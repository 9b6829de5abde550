/**
 * Parses the policy, once at startup. Reports all problems together: wrong form, repeated members, members named
 * `__proto__`, and contradictions that a schema cannot express (`policy-contradictions.ts`). No I/O, no clock.
 */
import * as z from "zod/mini";
import { isJsonObject, member, repeatedMembers } from "../core/json-object.ts";
import { issueProblems, unknownMember } from "./issue-problems.ts";
import { policyContradictions } from "./policy-contradictions.ts";
import {
  type ApiRule,
  apiSchema,
  type CallerRule,
  callerSchema,
  type Policy,
  type PolicyDraft,
  type PolicyProblem,
  policySchema,
  type RegistrationRule,
  registrationSchema,
} from "./rules.ts";

export type ParsedPolicy =
  | { readonly policy: Policy }
  | { readonly problems: readonly PolicyProblem[]; readonly draft: PolicyDraft };

/** Reads the JSON text of the policy. Returns the policy, or every problem together with the parts that are valid. */
export function parsePolicy(text: string): ParsedPolicy {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { problems: [{ path: "", problem: "is not JSON" }], draft: toDraft(undefined) };
  }
  const prototypes = removePrototypes(data);
  const parsed = policySchema.safeParse(data);
  const draft = toDraft(data);
  const problems = [
    ...repeatedMemberProblems(text),
    ...prototypes,
    ...(parsed.error?.issues.flatMap((issue) => issueProblems(issue, data)) ?? []),
    ...policyContradictions(draft),
  ];
  return parsed.success && problems.length === 0 ? { policy: parsed.data } : { problems, draft };
}

// ---------------------------------------------------------------------------------------------------------------

/** A reader may take the first of two equal members, but `JSON.parse` takes the last, so repetition is a problem. */
function repeatedMemberProblems(text: string): PolicyProblem[] {
  return [...new Set(repeatedMembers(text))].map((path) => ({
    path,
    problem: "appears more than once; write it once",
  }));
}

/**
 * `JSON.parse` accepts `__proto__` as an ordinary member, and zod's records drop it silently. This function removes it
 * from `data`, so that it is reported exactly once and neither the schema nor the draft sees it. It does not recurse,
 * because the JSON may be nested deeper than the stack allows.
 */
function removePrototypes(data: unknown): PolicyProblem[] {
  const found: PolicyProblem[] = [];
  const places = [{ path: "", value: data }];
  for (const { path, value } of places) {
    if (typeof value !== "object" || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      places.push({ path: path === "" ? name : `${path}.${name}`, value: inner });
    }
    if (Object.hasOwn(value, "__proto__")) {
      found.push(unknownMember(path, "__proto__"));
      Reflect.deleteProperty(value, "__proto__");
    }
  }
  return found;
}

/** Reads each member of an object separately and omits invalid ones. A missing member gets its default. */
function readMembers<T>(shape: Readonly<Record<string, z.core.$ZodType>>, value: unknown): Partial<T> {
  if (!isJsonObject(value)) return {};
  const read = Object.entries(shape).flatMap(([name, schema]) => {
    const parsed = z.safeParse(schema, member(value, name));
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(read) as Partial<T>;
}

function readRecord<T>(
  shape: Readonly<Record<string, z.core.$ZodType>>,
  value: unknown,
): Readonly<Record<string, Partial<T>>> | undefined {
  return isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readMembers<T>(shape, inner)] as const))
    : undefined;
}

function toDraft(data: unknown): PolicyDraft {
  const { apis, registrations = {}, callers } = isJsonObject(data) ? data : {};
  return {
    apis: readRecord<ApiRule>(apiSchema.shape, apis),
    registrations: readRecord<RegistrationRule>(registrationSchema.shape, registrations),
    callers: Array.isArray(callers) ? callers.map((value) => readMembers<CallerRule>(callerSchema.shape, value)) : [],
  };
}
