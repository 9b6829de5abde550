/**
 * The policy as an administrator writes it, checked once at start. Deny by default: what is not written is refused.
 * Unknown members, duplicate names, unknown APIs and entries that could both match one caller stop the start.
 * No I/O. No clock.
 */
import * as z from "zod/mini";

export const FLOW_NAMES = ["on-behalf-of", "refresh-token", "authorization-code", "client-credentials"] as const;
export type FlowName = (typeof FLOW_NAMES)[number];

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** RFC 6749 section 3.3: scope-token. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;

const guid = z.pipe(
  z.string().check(z.regex(GUID)),
  z.transform((value: string) => value.toLowerCase()),
);
const name = z.string().check(z.regex(NAME));
const scopeName = z.string().check(z.regex(SCOPE), z.maxLength(256));
const count = (least: number, most: number) => z.int().check(z.minimum(least), z.maximum(most));

const api = z.strictObject({
  resource: z.string().check(z.regex(/^[a-z][a-z0-9+.-]*:\/\/[^\s#?]+$/i), z.maxLength(512)),
  scopes: z.array(scopeName).check(z.minLength(1)),
  contentType: z._default(
    z.string().check(z.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(; ?charset=[\w-]+)?$/)),
    "application/json",
  ),
});

const downstream = z.strictObject({
  methods: z.array(z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])).check(z.minLength(1)),
  pathPrefix: z.string().check(z.regex(/^\/[\w!$&'()*+,;=:@/.~-]*$/)),
});

const limits = z.strictObject({
  /** Requests that bypass the token cache (claims, forceRefresh), per user and minute. */
  bypassPerMinute: z.optional(count(1, 1000)),
});

const caller = z.strictObject({
  name,
  displayName: z.optional(z.string().check(z.minLength(1), z.maxLength(120))),
  kind: z.enum(["user", "application"]),
  clientId: guid,
  role: z.optional(z.string().check(z.minLength(1), z.maxLength(120))),
  requireConfidentialClient: z._default(z.boolean(), false),
  flows: z.array(z.enum(FLOW_NAMES)).check(z.minLength(1)),
  apis: z.record(name, z.array(scopeName).check(z.minLength(1))),
  offlineAccess: z._default(z.boolean(), false),
  /** Life of a grant, days. Entra's own refresh tokens end after 90 days without use. */
  grantMaxDays: z._default(count(1, 365), 90),
  unattended: z._default(z.boolean(), false),
  subjectClients: z.optional(z.array(guid)),
  redirectUris: z._default(z.array(z.url()), []),
  downstream: z._default(z.array(downstream), []),
  acceptSurplus: z._default(z.boolean(), false),
  cae: z._default(z.boolean(), false),
  importRefreshTokens: z._default(z.boolean(), false),
  limits: z._default(limits, {}),
});

export const policySchema = z.strictObject({
  apis: z.record(name, api),
  callers: z.array(caller),
});

export type Policy = z.infer<typeof policySchema>;
export type ApiRule = Policy["apis"][string];
export type CallerRule = Policy["callers"][number];

/** What is wrong with a policy: where, and what was expected. Never a value. */
export interface PolicyProblem {
  readonly path: string;
  readonly problem: string;
}

/** Reads the JSON text of the policy. Returns every problem found, or the policy. */
export function parsePolicy(text: string): { policy: Policy } | { problems: readonly PolicyProblem[] } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { problems: [{ path: "", problem: "is not JSON" }] };
  }
  const parsed = policySchema.safeParse(data);
  if (!parsed.success) {
    return {
      problems: parsed.error.issues.map((issue) => ({ path: issue.path.join("."), problem: describeIssue(issue) })),
    };
  }
  const problems = contradictions(parsed.data);
  return problems.length > 0 ? { problems } : { policy: parsed.data };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `has unknown members: ${issue.keys.join(", ")}`;
    case "too_small":
      return `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return "has the wrong form";
  }
}

/** What no schema can say: names that repeat, point nowhere, or rules that could both match one caller. */
function contradictions(policy: Policy): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const resources = Object.values(policy.apis).map((entry) => entry.resource);
  for (const resource of repeated(resources)) {
    problems.push({ path: "apis", problem: `names the resource ${resource} more than once` });
  }
  for (const entryName of repeated(policy.callers.map((entry) => entry.name))) {
    problems.push({ path: "callers", problem: `uses the name ${entryName} more than once` });
  }
  for (const client of repeated(policy.callers.map((entry) => `${entry.kind} ${entry.clientId}`))) {
    // Roles do not separate two entries: one token can carry both.
    problems.push({ path: "callers", problem: `has several entries that could match one caller: ${client}` });
  }
  policy.callers.forEach((entry, index) => {
    problems.push(...callerContradictions(policy, entry, `callers.${index} (${entry.name})`));
  });
  return problems;
}

function callerContradictions(policy: Policy, entry: CallerRule, path: string): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const must = (holds: boolean, problem: string) => {
    if (!holds) {
      problems.push({ path, problem });
    }
  };
  for (const [apiName, scopes] of Object.entries(entry.apis)) {
    const known = Object.hasOwn(policy.apis, apiName) ? policy.apis[apiName] : undefined;
    must(known !== undefined, `names the API ${apiName}, which apis does not have`);
    for (const scope of scopes) {
      must(known === undefined || known.scopes.includes(scope), `allows ${scope}, which apis.${apiName} does not have`);
    }
  }
  must(
    entry.kind === "application" || !entry.flows.includes("client-credentials"),
    "is a user: client-credentials is for applications",
  );
  must(entry.kind === "application" || !entry.unattended, "is a user: unattended is for applications");
  must(
    entry.kind === "application" || entry.subjectClients === undefined,
    "is a user: subjectClients is for applications",
  );
  must(
    !entry.offlineAccess || entry.flows.includes("refresh-token"),
    "allows offlineAccess without the flow refresh-token",
  );
  must(
    !entry.importRefreshTokens || entry.flows.includes("refresh-token"),
    "allows importRefreshTokens without the flow refresh-token",
  );
  return problems;
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
