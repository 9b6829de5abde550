/**
 * The confirmation page and its answer. Consent phishing is the threat: a link may come from anybody in the policy, so
 * the person sees who will act in their name, as whom, with what and for how long, and says yes to exactly that. Only
 * then is a grant made. Policy is asked once more, because the page may have waited.
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import type { PendingGrant } from "../authorize/boxes.ts";
import { isTransactionId, readCookie } from "../authorize/cookies.ts";
import { sameText } from "../authorize/pkce.ts";
import type { Failure } from "../failure.ts";
import type { KeptGrant } from "../keep-grant.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { fail, type Result, succeed } from "../result.ts";
import { SecretValue } from "../secret-value.ts";
import { toSignInInput } from "./begin-sign-in.ts";
import { boxFailure, refuseSignIn, type SignInRooms } from "./sign-in-rooms.ts";

/** What waits for a yes. */
export interface Confirmation {
  readonly pending: PendingGrant;
  readonly entitlement: Entitlement;
  /** The application's name in the policy. */
  readonly application: string;
  /** When the grant will end, seconds since 1970. */
  readonly untilSeconds: number;
}

export interface ConfirmationForm {
  readonly id: string;
  readonly formToken: string;
  readonly allowed: boolean;
}

type Note = (facts: Partial<AuditFacts>) => void;

const DAY_SECONDS = 24 * 3600;

/** What this browser may confirm: it has the cookie, and policy still allows it. */
export async function openConfirmation(
  rooms: SignInRooms,
  { id, cookieHeader }: { readonly id: string; readonly cookieHeader: string },
  note: Note,
): Promise<Result<Confirmation, Failure>> {
  const cookie = isTransactionId(id) ? readCookie(cookieHeader, "confirm", id) : undefined;
  if (cookie === undefined) {
    return refuseSignIn("confirmation_missing");
  }
  const opened = await (await rooms.signIn.boxes()).pendingGrants.open(cookie);
  if (!opened.ok) {
    return boxFailure(opened.failure, { broken: "confirmation_missing", expired: "confirmation_expired" });
  }
  const pending = opened.value;
  const { target, user, correlationId, createdAtSeconds } = pending;
  note({
    flow: "authorization-code",
    correlationId,
    policyEntry: target.entry,
    callerClientId: target.clientId,
    api: target.api,
    scopesAsked: target.scopes,
    subjectObjectId: user.objectId,
  });
  const decision = decideSignIn(rooms.policy, toSignInInput(target));
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  const entry = rooms.policy.callers.find(({ name }) => name === target.entry);
  return succeed({
    pending,
    entitlement: decision.value,
    application: entry?.displayName ?? target.entry,
    untilSeconds: createdAtSeconds + decision.value.grantMaxDays * DAY_SECONDS,
  });
}

/** The answer of the page. The token in the form shows that it is the page that was shown to this browser. */
export async function confirmGrant(
  rooms: SignInRooms,
  { pending, entitlement }: Confirmation,
  form: ConfirmationForm,
  note: Note,
): Promise<Result<KeptGrant, Failure>> {
  if (!sameText(form.formToken, pending.formToken)) {
    return refuseSignIn("form_forged");
  }
  if (!form.allowed) {
    return refuseSignIn("declined");
  }
  return rooms.grants.keepConfirmed({
    clientId: pending.target.clientId,
    user: pending.user,
    entitlement,
    refreshToken: new SecretValue(pending.refreshToken),
    handle: new SecretValue(pending.handle),
    createdAtSeconds: pending.createdAtSeconds,
    note,
  });
}
