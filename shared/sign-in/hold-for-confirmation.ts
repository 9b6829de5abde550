/**
 * A person signed in, and the sign-in leads to a grant. Until the person approves it, only a sealed cookie of this
 * browser holds what the grant needs:
 *
 *   a link           → the refresh token, after every check: policy, Entra's code, the user, the scopes that Entra returned
 *   a pushed request → Entra's code, which the application redeems once after approval
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import { CONFIRMATION_SECONDS } from "../core/limits.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { SignedInToken } from "../entra/entra-token.ts";
import type { Registration } from "../entra/registration.ts";
import { qualifiedScopes } from "../flows/flow.ts";
import { collectConsentedApis } from "../offline-access/consented-apis.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { release } from "../policy/release.ts";
import { cookiesFor, evictOldest } from "../sealed-state/cookies.ts";
import { newSecret } from "../sealed-state/pkce.ts";
import type { LinkedHandle, PendingConfirmation, PendingGrant, Transaction } from "../sealed-state/sealed-state.ts";
import { fromStateFailure, refuseSignIn, type SignInContext } from "./sign-in-context.ts";
import { toSignInInput } from "./target.ts";

export interface HoldRequest {
  readonly transaction: Transaction;
  /** The registration that the person signed in for. */
  readonly registration: Registration;
  /** The grant that the link is about. */
  readonly linked: LinkedHandle;
  /** Entra's authorization code. */
  readonly code: string;
  readonly cookieHeader: string;
  readonly audit: AuditTrail;
}

export async function holdForConfirmation(
  context: SignInContext,
  { transaction, registration, linked, code, cookieHeader, audit }: HoldRequest,
): Promise<Result<readonly Cookie[], Failure>> {
  const decision = decideSignIn(context.policy, toSignInInput(transaction.target));
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const token = await redeemEntraCode(context.trace, { transaction, registration, entitlement: decision.value, code });
  if (!token.ok) return token;
  audit.add({ scopesReturned: token.value.scopes });
  const user = checkUser(context, token.value, linked.expectedUser);
  if (!user.ok) return user;
  audit.add({ subjectObjectId: user.value.objectId });
  const released = release(decision.value, token.value.scopes, decision.value.entry);
  if (!released.ok) return released;
  const consent = await collectConsentedApis(context, {
    registration,
    entitlement: decision.value,
    token: token.value,
    scopes: released.value,
    correlationId: transaction.correlationId,
    trace: context.trace,
    audit,
  });
  if (!consent.ok) return consent;
  const { apis, refreshToken } = consent.value;
  const { person } = token.value;
  if (refreshToken === undefined) {
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  }
  const { tenantId, objectId } = user.value;
  const pending: PendingGrant = {
    kind: "grant",
    ...pendingMembers(context, transaction),
    user: { tenantId, objectId },
    person: { name: person.name, username: person.username },
    refreshToken: refreshToken.reveal(),
    apis,
    handle: linked.handle,
    heals: linked.heals,
  };
  return hold(context, pending, cookieHeader);
}

export interface HoldCode {
  readonly transaction: Transaction;
  readonly returnTo: RedirectTarget;
  /** Entra's authorization code. */
  readonly code: string;
  readonly cookieHeader: string;
}

export function holdCode(
  context: SignInContext,
  { transaction, returnTo, code, cookieHeader }: HoldCode,
): Promise<Result<readonly Cookie[], Failure>> {
  const { verifier, nonce } = transaction;
  const pending = {
    kind: "code",
    ...pendingMembers(context, transaction),
    returnTo,
    entraCode: code,
    verifier,
    nonce,
  } as const;
  return hold(context, pending, cookieHeader);
}

// ---------------------------------------------------------------------------------------------------------------

function pendingMembers(context: SignInContext, { id, target, correlationId }: Transaction) {
  return { id, target, formToken: newSecret(), createdAtSeconds: context.nowSeconds(), correlationId };
}

interface RedeemCode extends Pick<HoldRequest, "transaction" | "registration" | "code"> {
  readonly entitlement: Entitlement;
}

async function redeemEntraCode(
  trace: RequestTrace | undefined,
  { transaction, registration, entitlement, code }: RedeemCode,
): Promise<Result<SignedInToken, Failure>> {
  const { verifier, nonce, correlationId } = transaction;
  const entra = await registration.entra();
  return entra.redeemCode({
    code: new SecretValue(code),
    codeVerifier: new SecretValue(verifier),
    nonce,
    scopes: qualifiedScopes(entitlement),
    claims: undefined,
    correlationId,
    trace,
    cae: false,
  });
}

/**
 * The user must be of this tenant, must be the expected user if the link names one, and a guest only if guests are
 * allowed.
 */
function checkUser(
  { tenantId, allowGuests }: SignInContext,
  { user, person }: SignedInToken,
  expectedUser: string | undefined,
): Result<PendingGrant["user"], Failure> {
  if (user === undefined) return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  if (user.tenantId !== tenantId || (expectedUser !== undefined && user.objectId !== expectedUser)) {
    return refuseSignIn("wrong_user");
  }
  return person.guest && !allowGuests ? refuseSignIn("guest") : succeed(user);
}

async function hold(
  context: SignInContext,
  pending: PendingConfirmation,
  cookieHeader: string,
): Promise<Result<readonly Cookie[], Failure>> {
  const sealed = await (await context.signIn.sealedState()).confirmations.seal(pending);
  if (!sealed.ok) return fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
  const content = { sealed: sealed.value, maxAgeSeconds: CONFIRMATION_SECONDS };
  const cookies = cookiesFor("confirm", pending.id, content);
  return cookies === undefined
    ? refuseSignIn("too_large")
    : succeed([...evictOldest(cookieHeader, "confirm"), ...cookies]);
}
