/**
 * The confirmation page and its answer. Consent phishing is the threat: a link or a sign-in may come from anybody in the
 * policy, and Entra's own consent is to this service, not to whoever uses it. So the person sees who will act in their
 * name, with what and for how long, and says yes to exactly that. Only then is a grant made, or is the code given that
 * makes one. Policy is asked once more, because the page may have waited.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Failure } from "../core/failure.ts";
import { CODE_SECONDS, CONFIRMATION_SECONDS } from "../core/limits.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { IssuedGrant } from "../offline-access/offline-access.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { Api, Entitlement } from "../policy/entitlement.ts";
import { evaluate } from "../policy/evaluate.ts";
import { release } from "../policy/release.ts";
import { isTransactionId, readCookie } from "../sealed-state/cookies.ts";
import { sameText } from "../sealed-state/pkce.ts";
import type { PendingCode, PendingConfirmation, PendingGrant } from "../sealed-state/sealed-state.ts";
import { sealCode } from "./seal-code.ts";
import { fromStateFailure, refuseSignIn, type SignInContext } from "./sign-in-context.ts";
import { targetFacts, toBound, toSignInInput } from "./target.ts";

interface ShownApi {
  readonly api: Api;
  readonly scopes: readonly string[];
}

/** What the page tells. */
interface Question {
  /** The application's name in the policy. */
  readonly application: string;
  /** What the grant can cover at most. */
  readonly apis: readonly ShownApi[];
  /** The entry accepts surplus, and what Entra will give is not known yet. */
  readonly more: boolean;
  /** When the grant will end at the latest, seconds since 1970. */
  readonly untilSeconds: number;
}

interface GrantConfirmation extends Question {
  readonly kind: "grant";
  readonly pending: PendingGrant;
  readonly entitlement: Entitlement;
}

export interface CodeConfirmation extends Question {
  readonly kind: "code";
  readonly pending: PendingCode;
}

/** What waits for a yes. */
export type Confirmation = GrantConfirmation | CodeConfirmation;

export interface ConfirmationForm {
  readonly id: string;
  readonly formToken: string;
  readonly allowed: boolean;
}

/** What a yes gave: a grant to show, or a code for the application. */
export type Confirmed =
  | { readonly kind: "made"; readonly grant: IssuedGrant }
  | { readonly kind: "return"; readonly returnTo: RedirectTarget; readonly code: string };

/** The request that brought the answer. */
interface Answering {
  readonly audit: AuditTrail;
  /** True once the person has been told that it took too long. */
  readonly signal: AbortSignal;
}

const DAY_SECONDS = 24 * 3600;

/** What this browser may confirm: it has the cookie, and policy still allows it. */
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
  recordConfirmation(pending, audit);
  return pending.kind === "grant" ? grantQuestion(context, pending) : codeQuestion(context, pending);
}

function recordConfirmation(pending: PendingConfirmation, audit: AuditTrail): void {
  const subject = pending.kind === "grant" ? { subjectObjectId: pending.user.objectId } : {};
  audit.add({ correlationId: pending.correlationId, ...targetFacts(pending.target), ...subject });
}

function grantQuestion(context: SignInContext, pending: PendingGrant): Result<Confirmation, Failure> {
  const decision = decideSignIn(context.policy, toSignInInput(pending.target));
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  const { entry, grantMaxDays, also } = decision.value;
  const apis: ShownApi[] = [];
  for (const allowance of [decision.value, ...also]) {
    const given = pending.apis.find(({ api }) => api === allowance.api.name)?.scopes ?? [];
    const released = release(allowance, given, entry);
    if (!released.ok) return released;
    apis.push({ api: allowance.api, scopes: released.value });
  }
  return succeed({
    kind: "grant",
    pending,
    entitlement: decision.value,
    application: nameOf(context, pending),
    apis,
    more: false,
    untilSeconds: pending.createdAtSeconds + grantMaxDays * DAY_SECONDS,
  });
}

