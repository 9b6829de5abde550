/**
 * The confirmation page and its form. The threat is consent phishing: any application in the policy can start a
 * sign-in, and Entra's consent is for this service, not for the application. The page therefore shows which application
 * will act on the user's behalf, with which scopes and until when. Only after approval does the service issue the
 * grant, or the code that leads to one. Policy decides again, because it may have changed while the page was open.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Failure } from "../core/failure.ts";
import { grantEnd } from "../core/grant.ts";
import { CODE_SECONDS, CONFIRMATION_SECONDS } from "../core/limits.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { LinkedGrant } from "../offline-access/linked-grants.ts";
import { decideSignIn } from "../policy/decide.ts";
import { type DownstreamRule, rulesFor } from "../policy/downstream-rules.ts";
import type { Api, Entitlement } from "../policy/entitlement.ts";
import { release } from "../policy/release.ts";
import { isTransactionId, readCookie } from "../sealed-state/cookies.ts";
import { sameText } from "../sealed-state/pkce.ts";
import type { PendingCode, PendingConfirmation, PendingGrant } from "../sealed-state/sealed-state.ts";
import { evaluateCode } from "./evaluate-code.ts";
import { registrationOfTarget } from "./registration-of-target.ts";
import { sealCode } from "./seal-code.ts";
import { fromStateFailure, refuseSignIn, type SignInContext } from "./sign-in-context.ts";
import { targetFacts, toSignInInput } from "./target.ts";

interface ShownApi {
  readonly api: Api;
  readonly scopes: readonly string[];
  /** The rules of the relay, if the application gets no token. Policy may change them later, but not the scopes. */
  readonly requests?: readonly DownstreamRule[];
}

/** What the page shows. */
interface ConfirmationContent {
  /** The application's name in the policy. */
  readonly application: string;
  /** Why the application asks, in the words of the policy. */
  readonly purpose: string | undefined;
  /** The largest set of scopes that the grant can have. */
  readonly apis: readonly ShownApi[];
  /** The entry accepts surplus, and the scopes that Entra will return are not known yet. */
  readonly mayIncludeMore: boolean;
  /** The latest end of the grant, seconds since 1970. Undefined: the application gets a token and no grant. */
  readonly untilSeconds: number | undefined;
}

interface GrantConfirmation extends ConfirmationContent {
  readonly kind: "grant";
  readonly pending: PendingGrant;
  readonly entitlement: Entitlement;
}

export interface CodeConfirmation extends ConfirmationContent {
  readonly kind: "code";
  readonly pending: PendingCode;
}

/** What the person approves or denies. */
export type Confirmation = GrantConfirmation | CodeConfirmation;

export interface ConfirmationForm {
  readonly id: string;
  readonly formToken: string;
  readonly allowed: boolean;
}

/** The result of an approval: a live grant, or a code for the application. */
export type Confirmed =
  | { readonly kind: "allowed"; readonly grant: LinkedGrant }
  | { readonly kind: "return"; readonly returnTo: RedirectTarget; readonly code: string };

/** The request that brought the form. */
interface FormRequest {
  readonly audit: AuditTrail;
  /** Aborts when the deadline passes. */
  readonly signal: AbortSignal;
}

/** The confirmation that is sealed in this browser's cookie, if policy still allows it. */
export async function openConfirmation(
  context: SignInContext,
  { id, cookieHeader }: { readonly id: string; readonly cookieHeader: string },
  audit: AuditTrail,
): Promise<Result<Confirmation, Failure>> {
  const cookie = isTransactionId(id) ? readCookie(cookieHeader, "confirm", id) : undefined;
  if (cookie === undefined) return refuseSignIn("confirmation_missing");
  const unsealed = await (await context.signIn.sealedState()).confirmations.unseal(cookie);
  if (!unsealed.ok) {
    return fromStateFailure(unsealed.failure, { invalid: "confirmation_missing", expired: "confirmation_expired" });
  }
  const pending = unsealed.value;
  recordConfirmation(context, pending, audit);
  const registration = registrationOfTarget(context, pending.target);
  if (!registration.ok) return registration;
  return pending.kind === "grant" ? toGrantConfirmation(context, pending) : toCodeConfirmation(context, pending);
}

/** The form of the page. Its token proves that the form comes from the page that this browser was shown. */
export async function confirmGrant(
  context: SignInContext,
  confirmation: Confirmation,
  form: ConfirmationForm,
  { audit, signal }: FormRequest,
): Promise<Result<Confirmed, Failure>> {
  if (!sameText(form.formToken, confirmation.pending.formToken)) return refuseSignIn("form_forged");
  if (!form.allowed) return deny(context, confirmation.pending, audit);
  if (confirmation.kind === "code") {
    const { returnTo } = confirmation.pending;
    const code = await sealCode(context, confirmation.pending, "confirmed");
    return code.ok ? succeed({ kind: "return", returnTo, code: code.value }) : code;
  }
  return approveGrant(context, confirmation, { audit, signal });
}

