/** The problems that the schema finds, in words for an administrator. Pure. */
import type * as z from "zod/mini";
import { didYouMean } from "../core/did-you-mean.ts";
import { isJsonObject } from "../core/json-object.ts";
import {
  apiSchema,
  callerSchema,
  downstreamRule,
  limits,
  type PolicyProblem,
  policySchema,
  registrationSchema,
} from "./rules.ts";

/**
 * `data` is what the schema read: it decides whether a member is missing, and what a wrong value probably means.
 * `membersAt` returns the members that the object at a path may have.
 */
export function issueProblems(
  issue: z.core.$ZodIssue,
  data: unknown,
  membersAt: (path: readonly PropertyKey[]) => readonly string[] = policyMembersAt,
): PolicyProblem[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => unknownMember(path, name, membersAt(issue.path)));
  }
  const { present, value } = lookUp(data, issue.path);
  const rule = describeIssue(issue);
  if (!present) return [{ path, problem: `is missing; it ${rule}` }];
  const suggestion = meantValue(issue, value);
  return suggestion === undefined
    ? [{ path, problem: rule }]
    : [{ path, problem: `${rule}; did you mean ${suggestion}?`, suggestion }];
}

export function unknownMember(path: string, name: string, known: readonly string[] = []): PolicyProblem {
  const suggestion = didYouMean(name, known);
  const problem = `has an unknown member: ${name.length > 64 ? `${name.slice(0, 64)}…` : name}`;
  return suggestion === undefined
    ? { path, problem, members: [name] }
    : { path, problem: `${problem}; did you mean ${suggestion}?`, suggestion, members: [name] };
}

// ---------------------------------------------------------------------------------------------------------------

function describeIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? "of another type"}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
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

function meantValue(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  return issue.code === "invalid_value" && typeof value === "string"
    ? didYouMean(value, issue.values.map(String))
    : undefined;
}

function lookUp(data: unknown, path: readonly PropertyKey[]): { readonly present: boolean; readonly value: unknown } {
  let value = data;
  for (const step of path) {
    if (Array.isArray(value) ? value.length <= Number(step) : !isJsonObject(value) || !Object.hasOwn(value, step)) {
      return { present: false, value: undefined };
    }
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return { present: true, value };
}

function policyMembersAt([top, , member, , index]: readonly PropertyKey[]): readonly string[] {
  switch (top) {
    case undefined:
      return Object.keys(policySchema.shape);
    case "apis":
      return Object.keys(apiSchema.shape);
    case "registrations":
      return Object.keys(registrationSchema.shape);
    default:
      if (member === "limits") return Object.keys(limits.shape);
      return Object.keys(index === undefined ? callerSchema.shape : downstreamRule.shape);
  }
}
