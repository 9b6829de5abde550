/**
 * Refusals of a token, the caller's or the one to exchange, as responses. A caller whose token is not verifiably from
 * Entra learns nothing but what every caller needs: one generic message for all reasons. A caller whose token is genuine
 * learns what is wrong with it and what ends it. The text of a message contains the service's own settings and names of
 * claims, never a value of the token.
 *
 * The action is the step that ends the refusal: `new_caller_token` only where a token that the caller gets in the same
 * way can be accepted.
 */
import { APPLICATION_ROLE, callerScopes, USER_SCOPE } from "../core/caller-permissions.ts";
import type { Failure, SubjectRefusal } from "../core/failure.ts";
import { TOKEN_MAX_BYTES } from "../core/limits.ts";
import type { Action, ServiceNames, Wire, WireOptions } from "./wire.ts";

type CallerRefused = Extract<Failure, { kind: "caller_refused" }>;
type ActorRefused = Extract<Failure, { kind: "actor_refused" }>;
type SubjectRefused = Extract<Failure, { kind: "subject_refused" }>;

export function callerMissing(options: WireOptions): Wire {
  const { tokenNeeded, scope } = wordsFor(options.service);
  return {
    status: 401,
    error: options.dialect === "oauth" ? "invalid_client" : "invalid_token",
    code: "caller_missing",
    description: `The request has no credentials. Send ${tokenNeeded} as a Bearer token.`,
    action: "new_caller_token",
    challenge: { ...scope },
  };
}

export function callerRefused({ reason, sentBytes = 0, registration }: CallerRefused, options: WireOptions): Wire {
  const refusal = REFUSALS[reason];
  const words = wordsFor(options.service, registration);
  const refused = {
    code: refusal.code ?? "caller_refused",
    description: refusal.text({ ...words, token: "The caller's token", sentBytes }),
    action: refusal.action,
  };
  if (options.dialect !== "oauth") return { ...refused, ...asResource(refusal, words) };
  if (refusal.lacksPermission !== undefined) return { ...refused, status: 400, error: "unauthorized_client" };
  const challenge = { error: "invalid_token", ...words.scope };
  return { ...refused, status: 401, error: "invalid_client", challenge };
}

export function subjectRefused(
  { reason, presentedAs, sentBytes = 0, registration }: SubjectRefused,
  options: WireOptions,
): Wire {
  // Only applications have the app role, and the role does not make an application's token exchangeable.
  const refusal = REFUSALS[reason === "role_missing" ? "not_a_user" : reason];
  const words = wordsFor(options.service, registration);
  const refused = {
    code: refusal.code ?? "subject_refused",
    description: refusal.text({ ...words, token: "The token to exchange", sentBytes }),
    action: refusal.action,
  };
  if (options.dialect !== "oauth") return { ...refused, ...asResource(refusal, words) };
  // RFC 8693 section 2.2.2 and RFC 7523 section 3.1 use different errors.
  return { ...refused, status: 400, error: presentedAs === "subject_token" ? "invalid_request" : "invalid_grant" };
}

/** RFC 8693 section 2.2.2: `invalid_request` for every token of the request that is not acceptable. */
export function actorRefused({ reason, sentBytes = 0 }: ActorRefused, options: WireOptions): Wire {
  const input = { ...wordsFor(options.service), token: "The actor token", sentBytes };
  const { text, action } = reason === "not_listed" ? ACTOR_NOT_LISTED : REFUSALS[reason];
  return { status: 400, error: "invalid_request", code: "actor_refused", description: text(input), action };
}

// ------------------------------------------------------------------------------------------------------------------

/** The parts of messages and challenges that depend on the deployment. */
interface Words {
  /** What a caller's token must be. */
  readonly tokenNeeded: string;
  /** What a user's client requests from Entra. */
  readonly userScope: string;
  readonly tenant: string;
  readonly scope: { readonly scope?: string };
  readonly applicationScope: { readonly scope?: string };
}

interface TextInput extends Words {
  /** Which token is refused; begins the sentence. */
  readonly token: string;
  readonly sentBytes: number;
}

interface Refusal {
  /** Undefined: the generic code, for tokens that are not verifiably from Entra. */
  readonly code?: string;
  readonly action: Action;
  readonly text: (input: TextInput) => string;
  /** The token is valid, and a permission is missing: the status is not 401. */
  readonly lacksPermission?: Permission;
}

