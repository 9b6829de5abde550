/**
 * `POST /policy/explain`: a question about any caller: what its request would get, or whether a sign-in link may be
 * created for it. The body has limits and types like every body. Its values need no proof, because the answer describes
 * the policy only.
 */

import * as z from "zod/mini";
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import { type DownstreamCall, parseTarget, RELAY_METHODS } from "../core/downstream-target.ts";
import type { TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { FLOW_NAMES } from "../core/flow-name.ts";
import type { JsonObject } from "../core/json-object.ts";
import { APIS_PER_GRANT_MAX } from "../core/limits.ts";
import { DEFAULT_REGISTRATION } from "../core/registration-names.ts";
import { type Result, succeed } from "../core/result.ts";
import type { PolicyQuestion } from "../policy/explain.ts";
import type { PolicyCaller } from "../policy/find-entry.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { readJsonBody, safeName } from "./read-body.ts";
import { readScopes } from "./read-token-parameters.ts";
import { refuseBodyNames } from "./similar-names.ts";

const name = z.string().check(z.minLength(1), z.maxLength(512));
const names = z.array(name).check(z.maxLength(64));
export const callerForm = z.strictObject({
  kind: z.enum(["user", "application"]),
  clientId: name,
  /** The client is an agent of this agent identity blueprint. */
  blueprint: z.optional(name),
  /** Name of the registration that the caller's token is for. Not set: the default one. */
  registration: z._default(name, DEFAULT_REGISTRATION),
  roles: z._default(names, []),
  /** The client authenticates to Entra with a secret or a certificate. */
  confidential: z._default(z.boolean(), true),
  /** The token declares `cp1`. */
  understandsClaimsChallenge: z._default(z.boolean(), false),
});
const consentedApi = z.strictObject({ api: name, scopes: names });

export const requestQuestion = z.strictObject({
  caller: callerForm,
  flow: z.enum(FLOW_NAMES),
  api: z.optional(name),
  scopes: z.optional(names),
  offlineAccess: z._default(z.boolean(), false),
  /** On-behalf-of by an application: the client to which the user's token was issued. */
  subject: z.optional(callerForm),
  /** Refresh token: the consented APIs of the grant. */
  grant: z.optional(
    z.array(consentedApi).check(z.minLength(1), z.maxLength(APIS_PER_GRANT_MAX), z.refine(namesEachOnce)),
  ),
  /** Refresh token: the request presents a refresh token from Entra instead of a grant. */
  import: z._default(z.boolean(), false),
  /** Authorization code: the redirect URI of the client. */
  redirectUri: z.optional(name),
  /** A request to the API through the relay. Not set: the question is about a token. */
  call: z.optional(z.strictObject({ method: z.enum(RELAY_METHODS), path: z.string().check(z.maxLength(8_192)) })),
});

export const linkQuestion = z.strictObject({
  link: z.strictObject({
    caller: name,
    apis: z.record(name, names).check(z.refine((apis) => Object.keys(apis).length <= APIS_PER_GRANT_MAX)),
  }),
});

type RequestForm = z.infer<typeof requestQuestion>;

const MEMBERS = [...Object.keys(requestQuestion.shape), "link"];

export async function readPolicyQuestion(request: IncomingRequest): Promise<Result<PolicyQuestion, Failure>> {
  const query = refuseBodyNames(request, MEMBERS);
  if (!query.ok) return query;
  const body = await readJsonBody(request);
  if (!body.ok) return body;
  return toPolicyQuestion(body.value);
}

/** The question in a body, or in a file of `policy test`. */
export function toPolicyQuestion(body: JsonObject): Result<PolicyQuestion, Failure> {
  return Object.hasOwn(body, "link") ? readLinkQuestion(body) : readRequestQuestion(body);
}

// ------------------------------------------------------------------------------------------------------------------

function readRequestQuestion({ grant, ...body }: JsonObject): Result<PolicyQuestion, Failure> {
  // Most grants have one API, and such a grant need not be a list.
  const apis = grant === undefined || Array.isArray(grant) ? grant : [grant];
  const parsed = requestQuestion.safeParse({ ...body, grant: apis });
  if (!parsed.success) return invalidMember(parsed.error);
  const mismatch = findMismatch(parsed.data);
  if (mismatch !== undefined) return mismatch;
  const { caller, flow, api, subject, redirectUri } = parsed.data;
  const relay = readCall(parsed.data.call);
  if (!relay.ok) return relay;
  const given = toConsentedApis(parsed.data.grant ?? []);
  const requested = readScopes(parsed.data.scopes, "scopes");
  if (!requested.ok) return requested;
  const tokenParameters: TokenParameters = {
    audiences: api === undefined ? [] : [api],
    resources: [],
    scopes: requested.value.scopes,
    offlineAccess: requested.value.offlineAccess || parsed.data.offlineAccess,
    claims: undefined,
    forceRefresh: false,
    minimumSeconds: 0,
  };
  return succeed({
    about: "request",
    caller: toCaller(caller),
    flow,
    tokenParameters,
    ...(subject === undefined ? {} : { subject: toCaller(subject) }),
    ...(given === undefined ? {} : { given }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...relay.value,
  });
}

function readCall(call: RequestForm["call"]): Result<{ readonly relay?: DownstreamCall }, Failure> {
  if (call === undefined) return succeed({});
  const target = parseTarget(call.path);
  return target.ok
    ? succeed({ relay: { method: call.method, target: target.value } })
    : invalidRequest("path_invalid", "call.path", { target: target.failure });
}

function toCaller({ blueprint, ...caller }: RequestForm["caller"]): PolicyCaller {
  return blueprint === undefined ? caller : { ...caller, agent: { blueprint: blueprint.toLowerCase() } };
}

function readLinkQuestion(body: unknown): Result<PolicyQuestion, Failure> {
  const parsed = linkQuestion.safeParse(body);
  if (!parsed.success) return invalidMember(parsed.error);
  const { caller } = parsed.data.link;
  const apis = toConsentedApis(Object.entries(parsed.data.link.apis).map(([api, scopes]) => ({ api, scopes })));
  return apis === undefined
    ? invalidRequest("parameter_missing", "link.apis")
    : succeed({ about: "link", caller, apis });
}

/** The members that belong to a flow. */
const FLOW_MEMBERS = ["subject", "grant", "import", "redirectUri"] as const;
type FlowMember = (typeof FLOW_MEMBERS)[number];

/** The members of a request with this flow and caller. The question must have exactly one of them, if there are any. */
function flowMembersOf({ flow, caller }: RequestForm): readonly FlowMember[] {
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

/** A missing or superfluous member of the flow: with it, the answer would describe a request that cannot exist. */
function findMismatch(question: RequestForm) {
  const expected = flowMembersOf(question);
  const present = FLOW_MEMBERS.filter((member) => question[member] !== undefined && question[member] !== false);
  const superfluous = present.find((member) => !expected.includes(member)) ?? present[1];
  if (superfluous !== undefined) return invalidRequest("parameter_not_supported", superfluous);
  const [missing] = expected;
  return missing !== undefined && present.length === 0 ? invalidRequest("parameter_missing", missing) : undefined;
}

function namesEachOnce(apis: readonly ApiScopes[]): boolean {
  return new Set(apis.map(({ api }) => api)).size === apis.length;
}

function toConsentedApis([first, ...others]: readonly ApiScopes[]): ConsentedApis | undefined {
  return first === undefined ? undefined : [first, ...others];
}

function invalidMember({ issues: [first] }: z.core.$ZodError) {
  const member = [...(first?.path ?? []), ...(first?.code === "unrecognized_keys" ? first.keys.slice(0, 1) : [])];
  return invalidRequest("parameter_invalid", safeName(member.join(".")));
}