// ---------------------------------------------------------------------------------------------------------------

function recordConfirmation({ policy }: SignInContext, pending: PendingConfirmation, audit: AuditTrail): void {
  const subject = pending.kind === "grant" ? { subjectObjectId: pending.user.objectId } : {};
  audit.add({ correlationId: pending.correlationId, ...targetFacts(policy, pending.target), ...subject });
}

function toGrantConfirmation(context: SignInContext, pending: PendingGrant): Result<Confirmation, Failure> {
  const decision = decideSignIn(context.policy, toSignInInput(pending.target));
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const { entry, grantMaxDays, also } = decision.value;
  const apis: ShownApi[] = [];
  for (const allowance of [decision.value, ...also]) {
    const given = pending.apis.find(({ api }) => api === allowance.api.name)?.scopes ?? [];
    const released = release(allowance, given, entry);
    if (!released.ok) return released;
    apis.push({ api: allowance.api, scopes: released.value, ...shownRequests(context, entry, allowance.api) });
  }
  return succeed({
    kind: "grant",
    pending,
    entitlement: decision.value,
    ...describeApplication(context, pending),
    apis,
    mayIncludeMore: false,
    untilSeconds: grantEnd(pending.createdAtSeconds, grantMaxDays),
  });
}

function shownRequests({ policy }: SignInContext, entry: string, { name }: Api): Pick<ShownApi, "requests"> {
  const rule = policy.callers.find((caller) => caller.name === entry);
  return rule?.release === "none" ? { requests: rulesFor(rule, name) } : {};
}

function toCodeConfirmation(context: SignInContext, pending: PendingCode): Result<Confirmation, Failure> {
  const { target, returnTo, createdAtSeconds } = pending;
  const evaluated = evaluateCode(context.policy, target, returnTo);
  if (!evaluated.ok) return evaluated;
  const { acceptSurplus, grantMaxDays, also } = evaluated.value;
  return succeed({
    kind: "code",
    pending,
    ...describeApplication(context, pending),
    // Entra returns every consented scope. Policy releases only those in its list.
    apis: [evaluated.value, ...also].map(({ api, releasable }) => ({
      api,
      scopes: releasable.filter((scope) => scope !== ".default"),
    })),
    mayIncludeMore: acceptSurplus,
    // The grant is issued when the code is redeemed.
    untilSeconds: target.offlineAccess
      ? grantEnd(createdAtSeconds + CONFIRMATION_SECONDS + CODE_SECONDS, grantMaxDays)
      : undefined,
  });
}

function describeApplication({ policy }: SignInContext, { target }: PendingConfirmation) {
  const entry = policy.callers.find(({ name }) => name === target.entry);
  return { application: entry?.displayName ?? target.entry, purpose: entry?.purpose };
}

/**
 * Denying ends the handle of the link. On a page that renews a grant it changes nothing, unless the same page had allowed
 * it before. In both cases it cancels an approval that is still being processed.
 */
async function deny(
  context: SignInContext,
  pending: PendingConfirmation,
  audit: AuditTrail,
): Promise<Result<never, Failure>> {
  if (pending.kind === "grant") {
    const { target, user, id: confirmation } = pending;
    const handle = new SecretValue(pending.handle);
    const { clientId } = target;
    const declined = await context.grants.decline({ clientId, user, handle, confirmation, audit });
    if (!declined.ok) return declined;
  }
  return refuseSignIn("declined");
}

/**
 * Makes the grant live, or returns the same grant again if the same form is repeated because its response was lost. A
 * repetition needs what the first form needed: this browser's sealed cookie, the form token, and this service's page as
 * the sender. It is possible for the ten minutes of the cookie. A grant that was ended in the meantime stays ended.
 */
async function approveGrant(
  context: SignInContext,
  { pending, entitlement }: GrantConfirmation,
  { audit, signal }: FormRequest,
): Promise<Result<Confirmed, Failure>> {
  const allowed = await context.grants.allow({
    clientId: pending.target.clientId,
    registration: pending.target.registration,
    user: pending.user,
    entitlement,
    apis: pending.apis,
    refreshToken: new SecretValue(pending.refreshToken),
    handle: new SecretValue(pending.handle),
    heals: pending.heals,
    confirmation: pending.id,
    allowedAtSeconds: pending.createdAtSeconds,
    signal,
    audit,
  });
  return allowed.ok ? succeed({ kind: "allowed", grant: allowed.value }) : allowed;
}
