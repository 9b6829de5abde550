/**
 * Entra's refusals on the wire: one row a verdict. A claims challenge goes to callers that can
 * answer one (401 `insufficient_claims`); the others get something that they can show a person.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
import type { Failure } from "../core/failure.ts";
import { type EntraCall, evidence, type Wire } from "./wire.ts";

type EntraRefused = Extract<Failure, { kind: "entra_refused" }>;

export function entraRefusalToWire(failure: EntraRefused, call: EntraCall): Wire {
  const found = { ...evidence(failure.evidence), ...signInOffer(failure) };
  const oauth = call.dialect === "oauth";
  const refusal = { status: oauth ? 400 : 403, error: "invalid_grant", ...found };
  switch (failure.verdict) {
    case "assertion_refused":
      return assertionRefused(failure, call, found);
    case "interaction_required":
      return interactionRequired(failure, call, found);
    case "consent_required":
      return {
        ...refusal,
        code: "consent_required",
        suberror: "consent_required",
        description: "The user or an administrator has not consented to what is asked.",
        // Whose grant it is can consent; so can an administrator.
        action: failure.signIn === undefined ? "ask_admin" : "sign_in",
        scopes: failure.scopes,
      };
    case "denied":
      return {
        ...refusal,
        code: "access_denied",
        description: "Entra does not allow this token; signing in again does not help.",
        action: "ask_admin",
      };
    case "grant_dead":
      return {
        ...refusal,
        code: "grant_dead",
        description: "The permission has ended at Entra; the user has to sign in again.",
        action: "sign_in",
      };
    case "credential_refused":
    case "misconfigured":
      return {
        status: 500,
        error: "server_error",
        code: failure.verdict === "misconfigured" ? "registration_refused" : "credential_refused",
        description: "The service is not configured correctly at Entra.",
        action: "ask_admin",
        ...found,
      };
  }
}

/** A link that makes the grant again, for an application whose grant has ended. */
function signInOffer({ signIn }: EntraRefused): Pick<Wire, "signInUrl"> {
  return signIn?.url === undefined ? {} : { signInUrl: signIn.url };
}

function assertionRefused(failure: EntraRefused, call: EntraCall, found: Partial<Wire>): Wire {
  const refused = {
    ...found,
    code: "subject_refused",
    description: "Entra does not accept the token to exchange.",
    action: "new_caller_token",
  } as const;
  if (call.dialect === "problem") {
    return { ...refused, status: 401, error: "invalid_token", challenge: { error: "invalid_token" } };
  }
  return {
    ...refused,
    status: 400,
    error: failure.presentedAs === "subject_token" ? "invalid_request" : "invalid_grant",
  };
}

function interactionRequired(failure: EntraRefused, call: EntraCall, found: Partial<Wire>): Wire {
  const { claims } = failure.evidence;
  const required = {
    ...found,
    code: "interaction_required",
    description: "The user has to satisfy a demand of Entra (sign-in, multi-factor authentication, policy).",
    action: "sign_in",
    ...(claims === undefined ? {} : { claims }),
  } as const;
  if (call.dialect === "oauth") return { ...required, status: 400, error: "interaction_required" };
  // A challenge says "get another token of your own": for an application's grant it is the person who has to sign in.
  const isCallers = call.understandsChallenge && failure.signIn === undefined;
  if (claims === undefined || !isCallers) return { ...required, status: 403, error: "interaction_required" };
  return {
    ...required,
    status: 401,
    error: "insufficient_claims",
    challenge: { error: "insufficient_claims", claims },
  };
}
