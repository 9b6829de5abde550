/**
 * Entra's refusals as responses, one for each verdict. A caller that can answer a claims challenge gets one (401
 * `insufficient_claims`). Other callers get 400 or 403 and have to send the user to sign in.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
import type { Failure } from "../core/failure.ts";
import { safeList } from "./safe-text.ts";
import { evidenceMembers, type Wire, type WireOptions } from "./wire.ts";

type EntraRefused = Extract<Failure, { kind: "entra_refused" }>;

export function entraRefusalToWire(failure: EntraRefused, options: WireOptions): Wire {
  const members = { ...evidenceMembers(failure.evidence), ...signInOffer(failure), ...retryAfterOfRefusal(failure) };
  const oauth = options.dialect === "oauth";
  const refusal = { status: oauth ? 400 : 403, error: "invalid_grant", ...members };
  switch (failure.verdict) {
    case "assertion_refused":
      return assertionRefused(failure, options, members);
    case "interaction_required":
      return interactionRequired(failure, options, members);
    case "consent_required":
      return {
        ...refusal,
        code: "consent_required",
        suberror: "consent_required",
        ...consentAdvice(failure),
        scopes: failure.scopes,
      };
    case "denied":
      return {
        ...refusal,
        code: "access_denied",
        description: "Entra denies this token, and a new sign-in does not help. Ask your administrator.",
        action: "ask_admin",
      };
    case "grant_dead":
      return {
        ...refusal,
        code: "grant_dead",
        description: "The grant is no longer valid at Entra. The user has to sign in again.",
        action: "sign_in",
      };
    case "code_refused":
      return {
        ...refusal,
        status: 400,
        code: "code_refused",
        description:
          "Entra does not accept the authorization code: it is used or has expired. The user has to sign in again.",
        action: "sign_in",
      };
    case "credential_refused":
      return failure.retryAfterSeconds === undefined
        ? { ...NOT_CONFIGURED, code: "credential_refused", ...members }
        : { ...BEING_REPLACED, ...members };
    case "misconfigured":
      return { ...NOT_CONFIGURED, code: "registration_refused", ...members };
  }
}

// ------------------------------------------------------------------------------------------------------------------

const NOT_CONFIGURED = {
  status: 500,
  error: "server_error",
  description: "The service is not configured correctly at Entra. Ask your administrator.",
  action: "ask_admin",
} as const;

/** Entra accepted the credential before: the new one is probably on its way. */
const BEING_REPLACED = {
  status: 503,
  error: "temporarily_unavailable",
  code: "credential_refused",
  description: "The credential of the service is being replaced. Try again.",
  action: "retry",
} as const;

/** The link that renews an application's grant. */
function signInOffer({ signIn }: EntraRefused): Pick<Wire, "signInUrl"> {
  return signIn?.url === undefined ? {} : { signInUrl: signIn.url };
}

/** Set if the service repeats an earlier refusal. */
function retryAfterOfRefusal({ retryAfterSeconds }: EntraRefused): Pick<Wire, "retryAfterSeconds"> {
  return retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
}

/** Names the scopes and their API. Whether the user can consent depends on the flow; an administrator always can. */
function consentAdvice(failure: EntraRefused): Pick<Wire, "description" | "action"> {
  const missing = `Consent is missing for ${describeScopes(failure.scopes)}.`;
  const byAdmin = "grants admin consent to this service's registration in Entra";
  // In both cases the user signs in at Entra for this service, and Entra asks for consent there.
  if (failure.signIn !== undefined || failure.flow === "authorization-code") {
    const description = `${missing} The user signs in again and consents, or an administrator ${byAdmin}.`;
    return { description, action: "sign_in" };
  }
  return { description: `${missing} An administrator ${byAdmin}. Then repeat the request.`, action: "ask_admin" };
}

/** `Mail.Read, User.Read of https://graph.microsoft.com`. Bare scopes name no API. */
function describeScopes(scopes: readonly string[]): string {
  if (scopes.length === 0) return "the requested scopes";
  const names = scopes.map((scope) => scope.slice(scope.lastIndexOf("/") + 1));
  const apis = scopes.flatMap((scope) => (scope.includes("/") ? [scope.slice(0, scope.lastIndexOf("/"))] : []));
  return apis.length === 0 ? safeList(names) : `${safeList(names)} of ${safeList(apis)}`;
}

function assertionRefused(failure: EntraRefused, options: WireOptions, members: Partial<Wire>): Wire {
  const refused = {
    ...members,
    code: "subject_refused",
    description:
      "Entra does not accept the token to exchange. Get a new user token for this service. If a new one is refused too, ask your administrator.",
    action: "new_caller_token",
  } as const;
  if (options.dialect === "problem") {
    return { ...refused, status: 401, error: "invalid_token", challenge: { error: "invalid_token" } };
  }
  return {
    ...refused,
    status: 400,
    error: failure.presentedAs === "subject_token" ? "invalid_request" : "invalid_grant",
  };
}

function interactionRequired(failure: EntraRefused, options: WireOptions, members: Partial<Wire>): Wire {
  const { claims } = failure.evidence;
  const required = {
    ...members,
    code: "interaction_required",
    description: "Entra requires the user to sign in again, for example with multi-factor authentication.",
    action: "sign_in",
    ...(claims === undefined ? {} : { claims }),
  } as const;
  if (options.dialect === "oauth") return { ...required, status: 400, error: "interaction_required" };
  // A challenge asks the caller to get another token for itself. For an application's grant, the user has to sign in.
  const callerCanAnswer = options.understandsChallenge && failure.signIn === undefined;
  if (claims === undefined || !callerCanAnswer) return { ...required, status: 403, error: "interaction_required" };
  return {
    ...required,
    status: 401,
    error: "insufficient_claims",
    challenge: { error: "insufficient_claims", claims },
  };
}
