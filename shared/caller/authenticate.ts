/**
 * Client authentication (RFC 6749 section 2.3): turns exactly one bearer token, client assertion or client secret into a
 * `Caller`, and records that caller in the audit trail. No other function turns a request's authentication into a caller,
 * so an authenticated request cannot be missing from the audit. A client's own credential is first exchanged for the
 * token that Entra issues for it (client-authentication/), and that token passes the same checks.
 */
import { randomUUID } from "node:crypto";
import type { AuditFacts } from "../audit/audit-event.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { ClientSecret, TokenAuthentication } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { ValidationFailure } from "../core/token-refusal.ts";
import type { ApplicationCaller, Caller } from "./caller.ts";
import { readOwnAssertion } from "./own-assertion.ts";
import type { CallerValidator } from "./validate-caller.ts";

export interface AuthenticationContext {
  readonly callers: CallerValidator;
  readonly credentials: CredentialProof;
  readonly nowSeconds: () => number;
  /** Counts the request with this trail as the caller's. Returns a failure if the caller has reached its limit. */
  readonly countRequest: (caller: Caller, audit: AuditTrail) => Failure | undefined;
  /** Sent to Entra if the service has to fetch the signing keys for this request. */
  readonly trace?: RequestTrace | undefined;
  /** GUID: sent to Entra if the service has to ask it about a client's own credential. */
  readonly correlationId?: string | undefined;
}

/** A client's own credential, as it was presented. */
export interface OwnCredentialOf {
  readonly method: "entra_secret" | "entra_assertion";
  /** GUID, lower case. */
  readonly clientId: string;
  readonly value: SecretValue;
  /** Claims of an assertion, which Entra has not verified yet. */
  readonly assertion?: { readonly audiences: readonly unknown[]; readonly expiresAtSeconds: number };
}

/** The request that presents the credential. */
export interface OwnCredentialUse {
  readonly correlationId: string;
  readonly trace: RequestTrace | undefined;
}

/** Exchanges a client's own credential for the app-only token of this service that Entra issues for it. */
export interface CredentialProof {
  /** Undefined: the policy does not accept this method from this client. Entra was not called. */
  prove(
    credential: OwnCredentialOf,
    use: OwnCredentialUse,
    audit: AuditTrail,
  ): Promise<Result<SecretValue, Failure> | undefined>;
  /**
   * The service refuses the token that Entra issued for the credential. So the next request asks Entra again: an app role
   * that was assigned since then, or a new signing key, takes effect at once.
   */
  discard(credential: OwnCredentialOf): void;
}

/** The caller that a bearer token, a client assertion or a client secret identifies. */
export async function authenticate(
  context: AuthenticationContext,
  authentication: TokenAuthentication | undefined,
  audit: AuditTrail,
): Promise<Result<Caller, Failure>> {
  if (authentication === undefined) return fail({ kind: "caller_missing" });
  const presented = await presentedToken(context, authentication, audit);
  if (!presented.ok) return presented;
  const { own } = presented.value;
  const caller = await checkToken(context, presented.value, authentication);
  if (caller.ok) {
    recordCaller(caller.value, audit);
    const over = context.countRequest(caller.value, audit);
    return over === undefined ? caller : fail(over);
  }
  if (own !== undefined && caller.failure !== KEYS_UNAVAILABLE) context.credentials.discard(own);
  return caller;
}

/** Adds the caller's identifiers to the audit event. */
export function recordCaller(caller: Caller, audit: AuditTrail): void {
  audit.add({
    callerKind: caller.kind,
    callerClientId: caller.clientId,
    callerObjectId: caller.objectId,
    callerUnderstandsChallenge: caller.understandsClaimsChallenge,
    ...(caller.tokenId === undefined ? {} : { callerTokenId: caller.tokenId }),
    ...agentFacts(caller),
  });
}

/** A validation failure of the token to exchange. */
export function fromSubjectFailure(failure: ValidationFailure, presentedAs: "subject_token" | "assertion"): Failure {
  return failure.kind === "keys_unavailable"
    ? KEYS_UNAVAILABLE
    : { ...refusalOf(failure), kind: "subject_refused", presentedAs };
}

