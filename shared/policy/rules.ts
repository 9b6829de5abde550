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

/**
 * RFC 9700 section 2.6 and RFC 8252 section 7.3: https, or http on this machine; no user, no fragment, no pattern. In its one
 * spelling, because requests are compared with it character for character.
 */
function isRedirectUri(text: string): boolean {
  if (!URL.canParse(text) || /[#*\s]/.test(text)) {
    return false;
  }
  const { protocol, hostname, username, password, href } = new URL(text);
  const secure = protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
  return secure && username === "" && password === "" && (href === text || href === `${text}/`);
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

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
  redirectUris: z._default(z.array(z.string().check(z.maxLength(512), z.refine(isRedirectUri))), []),
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
  const apis = Object.entries(policy.apis).map(([path, { resource }]) => ({ path: `apis.${path}`, value: resource }));
  for (const [path, earlier] of repeated(apis)) {
    problems.push({ path: `${path}.resource`, problem: `is the resource of ${earlier} too` });
  }
  const callers = policy.callers.map((entry, index) => ({ ...entry, path: `callers.${index}` }));
  for (const [path, earlier] of repeated(callers.map((entry) => ({ path: entry.path, value: entry.name })))) {
    problems.push({ path: `${path}.name`, problem: `is the name of ${earlier} too` });
  }
  const matches = callers.map(({ path, kind, clientId }) => ({ path, value: `${kind} ${clientId}` }));
  for (const [path, earlier] of repeated(matches)) {
    // Roles do not separate two entries: one token can carry both.
    problems.push({ path, problem: `could match the same caller as ${earlier}: same kind and clientId` });
  }
  policy.callers.forEach((entry, index) => {
    problems.push(...callerContradictions(policy, entry, `callers.${index}`));
  });
  return problems;
}

function callerContradictions(policy: Policy, entry: CallerRule, path: string): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const must = (holds: boolean, problem: string, at = path) => {
    if (!holds) {
      problems.push({ path: at, problem });
    }
  };
  for (const [apiName, scopes] of Object.entries(entry.apis)) {
    const known = Object.hasOwn(policy.apis, apiName) ? policy.apis[apiName] : undefined;
    must(known !== undefined, "is not in apis", `${path}.apis.${apiName}`);
    scopes.forEach((scope, index) => {
      const listed = known === undefined || known.scopes.includes(scope);
      must(listed, `is not in apis.${apiName}.scopes`, `${path}.apis.${apiName}.${index}`);
    });
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
    entry.kind === "application" || !entry.flows.includes("authorization-code"),
    "is a user: authorization-code is for applications",
  );
  must(
    entry.flows.includes("authorization-code") === entry.redirectUris.length > 0,
    "needs redirectUris exactly with the flow authorization-code",
  );
  must(entry.downstream.length === 0, "uses downstream, which this version does not serve");
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

/** What has the same value as something before it: both paths. */
function repeated(
  items: readonly { readonly path: string; readonly value: string }[],
): [path: string, earlier: string][] {
  const seen = new Map<string, string>();
  return items.flatMap(({ path, value }): [string, string][] => {
    const earlier = seen.get(value);
    seen.set(value, earlier ?? path);
    return earlier === undefined ? [] : [[path, earlier]];
  });
}
