/**
 * The browser arrives: with a pushed request (`GET /oauth2/authorize`) or with a link (`GET /signin/{link}`). Both lead
 * to the same place: a transaction of this browser, sealed in a cookie, and Entra's sign-in page.
 *
 *   open the reference or link → transaction (state, nonce, verifier) → cookie → Entra's URL
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import type { SignInHints, Target, Transaction } from "../authorize/boxes.ts";
import { cookiesFor, makeRoom, newTransactionId } from "../authorize/cookies.ts";
import { challengeOf, newSecret, sameText } from "../authorize/pkce.ts";
import type { Cookie } from "../cookie.ts";
import type { Failure } from "../failure.ts";
import { SIGN_IN_SECONDS } from "../limits.ts";
import { decideSignIn } from "../policy/decide.ts";
import { fail, type Result, succeed } from "../result.ts";
import { REQUEST_URI_PREFIX } from "./push-request.ts";
import { boxFailure, refuseSignIn, type SignInRooms } from "./sign-in-rooms.ts";
import { scopesForEntra, targetFacts, toSignInInput } from "./target.ts";

/** What the browser brings. */
export interface Arrival {
  readonly cookieHeader: string;
  readonly correlationId: string;
}

export interface AuthorizeArrival extends Arrival {
  readonly clientId: string;
  readonly requestUri: string;
}

export interface LinkArrival extends Arrival {
  readonly link: string;
}

/** Where the browser goes, and what it keeps meanwhile. */
export interface Departure {
  readonly location: string;
  readonly cookies: readonly Cookie[];
}

type Note = (facts: Partial<AuditFacts>) => void;

/** A pushed request of this client (RFC 9126 section 4). */
export async function beginAuthorize(
  rooms: SignInRooms,
  arrival: AuthorizeArrival,
  note: Note,
): Promise<Result<Departure, Failure>> {
  const { clientId, requestUri } = arrival;
  if (!requestUri.startsWith(REQUEST_URI_PREFIX)) {
    return refuseSignIn("request_invalid");
  }
  const { pushedRequests } = await rooms.signIn.boxes();
  const opened = await pushedRequests.open(requestUri.slice(REQUEST_URI_PREFIX.length));
  if (!opened.ok) {
    return boxFailure(opened.failure, { broken: "request_invalid", expired: "request_expired" });
  }
  const { target, returnTo, hints } = opened.value;
  if (!sameText(target.clientId, clientId.toLowerCase())) {
    return refuseSignIn("request_invalid");
  }
  return depart(rooms, { target, purpose: { kind: "code", returnTo }, hints, arrival, note });
}

/** A link. Policy may have changed since it was made, so it is asked again before anybody signs in. */
export async function beginLink(
  rooms: SignInRooms,
  arrival: LinkArrival,
  note: Note,
): Promise<Result<Departure, Failure>> {
  const opened = await (await rooms.signIn.boxes()).links.open(arrival.link);
  if (!opened.ok) {
    return boxFailure(opened.failure, { broken: "link_invalid", expired: "link_expired" });
  }
  const { target, expectedUser, claims } = opened.value;
  const decision = decideSignIn(rooms.policy, toSignInInput(target));
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  // No login hint: whoever opens the link chooses the account with open eyes.
  const hints = { prompt: "select_account", loginHint: undefined, domainHint: undefined, claims };
  return depart(rooms, { target, purpose: { kind: "grant", expectedUser }, hints, arrival, note });
}

interface Departing {
  readonly target: Target;
  readonly purpose: Transaction["purpose"];
  readonly hints: SignInHints;
  readonly arrival: Arrival;
  readonly note: Note;
}

async function depart(rooms: SignInRooms, departing: Departing): Promise<Result<Departure, Failure>> {
  const { target, purpose, hints, arrival, note } = departing;
  note(targetFacts(target));
  const id = newTransactionId(rooms.nowSeconds());
  const transaction: Transaction = {
    id,
    state: `${id}.${newSecret()}`,
    nonce: newSecret(),
    verifier: newSecret(),
    correlationId: arrival.correlationId,
    target,
    purpose,
  };
  const url = await (await rooms.delegated.entra()).signInUrl({
    scopes: scopesForEntra(target),
    state: transaction.state,
    nonce: transaction.nonce,
    codeChallenge: challengeOf(transaction.verifier),
    correlationId: arrival.correlationId,
    cae: false,
    ...hints,
  });
  if (!url.ok) {
    return url;
  }
  const sealed = await (await rooms.signIn.boxes()).transactions.seal(transaction);
  if (!sealed.ok) {
    return boxFailure(sealed.failure, { broken: "too_large", expired: "too_large" });
  }
  const cookies = cookiesFor("signin", id, { sealed: sealed.value, maxAgeSeconds: SIGN_IN_SECONDS });
  return cookies === undefined
    ? refuseSignIn("too_large")
    : succeed({ location: url.value, cookies: [...makeRoom(arrival.cookieHeader, "signin"), ...cookies] });
}
