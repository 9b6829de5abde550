/**
 * Authenticates the caller and resolves the subject: on whose behalf the token is acquired (RFC 8693 section 2.1). A
 * user may exchange only its own token. An application may present another's token, which must pass every check of a
 * user token. Policy decides later whether the application may.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import {
  type AuthenticationContext,
  authenticate,
  fromActorFailure,
  fromSubjectFailure,
  recordCaller,
} from "../caller/authenticate.ts";
import type { Caller, UserCaller } from "../caller/caller.ts";
import { ignoresSecret } from "../client-authentication/listed-methods.ts";
import type { ClientAuthentication, ExchangeRequest, GrantRequest } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Subject } from "../flows/flows.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import { entryFor, registrationRefusal } from "../policy/find-entry.ts";
import type { Policy } from "../policy/rules.ts";
import { codeRefusal, toUnsealedCode } from "../sealed-state/authorization-code.ts";
import type { SealedStateFailure } from "../sealed-state/state-sealer.ts";
import type { SignInState } from "../sign-in/sign-in-context.ts";

/** The caller and the subject of its request. Policy has not decided yet. */
export interface AuthenticatedRequest {
  readonly caller: Caller;
  readonly subject: Subject;
}

interface SubjectContext extends AuthenticationContext {
  readonly policy: Policy;
  readonly grants: Pick<OfflineAccess, "open" | "codeReplayed">;
  readonly signIn: SignInState | undefined;
}

type OnBehalfOf = Extract<GrantRequest, { flow: "on-behalf-of" }>;

export async function resolveSubject(
  exchangeContext: SubjectContext,
  request: ExchangeRequest,
  audit: AuditTrail,
): Promise<Result<AuthenticatedRequest, Failure>> {
  const { grantRequest, trace, correlationId } = request;
  const context = { ...exchangeContext, trace, correlationId };
  audit.add({ flow: grantRequest.flow });
  const resolved = await resolveCaller(context, request, audit);
  if (!resolved.ok || grantRequest.flow !== "on-behalf-of" || grantRequest.actor === undefined) return resolved;
  const actor = await recordActor(context, grantRequest.actor, audit);
  return actor.ok ? resolved : actor;
}

// ---------------------------------------------------------------------------------------------------------------

async function resolveCaller(
  context: SubjectContext,
  request: ExchangeRequest,
  audit: AuditTrail,
): Promise<Result<AuthenticatedRequest, Failure>> {
  const { clientAuthentication, grantRequest } = request;
  if (clientAuthentication?.method === "subject_itself") {
    audit.add({ clientAuthentication: "subject_itself" });
    return grantRequest.flow === "on-behalf-of"
      ? subjectAsCaller(context, request, grantRequest, audit)
      : fail({ kind: "caller_missing" });
  }
  if (grantRequest.flow === "on-behalf-of" && isIgnored(context.policy, clientAuthentication)) {
    audit.add({ clientAuthentication: "ignored_with_subject" });
    const claimed = { ...request, claimedClientId: clientAuthentication.clientId };
    return subjectAsCaller(context, claimed, grantRequest, audit);
  }
  const caller = await authenticate(context, clientAuthentication, audit);
  if (!caller.ok) return caller;
  const refusal = refusalOf(context, caller.value, request);
  if (refusal !== undefined) return fail(refusal);
  const subject = await subjectOf(context, caller.value, grantRequest, audit);
  if (!subject.ok) return subject;
  recordSubject(subject.value, audit);
  return succeed({ caller: caller.value, subject: subject.value });
}

/** The secret of a client whose user's token authenticates the request. Its value is not read. */
function isIgnored(
  policy: Policy,
  authentication: ClientAuthentication | undefined,
): authentication is Extract<ClientAuthentication, { method: "client_secret" }> {
  return authentication?.method === "client_secret" && ignoresSecret(policy, authentication.clientId);
}

/**
 * RFC 8693 section 2.1: the actor's token passes every check of a caller's token, and the policy has an entry for its
 * caller. The audit event names the actor (section 4.1). Entra does not support actor tokens, so the token goes no
 * further.
 */
async function recordActor(
  { callers, nowSeconds, trace, policy }: SubjectContext,
  token: SecretValue,
  audit: AuditTrail,
): Promise<Result<undefined, Failure>> {
  const validated = await callers.validate(token, nowSeconds(), trace);
  if (!validated.ok) return fail(fromActorFailure(validated.failure));
  const { clientId, objectId } = validated.value;
  if (entryFor(policy, validated.value) === undefined) return fail({ kind: "actor_refused", reason: "not_listed" });
  audit.add({ act: { clientId, objectId } });
  return succeed(undefined);
}

const CLIENT_ID_MISMATCH: Failure = { kind: "request_invalid", problem: "client_id_mismatch", parameter: "client_id" };

function subjectOf(
  context: SubjectContext,
  caller: Caller,
  request: GrantRequest,
  audit: AuditTrail,
): Promise<Result<Subject, Failure>> {
  switch (request.flow) {
    case "on-behalf-of":
      return userSubject(context, caller, request);
    case "refresh-token":
      return grantSubject(context, caller, request);
    case "authorization-code":
      return codeSubject(context, caller, request, audit);
    case "client-credentials":
      return Promise.resolve(
        caller.kind === "application"
          ? succeed({ source: "application" } as const)
          : fail({ kind: "policy_refused", reason: "application_required" } as const),
      );
  }
}