/** A validation failure of `actor_token`. */
export function fromActorFailure(failure: ValidationFailure): Failure {
  return failure.kind === "keys_unavailable" ? KEYS_UNAVAILABLE : { ...refusalOf(failure), kind: "actor_refused" };
}

// ---------------------------------------------------------------------------------------------------------------

/** Entra's token is for another client than the one that it authenticated. */
const ANSWER_INVALID: Failure = { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" };

interface PresentedToken {
  readonly token: SecretValue;
  /** The credential for which Entra issued the token. Undefined: the request carries a token of Entra. */
  readonly own?: OwnCredentialOf;
}

async function checkToken(
  { callers, nowSeconds, trace }: AuthenticationContext,
  { token, own }: PresentedToken,
  { method }: TokenAuthentication,
): Promise<Result<Caller, Failure>> {
  const validated = await callers.validate(token, nowSeconds(), trace);
  if (!validated.ok) return fail(fromCallerFailure(validated.failure));
  const caller = validated.value;
  if (method !== "bearer" && !isApplication(caller)) {
    // RFC 7523 section 3.2: a client assertion identifies a client. A user's token identifies a user.
    return fail({ kind: "caller_refused", reason: "not_an_application" });
  }
  return own === undefined || caller.clientId.toLowerCase() === own.clientId ? validated : fail(ANSWER_INVALID);
}

/** The token of Entra that authenticates the request: presented, or issued for the client's own credential. */
async function presentedToken(
  context: AuthenticationContext,
  authentication: TokenAuthentication,
  audit: AuditTrail,
): Promise<Result<PresentedToken, Failure>> {
  switch (authentication.method) {
    case "bearer":
      audit.add({ clientAuthentication: "bearer" });
      return succeed({ token: authentication.token });
    case "client_assertion":
      return tokenOfAssertion(context, authentication.token, audit);
    case "client_secret":
      return tokenOfSecret(context, authentication, audit);
  }
}

/** An assertion that the client signed itself, or else a token of Entra. */
async function tokenOfAssertion(
  context: AuthenticationContext,
  token: SecretValue,
  audit: AuditTrail,
): Promise<Result<PresentedToken, Failure>> {
  const assertion = readOwnAssertion(token);
  if (assertion !== undefined) {
    const { clientId } = assertion;
    const own = { method: "entra_assertion", clientId, value: token, assertion } as const;
    const proven = await context.credentials.prove(own, useOf(context), audit);
    if (proven !== undefined) return proven.ok ? succeed({ token: proven.value, own }) : proven;
  }
  audit.add({ clientAuthentication: "client_assertion" });
  return succeed({ token });
}

async function tokenOfSecret(
  context: AuthenticationContext,
  { clientId, secret, sentIn }: ClientSecret,
  audit: AuditTrail,
): Promise<Result<PresentedToken, Failure>> {
  const own = { method: "entra_secret", clientId, value: secret } as const;
  const proven = await context.credentials.prove(own, useOf(context), audit);
  if (proven === undefined) {
    return fail({ kind: "request_invalid", problem: "client_secret_not_accepted", parameter: sentIn });
  }
  return proven.ok ? succeed({ token: proven.value, own }) : proven;
}

function useOf({ trace, correlationId = randomUUID() }: AuthenticationContext): OwnCredentialUse {
  return { trace, correlationId };
}

function agentFacts({ kind, agent }: Caller): Partial<AuditFacts> {
  if (agent === undefined) return {};
  return { agent: kind === "application" ? "autonomous" : "for_person", blueprint: agent.blueprint };
}

const KEYS_UNAVAILABLE: Failure = { kind: "dependency_failed", dependency: "key_set", problem: "unavailable" };

function fromCallerFailure(failure: ValidationFailure): Failure {
  return failure.kind === "keys_unavailable" ? KEYS_UNAVAILABLE : { ...refusalOf(failure), kind: "caller_refused" };
}

function refusalOf({ reason, sentBytes, registration }: Extract<ValidationFailure, { kind: "token_refused" }>) {
  return {
    reason,
    ...(sentBytes === undefined ? {} : { sentBytes }),
    ...(registration === undefined ? {} : { registration }),
  };
}

function isApplication(caller: Caller): caller is ApplicationCaller {
  return caller.kind === "application";
}
