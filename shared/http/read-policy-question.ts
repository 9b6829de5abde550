/**
 * `POST /policy/explain`: a question about a caller that need not be there: what a request of its would get, or whether a
 * sign-in link may be made for it. Bounded and typed like every body; nothing in it is trusted or needs to be, because
 * the answer is about the policy only.
 */

import * as z from "zod/mini";
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { TokenParameters } from "../core/exchange-request.ts";
import type { Failure, RequestProblem } from "../core/failure.ts";
import { FLOW_NAMES } from "../core/flow-name.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { readJsonObject, safeName } from "./read-body.ts";
import { readScopes } from "./read-token-parameters.ts";

/** As many as a sign-in link may name. */
const APIS_MAX = 10;

const name = z.string().check(z.minLength(1), z.maxLength(512));
const names = z.array(name).check(z.maxLength(64));
const who = z.strictObject({
  kind: z.enum(["user", "application"]),
  clientId: name,
  roles: z._default(names, []),
  /** The client authenticated with a secret or a certificate. */
  confidential: z._default(z.boolean(), true),
  /** The token declares `cp1`. */
  understandsClaimsChallenge: z._default(z.boolean(), false),
});
const consent = z.strictObject({ api: name, scopes: names });

const requestQuestion = z.strictObject({
  caller: who,
  flow: z.enum(FLOW_NAMES),
  api: z.optional(name),
  scopes: z.optional(names),
  offlineAccess: z._default(z.boolean(), false),
  /** On-behalf-of by an application: the client that obtained the person's token. */
  subject: z.optional(who),
  /** Refresh token: what the grant covers. */
  grant: z.optional(z.array(consent).check(z.minLength(1), z.maxLength(APIS_MAX), z.refine(namesEachOnce))),
  /** Refresh token: one of Entra's own, in place of a grant. */
  import: z._default(z.boolean(), false),
  /** Authorization code: where the browser is sent back to. */
  redirectUri: z.optional(name),
});

const linkQuestion = z.strictObject({
  link: z.strictObject({
    caller: name,
    apis: z.record(name, names).check(z.refine((apis) => Object.keys(apis).length <= APIS_MAX)),
  }),
});

type RequestForm = z.infer<typeof requestQuestion>;

export type PolicyQuestion =
  /** Would this request be served? */
  | {
      readonly about: "request";
      readonly caller: RequestForm["caller"];
      readonly flow: RequestForm["flow"];
      readonly tokenParameters: TokenParameters;
      readonly subject?: RequestForm["caller"];
      /** What the grant covers; absent for a refresh token of Entra's. */
      readonly given?: ConsentedApis;
      readonly redirectUri?: string;
    }
  /** May a sign-in link be made for this entry? */
  | { readonly about: "link"; readonly caller: string; readonly apis: ConsentedApis };

export async function readPolicyQuestion(request: IncomingRequest): Promise<Result<PolicyQuestion, Failure>> {
  const body = await readJsonObject(request);
  if (!body.ok) return body;
  return Object.hasOwn(body.value, "link") ? readLinkQuestion(body.value) : readRequestQuestion(body.value);
}

function readRequestQuestion({ grant: one, ...body }: Record<string, unknown>): Result<PolicyQuestion, Failure> {
  // A grant for one API is most of them, and need not be written as a list.
  const parsed = requestQuestion.safeParse({ ...body, grant: one === undefined || Array.isArray(one) ? one : [one] });
  if (!parsed.success) return wrongMember(parsed.error);
  const { caller, flow, api, subject, redirectUri } = parsed.data;
  const given = toCovered(parsed.data.grant ?? []);
  const unfit = findUnfit(parsed.data);
  const asked = unfit ?? readScopes(parsed.data.scopes, "scopes");
  if (!asked.ok) return asked;
  const tokenParameters: TokenParameters = {
    audiences: api === undefined ? [] : [api],
    resources: [],
    scopes: asked.value.scopes,
    offlineAccess: asked.value.offlineAccess || parsed.data.offlineAccess,
    claims: undefined,
    forceRefresh: false,
    minimumSeconds: 0,
  };
  return succeed({
    about: "request",
    caller,
    flow,
    tokenParameters,
    ...(subject === undefined ? {} : { subject }),
    ...(given === undefined ? {} : { given }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
  });
}

function readLinkQuestion(body: unknown): Result<PolicyQuestion, Failure> {
  const parsed = linkQuestion.safeParse(body);
  if (!parsed.success) return wrongMember(parsed.error);
  const { caller } = parsed.data.link;
  const apis = toCovered(Object.entries(parsed.data.link.apis).map(([api, scopes]) => ({ api, scopes })));
  return apis === undefined ? problem("parameter_missing", "link.apis") : succeed({ about: "link", caller, apis });
}

const OF_A_FLOW = ["subject", "grant", "import", "redirectUri"] as const;
type OfAFlow = (typeof OF_A_FLOW)[number];

/**
 * What the request itself would bring, one of these: without it the answer would be about another request, as it would be
 * with something that such a request does not have.
 */
function broughtBy({ flow, caller }: RequestForm): readonly OfAFlow[] {
  switch (flow) {
    case "on-behalf-of":
      return caller.kind === "application" ? ["subject"] : [];
    case "refresh-token":
      return ["grant", "import"];
    case "authorization-code":
      return ["redirectUri"];
    case "client-credentials":
      return [];
  }
}

function findUnfit(question: RequestForm) {
  const brought = broughtBy(question);
  const present = OF_A_FLOW.filter((member) => question[member] !== undefined && question[member] !== false);
  const stray = present.find((member) => !brought.includes(member)) ?? present[1];
  if (stray !== undefined) return problem("parameter_not_supported", stray);
  const [missing] = brought;
  return missing !== undefined && present.length === 0 ? problem("parameter_missing", missing) : undefined;
}

function namesEachOnce(apis: readonly ApiScopes[]): boolean {
  return new Set(apis.map(({ api }) => api)).size === apis.length;
}

function toCovered([first, ...others]: readonly ApiScopes[]): ConsentedApis | undefined {
  return first === undefined ? undefined : [first, ...others];
}

function wrongMember({ issues: [first] }: z.core.$ZodError) {
  const member = [...(first?.path ?? []), ...(first?.code === "unrecognized_keys" ? first.keys.slice(0, 1) : [])];
  return problem("parameter_invalid", safeName(member.join(".")));
}

function problem(kind: RequestProblem, parameter: string) {
  return fail({ kind: "request_invalid", problem: kind, parameter } as const);
}