/** The token to exchange is the only token of the request: its user is caller and subject at once. */
async function subjectAsCaller(
  context: SubjectContext,
  request: ExchangeRequest,
  { subject: token, presentedAs }: OnBehalfOf,
  audit: AuditTrail,
): Promise<Result<AuthenticatedRequest, Failure>> {
  if (token === undefined) return fail({ kind: "caller_missing" });
  const user = await validateUser(context, token, presentedAs);
  if (!user.ok) return user;
  const subject = { source: "user", user: user.value, presentedAs } as const;
  recordCaller(user.value, audit);
  recordSubject(subject, audit);
  const refusal = context.countRequest(user.value, audit) ?? refusalOf(context, user.value, request);
  return refusal === undefined ? succeed({ caller: user.value, subject }) : fail(refusal);
}

/** Before anything that the caller presents is opened: its token must be for its client and for its registration. */
function refusalOf({ policy }: SubjectContext, caller: Caller, request: ExchangeRequest): Failure | undefined {
  if (!matchesClaimedClient(caller, request)) return CLIENT_ID_MISMATCH;
  const refused = registrationRefusal(policy, caller);
  return refused === undefined ? undefined : { kind: "policy_refused", ...refused };
}

async function userSubject(
  context: SubjectContext,
  caller: Caller,
  { subject: token, presentedAs }: OnBehalfOf,
): Promise<Result<Subject, Failure>> {
  if (caller.kind === "user") {
    const isOwnToken = token === undefined || token.reveal() === caller.token.reveal();
    return isOwnToken
      ? succeed({ source: "user", user: caller, presentedAs })
      : fail({ kind: "subject_refused", reason: "not_the_caller", presentedAs });
  }
  if (token === undefined) return fail({ kind: "policy_refused", reason: "user_required" });
  const user = await validateUser(context, token, presentedAs);
  if (!user.ok) return user;
  // Entra exchanges a token only for the registration that it was issued for.
  return user.value.registration === caller.registration
    ? succeed({ source: "user", user: user.value, presentedAs })
    : fail({
        kind: "subject_refused",
        reason: "other_registration",
        presentedAs,
        registration: caller.registration,
      });
}

/** A presented token that must be a user's. */
async function validateUser(
  { callers, nowSeconds, trace }: SubjectContext,
  token: SecretValue,
  presentedAs: "subject_token" | "assertion",
): Promise<Result<UserCaller, Failure>> {
  const validated = await callers.validate(token, nowSeconds(), trace);
  if (!validated.ok) return fail(fromSubjectFailure(validated.failure, presentedAs));
  return validated.value.kind === "user"
    ? succeed(validated.value)
    : fail({ kind: "subject_refused", reason: "not_a_user", presentedAs });
}

/** A handle of this service opens a grant. Policy decides about a refresh token of Entra. */
async function grantSubject(
  { grants }: SubjectContext,
  caller: Caller,
  { presented, refreshToken, codeVerifier }: Extract<GrantRequest, { flow: "refresh-token" }>,
): Promise<Result<Subject, Failure>> {
  if (presented === "entra_token") return succeed({ source: "imported", refreshToken });
  const opened = await grants.open(refreshToken, caller, codeVerifier);
  if (!opened.ok) return opened;
  const { grant } = opened.value;
  return grant.registration === caller.registration
    ? succeed({ source: "grant", grant: opened.value })
    : fail({
        kind: "grant_refused",
        reason: "other_registration",
        grantId: grant.id,
      });
}

/**
 * A code of this service: sealed, unexpired and bound to this client. A code found in a log or a history is useless. An
 * expired one may have made a grant before, so it counts as used again.
 */
async function codeSubject(
  { signIn, grants }: SubjectContext,
  caller: Caller,
  { code, redirectUri, codeVerifier }: Extract<GrantRequest, { flow: "authorization-code" }>,
  audit: AuditTrail,
): Promise<Result<Subject, Failure>> {
  if (signIn === undefined) return fail({ kind: "code_refused", reason: "malformed" });
  const presented = { clientId: caller.clientId, registration: caller.registration, redirectUri, codeVerifier };
  const unsealed = await (await signIn.sealedState()).codes.unseal(code.reveal());
  if (!unsealed.ok) {
    const { failure } = unsealed;
    if (failure.kind === "state_expired" && codeRefusal(failure.content, presented) === undefined)
      await grants.codeReplayed(toUnsealedCode(failure.content), caller, audit);
    return fail(fromCodeFailure(failure));
  }
  const reason = codeRefusal(unsealed.value, presented);
  return reason === undefined
    ? succeed({ source: "code", code: toUnsealedCode(unsealed.value) })
    : fail({ kind: "code_refused", reason });
}

function fromCodeFailure(failure: Failure | SealedStateFailure): Failure {
  switch (failure.kind) {
    case "state_invalid":
      return { kind: "code_refused", reason: "malformed" };
    case "state_expired":
      return { kind: "code_refused", reason: "expired" };
    default:
      return failure;
  }
}

function matchesClaimedClient(caller: Caller, { claimedClientId }: ExchangeRequest): boolean {
  return claimedClientId === undefined || claimedClientId.toLowerCase() === caller.clientId.toLowerCase();
}

/** Adds the subject's identifiers to the audit event. */
function recordSubject(subject: Subject, audit: AuditTrail): void {
  if (subject.source === "user") {
    const { user } = subject;
    audit.add({
      subjectObjectId: user.objectId,
      subjectClientId: user.clientId,
      ...(user.tokenId === undefined ? {} : { subjectTokenId: user.tokenId }),
    });
  }
  if (subject.source === "grant") {
    const { grant } = subject.grant;
    audit.add({ subjectObjectId: grant.user.objectId, grantId: grant.id });
  }
}