/** Nobody is authenticated here, so this is no entitlement; policy decides for the caller when it redeems the code. */
function codeQuestion(context: SignInContext, pending: PendingCode): Result<Confirmation, Failure> {
  const { target, returnTo, createdAtSeconds } = pending;
  const entry = context.policy.callers.find(({ name }) => name === target.entry);
  if (entry === undefined) return fail({ kind: "policy_refused", reason: "caller_not_listed" });
  const evaluated = evaluate(context.policy, {
    caller: {
      kind: entry.kind,
      clientId: target.clientId,
      roles: entry.role === undefined ? [] : [entry.role],
      confidential: true,
      understandsClaimsChallenge: false,
    },
    flow: "authorization-code",
    tokenParameters: { ...PLAIN_PARAMETERS, offlineAccess: target.offlineAccess },
    given: target.apis,
    bound: toBound(target),
    redirectUri: returnTo.redirectUri,
  });
  if (!evaluated.ok) return fail({ kind: "policy_refused", ...evaluated.failure });
  const { acceptSurplus, grantMaxDays, also } = evaluated.value;
  return succeed({
    kind: "code",
    pending,
    application: nameOf(context, pending),
    // Entra gives what was consented, whatever was asked; policy lets out no more than its list.
    apis: [evaluated.value, ...also].map(({ api, releasable }) => ({
      api,
      scopes: releasable.filter((scope) => scope !== ".default"),
    })),
    more: acceptSurplus,
    // The grant is made when the code is redeemed.
    untilSeconds: createdAtSeconds + CONFIRMATION_SECONDS + CODE_SECONDS + grantMaxDays * DAY_SECONDS,
  });
}

const PLAIN_PARAMETERS = {
  audiences: [],
  resources: [],
  scopes: undefined,
  claims: undefined,
  forceRefresh: false,
  minimumSeconds: 0,
};

function nameOf({ policy }: SignInContext, { target }: PendingConfirmation): string {
  return policy.callers.find(({ name }) => name === target.entry)?.displayName ?? target.entry;
}

/** The answer of the page. The token in the form shows that it is the page that was shown to this browser. */
export async function confirmGrant(
  context: SignInContext,
  confirmation: Confirmation,
  form: ConfirmationForm,
  { audit, signal }: Answering,
): Promise<Result<Confirmed, Failure>> {
  if (!sameText(form.formToken, confirmation.pending.formToken)) return refuseSignIn("form_forged");
  if (!form.allowed) return decline(context, confirmation.pending, audit);
  if (confirmation.kind === "code") {
    const { returnTo } = confirmation.pending;
    const code = await sealCode(context, confirmation.pending);
    return code.ok ? succeed({ kind: "return", returnTo, code: code.value }) : code;
  }
  return allowGrant(context, confirmation, { audit, signal });
}

/** No means no, whatever becomes of a yes that was sent before: what it has made ends here, and what it has not it never will. */
async function decline(
  context: SignInContext,
  pending: PendingConfirmation,
  audit: AuditTrail,
): Promise<Result<never, Failure>> {
  if (pending.kind === "grant") {
    const { target, user } = pending;
    const handle = new SecretValue(pending.handle);
    const { createdAtSeconds } = pending;
    const forbidden = await context.grants.denyConfirmed({
      clientId: target.clientId,
      user,
      handle,
      createdAtSeconds,
      audit,
    });
    if (!forbidden.ok) return forbidden;
  }
  return refuseSignIn("declined");
}

/**
 * Makes the grant; or, when the same form comes again because its answer was lost, shows the same one again. Whoever can
 * do that could have sent the form first: it takes this browser's sealed cookie (the handle is nowhere else), the form's
 * token and our own page as the sender, all checked above, and ends with the cookie's ten minutes. What was revoked
 * meanwhile does not come back, because a mark stands in its place for as long; and the first answer that arrives takes
 * the cookie away, so that nobody later at this browser, with the back button, gets to see it.
 */
async function allowGrant(
  context: SignInContext,
  { pending, entitlement }: GrantConfirmation,
  { audit, signal }: Answering,
): Promise<Result<Confirmed, Failure>> {
  const made = await context.grants.issueConfirmed({
    clientId: pending.target.clientId,
    user: pending.user,
    entitlement,
    apis: pending.apis,
    refreshToken: new SecretValue(pending.refreshToken),
    handle: new SecretValue(pending.handle),
    createdAtSeconds: pending.createdAtSeconds,
    signal,
    audit,
  });
  return made.ok ? succeed({ kind: "made", grant: made.value }) : made;
}
