/**
 * The sign-in before `/me`: only who the person is. It has its own cookie and its own sealed state, so it can lead to no
 * grant, and a sign-in for a grant can lead to no session.
 *
 *   GET /me without a session → Entra (openid, profile) → GET /oauth2/callback → session → /me
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import { SESSION_SECONDS, SIGN_IN_SECONDS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type { SignedInToken } from "../entra/entra-token.ts";
import {
  clearCookies,
  cookiesFor,
  evictOldest,
  isTransactionId,
  newTransactionId,
  readCookie,
} from "../sealed-state/cookies.ts";
import { challengeOf, newSecret, sameText } from "../sealed-state/pkce.ts";
import type { Session, Visit } from "../sealed-state/sealed-state.ts";
import type { BrowserRequest, SignInRedirect } from "../sign-in/begin-sign-in.ts";
import type { EntraAnswer } from "../sign-in/finish-sign-in.ts";
import { fromStateFailure, refuseSignIn } from "../sign-in/sign-in-context.ts";
import type { MyAccessContext } from "./my-access-context.ts";

const SCOPES = ["openid", "profile"] as const;

/** The redirect to Entra. The person chooses the account deliberately, also where only one is signed in. */
export async function beginVisit(
  { registrations, signIn, nowSeconds }: MyAccessContext,
  { cookieHeader, correlationId }: BrowserRequest,
): Promise<Result<SignInRedirect, Failure>> {
  const id = newTransactionId(nowSeconds());
  const visit: Visit = {
    id,
    state: `${id}.${newSecret()}`,
    nonce: newSecret(),
    verifier: newSecret(),
    correlationId,
    registration: registrations.default.clientId,
  };
  const url = await (await registrations.default.entra()).signInUrl({
    scopes: SCOPES,
    state: visit.state,
    nonce: visit.nonce,
    codeChallenge: challengeOf(visit.verifier),
    correlationId,
    prompt: "select_account",
    loginHint: undefined,
    domainHint: undefined,
    claims: undefined,
    cae: false,
    identityOnly: true,
  });
  if (!url.ok) return url;
  const sealed = await (await signIn.sealedState()).visits.seal(visit);
  if (!sealed.ok) return fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
  const cookies = cookiesFor("visit", id, { sealed: sealed.value, maxAgeSeconds: SIGN_IN_SECONDS });
  return cookies === undefined
    ? refuseSignIn("too_large")
    : succeed({ location: url.value, cookies: [...evictOldest(cookieHeader, "visit"), ...cookies] });
}

/** Whether Entra's answer belongs to a sign-in for `/me` that this browser began. */
export function isOfVisit({ state, cookieHeader }: Pick<EntraAnswer, "state" | "cookieHeader">): boolean {
  const id = idOf(state);
  return isTransactionId(id) && readCookie(cookieHeader, "visit", id) !== undefined;
}

/** How the sign-in ended. In every case it is over, and its cookie is deleted. */
export interface VisitEnd {
  readonly correlationId: string;
  readonly cookies: readonly Cookie[];
  /** Undefined: the browser has a session. */
  readonly failure: Failure | undefined;
}

export async function finishVisit(
  context: MyAccessContext,
  answer: EntraAnswer,
  audit: AuditTrail,
): Promise<Result<VisitEnd, Failure>> {
  const visit = await openVisit(context, answer);
  if (!visit.ok) return visit;
  const { id, correlationId } = visit.value;
  audit.add({ correlationId });
  const cleared = clearCookies(answer.cookieHeader, "visit", id);
  const session = await startSession(context, visit.value, { answer, audit });
  return succeed(
    session.ok
      ? { correlationId, cookies: [...cleared, ...session.value], failure: undefined }
      : { correlationId, cookies: cleared, failure: session.failure },
  );
}

// ---------------------------------------------------------------------------------------------------------------

function idOf(state: string): string {
  return state.split(".", 1)[0] ?? "";
}

async function openVisit(
  { signIn }: MyAccessContext,
  { state, cookieHeader }: EntraAnswer,
): Promise<Result<Visit, Failure>> {
  const cookie = readCookie(cookieHeader, "visit", idOf(state)) ?? "";
  const unsealed = await (await signIn.sealedState()).visits.unseal(cookie);
  if (!unsealed.ok) {
    return fromStateFailure(unsealed.failure, { invalid: "transaction_missing", expired: "transaction_expired" });
  }
  return sameText(unsealed.value.state, state) ? unsealed : refuseSignIn("state_mismatch");
}

/** A new session with a new id, so that nothing that was in the browser before the sign-in becomes one. */
async function startSession(
  context: MyAccessContext,
  visit: Visit,
  { answer, audit }: { readonly answer: EntraAnswer; readonly audit: AuditTrail },
): Promise<Result<readonly Cookie[], Failure>> {
  if (answer.outcome.kind === "error") return fail(answer.outcome.failure(SCOPES));
  const token = await redeem(context, visit, answer.outcome.code);
  if (!token.ok) return token;
  const user = checkUser(context, token.value);
  if (!user.ok) return user;
  audit.add({ subjectObjectId: user.value.objectId });
  const { name, username } = token.value.person;
  const id = newTransactionId(context.nowSeconds());
  const session: Session = {
    id,
    user: user.value,
    person: { name, username },
    registration: visit.registration,
    formToken: newSecret(),
  };
  const sealed = await (await context.signIn.sealedState()).sessions.seal(session);
  if (!sealed.ok) return fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
  const cookies = cookiesFor("me", id, { sealed: sealed.value, maxAgeSeconds: SESSION_SECONDS });
  return cookies === undefined
    ? refuseSignIn("too_large")
    : succeed([...evictOldest(answer.cookieHeader, "me"), ...cookies]);
}

/** Entra also returns a token for Graph, which is dropped: only the ID token counts. */
async function redeem(
  { registrations, trace }: MyAccessContext,
  { verifier, nonce, correlationId, registration }: Visit,
  code: string,
): Promise<Result<SignedInToken, Failure>> {
  const found = registrations.find(registration);
  if (found === undefined) return refuseSignIn("registration_changed");
  return (await found.entra()).redeemCode({
    code: new SecretValue(code),
    codeVerifier: new SecretValue(verifier),
    nonce,
    scopes: SCOPES,
    claims: undefined,
    correlationId,
    trace,
    cae: false,
    identityOnly: true,
  });
}

/** Of this tenant, and a guest only if guests are allowed. */
function checkUser(
  { tenantId, allowGuests }: MyAccessContext,
  { user, person }: SignedInToken,
): Result<Session["user"], Failure> {
  if (user === undefined) return fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" });
  if (user.tenantId !== tenantId) return refuseSignIn("guest");
  if (person.guest && !allowGuests) return refuseSignIn("guest");
  return succeed({ tenantId: user.tenantId, objectId: user.objectId });
}
