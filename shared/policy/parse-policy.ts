/**
 * Parses the policy, once at startup. Reports all problems together: wrong form, repeated members, members named
 * `__proto__`, and contradictions that a schema cannot express (`policy-contradictions.ts`). No I/O, no clock.
 */
import * as z from "zod/mini";
import { isJsonObject, member, repeatedMembers } from "../core/json-object.ts";
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
    ...(parsed.error?.issues.map(toPolicyProblem) ?? []),
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
      found.push({ path, problem: describeUnknown(["__proto__"]) });
      Reflect.deleteProperty(value, "__proto__");
    }
  }
  return found;
}

function describeUnknown(names: readonly string[]): string {
  return `has unknown members: ${names.join(", ")}`;
}

function toPolicyProblem(issue: z.core.$ZodIssue): PolicyProblem {
  return { path: issue.path.join("."), problem: describeIssue(issue) };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return describeUnknown(issue.keys);
    case "too_small":
      return describeLimit("at least", issue.minimum, issue.origin);
    case "too_big":
      return describeLimit("at most", issue.maximum, issue.origin);
    case "invalid_key":
      return issue.issues.map(describeIssue).join("; ");
    default:
      return issue.message;
  }
}

/** zod's names of types, in the words of JSON. */
const TYPES: Readonly<Record<string, string>> = {
  object: "an object",
  record: "an object",
  array: "a list",
  string: "a string",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
};

function describeLimit(bound: string, limit: number | bigint, origin: string): string {
  switch (origin) {
    case "array":
      return `must have ${bound} ${limit} ${limit === 1 ? "item" : "items"}`;
    case "string":
      return `must have ${bound} ${limit} ${limit === 1 ? "character" : "characters"}`;
    default:
      return `must be ${bound} ${limit}`;
  }
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
