/**
 * The confirmation page and its answer. Consent phishing is the threat: a link or a sign-in may come from anybody in the
 * policy, and Entra's own consent is to this service, not to whoever uses it. So the person sees who will act in their
 * name, with what and for how long, and says yes to exactly that. Only then is a grant made, or is the code given that
 * makes one. Policy is asked once more, because the page may have waited.
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import type { PendingCode, PendingConfirmation, PendingGrant } from "../authorize/boxes.ts";
import { isTransactionId, readCookie } from "../authorize/cookies.ts";
import { sameText } from "../authorize/pkce.ts";
import type { Failure } from "../failure.ts";
import type { KeptGrant } from "../keep-grant.ts";
import { CODE_SECONDS, CONFIRMATION_SECONDS } from "../limits.ts";
import { checkReleasedScopes } from "../policy/check-released-scopes.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { Api, Entitlement } from "../policy/entitlement.ts";
import { weigh } from "../policy/weigh.ts";
import { fail, type Result, succeed } from "../result.ts";
import type { ReturnAddress } from "../return-address.ts";
import { SecretValue } from "../secret-value.ts";
import { sealCode } from "./seal-code.ts";
import { boxFailure, refuseSignIn, type SignInRooms } from "./sign-in-rooms.ts";
import { targetFacts, toBound, toSignInInput } from "./target.ts";

interface AskedOf {
  readonly api: Api;
  readonly scopes: readonly string[];
}

/** What the page tells. */
interface Question {
  /** The application's name in the policy. */
  readonly application: string;
  /** What the grant can cover at most. */
  readonly apis: readonly AskedOf[];
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
  | { readonly kind: "made"; readonly grant: KeptGrant }
  | { readonly kind: "return"; readonly returnTo: ReturnAddress; readonly code: string };

type Note = (facts: Partial<AuditFacts>) => void;

/** The request that brought the answer. */
interface Answering {
  readonly note: Note;
  /** True once the person has been told that it took too long. */
  readonly isOver: () => boolean;
}

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
  const opened = await (await rooms.signIn.boxes()).confirmations.open(cookie);
  if (!opened.ok) {
    return boxFailure(opened.failure, { broken: "confirmation_missing", expired: "confirmation_expired" });
  }
  const pending = opened.value;
  noteConfirmation(pending, note);
  return pending.kind === "grant" ? grantQuestion(rooms, pending) : codeQuestion(rooms, pending);
}

function noteConfirmation(pending: PendingConfirmation, note: Note): void {
  const subject = pending.kind === "grant" ? { subjectObjectId: pending.user.objectId } : {};
  note({ correlationId: pending.correlationId, ...targetFacts(pending.target), ...subject });
}

function grantQuestion(rooms: SignInRooms, pending: PendingGrant): Result<Confirmation, Failure> {
  const decision = decideSignIn(rooms.policy, toSignInInput(pending.target));
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  const { entry, grantMaxDays, also } = decision.value;
  const apis: AskedOf[] = [];
  for (const allowance of [decision.value, ...also]) {
    const given = pending.apis.find(({ api }) => api === allowance.api.name)?.scopes ?? [];
    const released = checkReleasedScopes(allowance, given);
    if (!released.ok) {
      return fail({ kind: "scope_surplus", entry, surplus: released.failure.surplus });
    }
    apis.push({ api: allowance.api, scopes: released.value });
  }
  return succeed({
    kind: "grant",
    pending,
    entitlement: decision.value,
    application: nameOf(rooms, pending),
    apis,
    more: false,
    untilSeconds: pending.createdAtSeconds + grantMaxDays * DAY_SECONDS,
  });
}

/** Nobody is authenticated here, so this is no entitlement; policy decides for the caller when it redeems the code. */
function codeQuestion(rooms: SignInRooms, pending: PendingCode): Result<Confirmation, Failure> {
  const { target, returnTo, createdAtSeconds } = pending;
  const entry = rooms.policy.callers.find(({ name }) => name === target.entry);
  if (entry === undefined) {
    return fail({ kind: "policy_refused", reason: "caller_not_listed" });
  }
  const weighed = weigh(rooms.policy, {
    caller: {
      kind: entry.kind,
      clientId: target.clientId,
      roles: entry.role === undefined ? [] : [entry.role],
      confidential: true,
      understandsClaimsChallenge: false,
    },
    flow: "authorization-code",
    wish: { ...PLAIN_WISH, offlineAccess: target.offlineAccess },
    given: target.apis,
    bound: toBound(target),
    redirectUri: returnTo.redirectUri,
  });
  if (!weighed.ok) {
    return fail({ kind: "policy_refused", ...weighed.failure });
  }
  const { acceptSurplus, grantMaxDays, also } = weighed.value;
  return succeed({
    kind: "code",
    pending,
    application: nameOf(rooms, pending),
    // Entra gives what was consented, whatever was asked; policy lets out no more than its list.
    apis: [weighed.value, ...also].map(({ api, releasable }) => ({
      api,
      scopes: releasable.filter((scope) => scope !== ".default"),
    })),
    more: acceptSurplus,
    // The grant is made when the code is redeemed.
    untilSeconds: createdAtSeconds + CONFIRMATION_SECONDS + CODE_SECONDS + grantMaxDays * DAY_SECONDS,
  });
}

const PLAIN_WISH = {
  audiences: [],
  resources: [],
  scopes: undefined,
  claims: undefined,
  forceRefresh: false,
  minimumSeconds: 0,
};

function nameOf({ policy }: SignInRooms, { target }: PendingConfirmation): string {
  return policy.callers.find(({ name }) => name === target.entry)?.displayName ?? target.entry;
}

/** The answer of the page. The token in the form shows that it is the page that was shown to this browser. */
export async function confirmGrant(
  rooms: SignInRooms,
  confirmation: Confirmation,
  form: ConfirmationForm,
  { note, isOver }: Answering,
): Promise<Result<Confirmed, Failure>> {
  if (!sameText(form.formToken, confirmation.pending.formToken)) {
    return refuseSignIn("form_forged");
  }
  if (!form.allowed) {
    return decline(rooms, confirmation.pending, note);
  }
  if (confirmation.kind === "code") {
    const { returnTo } = confirmation.pending;
    const code = await sealCode(rooms, confirmation.pending);
    return code.ok ? succeed({ kind: "return", returnTo, code: code.value }) : code;
  }
  return allowGrant(rooms, confirmation, { note, isOver });
}

/** No means no, whatever becomes of a yes that was sent before: what it has made ends here, and what it has not it never will. */
async function decline(rooms: SignInRooms, pending: PendingConfirmation, note: Note): Promise<Result<never, Failure>> {
  if (pending.kind === "grant") {
    const { target, user } = pending;
    const handle = new SecretValue(pending.handle);
    const { createdAtSeconds } = pending;
    const forbidden = await rooms.grants.forbidConfirmed({
      clientId: target.clientId,
      user,
      handle,
      createdAtSeconds,
      note,
    });
    if (!forbidden.ok) {
      return forbidden;
    }
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
  rooms: SignInRooms,
  { pending, entitlement }: GrantConfirmation,
  { note, isOver }: Answering,
): Promise<Result<Confirmed, Failure>> {
  const made = await rooms.grants.keepConfirmed({
    clientId: pending.target.clientId,
    user: pending.user,
    entitlement,
    apis: pending.apis,
    refreshToken: new SecretValue(pending.refreshToken),
    handle: new SecretValue(pending.handle),
    createdAtSeconds: pending.createdAtSeconds,
    isOver,
    note,
  });
  return made.ok ? succeed({ kind: "made", grant: made.value }) : made;
}
