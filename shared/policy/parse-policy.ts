/**
 * The policy, read once at start. Every problem is told at once: of form, members that repeat or have the name of every
 * object's prototype, and what no form can say (duplicate names, unknown APIs, entries that could both match one caller).
 * No I/O. No clock.
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
} from "./rules.ts";

export type ParsedPolicy =
  | { readonly policy: Policy }
  | { readonly problems: readonly PolicyProblem[]; readonly draft: PolicyDraft };

/** Reads the JSON text of the policy. Returns the policy, or every problem found and what could be read all the same. */
export function parsePolicy(text: string): ParsedPolicy {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { problems: [{ path: "", problem: "is not JSON" }], draft: toDraft(undefined) };
  }
  const prototypes = takeOutPrototypes(data);
  const parsed = policySchema.safeParse(data);
  const draft = toDraft(data);
  const problems = [
    ...repetitions(text),
    ...prototypes,
    ...(parsed.error?.issues.map(toProblem) ?? []),
    ...policyContradictions(draft),
  ];
  return parsed.success && problems.length === 0 ? { policy: parsed.data } : { problems, draft };
}

/** Whoever reads the policy may take the first of two members, and `JSON.parse` takes the last. */
function repetitions(text: string): PolicyProblem[] {
  return [...new Set(repeatedMembers(text))].map((path) => ({ path, problem: "is there twice" }));
}

/**
 * `JSON.parse` makes `__proto__` a member like any other, and zod's records drop it without a word. Taken out of `data`, so
 * that neither the schema nor the draft sees it and each is told once, whatever it is in. Without recursion: a text may be
 * deeper than the stack.
 */
function takeOutPrototypes(data: unknown): PolicyProblem[] {
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

function toProblem(issue: z.core.$ZodIssue): PolicyProblem {
  return { path: issue.path.join("."), problem: describeIssue(issue) };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return describeUnknown(issue.keys);
    case "too_small":
      return `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return "has the wrong form";
  }
}

/** The members of one object, each read by itself: what is wrong is left out. A member that is not written is its default. */
function readMembers<T>(shape: Readonly<Record<string, z.core.$ZodType>>, value: unknown): Partial<T> {
  if (!isJsonObject(value)) return {};
  const read = Object.entries(shape).flatMap(([name, schema]) => {
    const parsed = z.safeParse(schema, member(value, name));
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(read) as Partial<T>;
}

function toDraft(data: unknown): PolicyDraft {
  const { apis, callers } = isJsonObject(data) ? data : {};
  return {
    apis: isJsonObject(apis)
      ? Object.fromEntries(
          Object.entries(apis).map(([key, value]) => [key, readMembers<ApiRule>(apiSchema.shape, value)] as const),
        )
      : undefined,
    callers: Array.isArray(callers) ? callers.map((value) => readMembers<CallerRule>(callerSchema.shape, value)) : [],
  };
}