/** What a valid token lacks. No scope makes a guest a member, or an agent a person. */
type Permission = "scope" | "role" | "guest" | "person";

/** RFC 6750 section 3.1: an invalid token is 401; a valid token without a permission is 403 `insufficient_scope`. */
function asResource({ lacksPermission }: Refusal, words: Words): Pick<Wire, "status" | "error" | "challenge"> {
  const error = lacksPermission === undefined ? "invalid_token" : "insufficient_scope";
  const scope = lacksPermission === undefined ? words.scope : scopeFor(lacksPermission, words);
  return { status: lacksPermission === undefined ? 401 : 403, error, challenge: { error, ...scope } };
}

/** What to request after the missing permission is there. */
function scopeFor(lacking: Permission, { scope, applicationScope }: Words): { readonly scope?: string } {
  switch (lacking) {
    case "scope":
      return scope;
    case "role":
      return applicationScope;
    case "guest":
    case "person":
      return {};
  }
}

/** `registration`: client id of the registration that a genuine token is for. Default: the default registration. */
function wordsFor(service: ServiceNames | undefined, registration?: string): Words {
  if (service === undefined) {
    return {
      tokenNeeded: "an Entra access token for this service",
      userScope: `the scope ${USER_SCOPE} of this service`,
      tenant: "the tenant of this service",
      scope: {},
      applicationScope: {},
    };
  }
  const [first, ...others] = service.registrations;
  const { appIdUri } = others.find(({ clientId }) => clientId === registration) ?? first;
  const { user, application } = callerScopes(appIdUri);
  return {
    tokenNeeded: `an Entra access token for ${user} (a user) or ${application} (an application)`,
    userScope: `the scope ${user}`,
    tenant: `tenant ${service.tenantId}`,
    scope: { scope: user },
    applicationScope: { scope: application },
  };
}

/** The same for every token that is not verifiably from Entra, so that a forger does not learn how far it came. */
const NOT_VERIFIED: Refusal = {
  action: "new_caller_token",
  text: ({ token, tokenNeeded }) =>
    `${token} is not valid for this service. Get ${tokenNeeded} and send it unchanged. If a new token is refused too, ask your administrator.`,
};

const NOT_YET_VALID: Refusal = {
  code: "token_not_yet_valid",
  action: "ask_admin",
  text: ({ token }) =>
    `${token} is not valid yet. The clock of this service is behind Entra's. Ask your administrator.`,
};

const WRONG_TENANT: Refusal = {
  code: "token_wrong_tenant",
  action: "fix_request",
  text: ({ token, tenant }) => `${token} is from another tenant or cloud. Request it from ${tenant}.`,
};

/** A genuine token whose claims Entra never writes by itself, so a claims mapping or a token policy is the cause. */
function malformed(what: string): Refusal {
  return {
    code: "token_claims_invalid",
    action: "ask_admin",
    text: ({ token }) => `${token} is from Entra, but ${what}. Ask your administrator.`,
  };
}

const ACTOR_NOT_LISTED: Refusal = {
  action: "ask_admin",
  text: ({ token }) => `${token} is valid, but the policy has no entry for its caller. Ask your administrator.`,
};

const REFUSALS: Readonly<Record<SubjectRefusal, Refusal>> = {
  not_compact: NOT_VERIFIED,
  not_json: NOT_VERIFIED,
  header_not_allowed: NOT_VERIFIED,
  header_type: NOT_VERIFIED,
  algorithm: NOT_VERIFIED,
  key_id: NOT_VERIFIED,
  key_unknown: NOT_VERIFIED,
  signature: NOT_VERIFIED,
  unverifiable: NOT_VERIFIED,
  // These three are recognised by what the sender knows already: the length, the first word and the header.
  too_long: {
    code: "token_too_large",
    action: "ask_admin",
    text: ({ token, sentBytes }) =>
      `${token} has ${sentBytes} bytes, and at most ${TOKEN_MAX_BYTES} are allowed. The claim groups makes tokens large: ask your administrator to remove it from the registration of this service.`,
  },
  bearer_prefix: {
    code: "token_bearer_prefix",
    action: "fix_request",
    text: ({ token }) => `${token} begins with the word Bearer. Send the token without it.`,
  },
  graph_token: {
    code: "token_for_graph",
    action: "fix_request",
    text: ({ token, tokenNeeded }) =>
      `${token} looks like a token for Microsoft Graph, and this service issues those. Send ${tokenNeeded}.`,
  },
  id_token: {
    code: "token_is_id_token",
    action: "fix_request",
    text: ({ token, tokenNeeded }) =>
      `${token} is an ID token, which identifies a user and authorizes nothing. Send ${tokenNeeded}.`,
  },
  audience: {
    code: "token_for_other_api",
    action: "fix_request",
    text: ({ token, tokenNeeded }) => `${token} is for another API (claim aud). Send ${tokenNeeded}.`,
  },
  issuer: WRONG_TENANT,
  tenant: WRONG_TENANT,
  version: {
    code: "token_version",
    action: "ask_admin",
    text: ({ token }) =>
      `${token} is a v1.0 token, and this service accepts v2.0 tokens (claim ver). Ask your administrator to set requestedAccessTokenVersion to 2 in the registration of this service, or to set V1_TOKEN_AUDIENCES.`,
  },
  expired: {
    code: "token_expired",
    action: "new_caller_token",
    text: ({ token }) =>
      `${token} has expired. Get a new one. If a new one has expired too, the clocks differ: ask your administrator.`,
  },
  not_yet_valid: NOT_YET_VALID,
  issued_in_future: NOT_YET_VALID,
  lifetime: malformed("no token of Entra has its lifetime (claims iat and exp)"),
  claim_type: malformed("a claim is missing or has another type than Entra uses"),
  identity: malformed("the object id or the subject (claims oid and sub) is missing or malformed"),
  client: malformed("the client id (claim azp or appid) is missing, malformed or contradictory"),
  kind_unclear: malformed("its claims (scp, roles, idtyp) show neither a user nor an application"),
  sender_constrained: {
    code: "token_not_bearer",
    action: "fix_request",
    text: ({ token }) => `${token} is bound to a key (claim cnf). Request a bearer token.`,
  },
  actor_token: {
    code: "token_not_bearer",
    action: "fix_request",
    text: ({ token }) =>
      `${token} names an actor (claim act, actort or actortoken). Send the caller's own access token.`,
  },
  own_client: {
    code: "token_own_client",
    action: "fix_request",
    text: ({ token }) =>
      `${token} was requested with the client id of this service. Request it with the client id of the calling application.`,
  },
  not_an_application: {
    code: "caller_is_user",
    action: "fix_request",
    text: () =>
      "The client assertion is a user's token. Authenticate with the application's own token, or send the user's token as subject_token or assertion only.",
  },
  not_a_user: {
    code: "subject_is_application",
    action: "fix_request",
    text: () =>
      "The token to exchange is an application's. Send a user's token, or request grant_type client_credentials.",
  },
  not_the_caller: {
    code: "subject_not_the_caller",
    action: "fix_request",
    text: () =>
      "A user may exchange only the token that authenticates the request. Send one token, or authenticate as an application.",
  },
  other_registration: {
    code: "subject_for_other_registration",
    action: "fix_request",
    text: ({ userScope }) =>
      `The token to exchange is for another app registration of this service than the caller's token (claim aud). Request the user's token for ${userScope}.`,
  },
  scope_missing: {
    code: "token_scope_missing",
    action: "fix_request",
    text: ({ token, userScope }) => `${token} does not have the scope ${USER_SCOPE}. Request ${userScope} from Entra.`,
    lacksPermission: "scope",
  },
  role_missing: {
    code: "token_role_missing",
    action: "ask_admin",
    text: ({ token }) =>
      `${token} does not have the app role ${APPLICATION_ROLE}. Ask your administrator to assign the role to the application, and then get a new token.`,
    lacksPermission: "role",
  },
  guest: {
    code: "guest_not_allowed",
    action: "ask_admin",
    text: ({ token }) =>
      `${token} belongs to a guest of the tenant (claim acct or idp), and this service does not accept guests. Ask your administrator.`,
    lacksPermission: "guest",
  },
  agent_user: {
    code: "agent_user_not_allowed",
    action: "fix_request",
    text: ({ token }) =>
      `${token} is of an agent's user account (claim xms_sub_fct), and this service acts for people only. Send a token of the agent itself, or of the person for whom it acts.`,
    lacksPermission: "person",
  },
};
