/**
 * The browser comes back from Entra (`GET /oauth2/callback`), to one of two ends:
 *
 *   an application asked   → our own code goes to its redirect URI, and so does Entra's refusal; when the permission is
 *                            to be kept (offline_access), a page asks first
 *   a person makes a grant → Entra's code is redeemed, and a page asks before anything is kept
 *
 * Nothing is sent anywhere before the answer is known to belong to a sign-in that this very browser began.
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import type { Transaction } from "../authorize/boxes.ts";
import { clearCookies, isTransactionId, readCookie } from "../authorize/cookies.ts";
import { sameText } from "../authorize/pkce.ts";
import type { Cookie } from "../cookie.ts";
import type { Failure } from "../failure.ts";
import type { Result } from "../result.ts";
import { succeed } from "../result.ts";
import type { ReturnAddress } from "../return-address.ts";
import { holdCode, holdForConfirmation } from "./hold-for-confirmation.ts";
import { sealCode } from "./seal-code.ts";
import { boxFailure, refuseSignIn, type SignInRooms } from "./sign-in-rooms.ts";
import { bareScopesOf, targetFacts } from "./target.ts";

/** Entra's answer as the browser brought it. */
export interface EntraAnswer {
  readonly cookieHeader: string;
  readonly state: string;
  readonly outcome:
    | { readonly kind: "code"; readonly code: string }
    /** Already read into our words: see `entra/read-sign-in-error.ts`. */
    | { readonly kind: "error"; readonly failure: (scopes: readonly string[]) => Failure };
}

/** How a sign-in ended. Whatever it was, its transaction is over and its cookie goes. */
export interface SignInEnd {
  /** The one that the sign-in began with, so that everything about it is found under one name. */
  readonly correlationId: string;
  readonly cookies: readonly Cookie[];
  readonly next:
    | { readonly kind: "return"; readonly returnTo: ReturnAddress; readonly code: string }
    | { readonly kind: "return_error"; readonly returnTo: ReturnAddress; readonly failure: Failure }
    | { readonly kind: "confirm"; readonly id: string }
    | { readonly kind: "page"; readonly failure: Failure };
}

type Note = (facts: Partial<AuditFacts>) => void;

export async function finishSignIn(
  rooms: SignInRooms,
  answer: EntraAnswer,
  note: Note,
): Promise<Result<SignInEnd, Failure>> {
  const transaction = await openTransaction(rooms, answer);
  if (!transaction.ok) {
    return transaction;
  }
  const { id, target, correlationId, purpose } = transaction.value;
  note({ correlationId, ...targetFacts(target) });
  const cleared = clearCookies(answer.cookieHeader, "signin", id);
  const end =
    purpose.kind === "code"
      ? await returnToClient(rooms, { transaction: transaction.value, returnTo: purpose.returnTo, answer })
      : await askPerson(rooms, { transaction: transaction.value, expectedUser: purpose.expectedUser, answer, note });
  return succeed({ correlationId, next: end.next, cookies: [...cleared, ...end.cookies] });
}

/** `state` names the cookie, and the cookie holds the same state: the answer is this browser's. */
async function openTransaction(
  rooms: SignInRooms,
  { state, cookieHeader }: EntraAnswer,
): Promise<Result<Transaction, Failure>> {
  const [id = ""] = state.split(".", 1);
  if (!isTransactionId(id)) {
    return refuseSignIn("answer_invalid");
  }
  const cookie = readCookie(cookieHeader, "signin", id);
  if (cookie === undefined) {
    return refuseSignIn("transaction_missing");
  }
  const opened = await (await rooms.signIn.boxes()).transactions.open(cookie);
  if (!opened.ok) {
    return boxFailure(opened.failure, { broken: "transaction_missing", expired: "transaction_expired" });
  }
  return sameText(opened.value.state, state) ? opened : refuseSignIn("state_mismatch");
}

interface Returning {
  readonly transaction: Transaction;
  readonly returnTo: ReturnAddress;
  readonly answer: EntraAnswer;
}

async function returnToClient(
  rooms: SignInRooms,
  { transaction, returnTo, answer }: Returning,
): Promise<Omit<SignInEnd, "correlationId">> {
  const { id, target, verifier, nonce } = transaction;
  const { outcome, cookieHeader } = answer;
  const refuse = (failure: Failure) => ({ cookies: [], next: { kind: "return_error", returnTo, failure } }) as const;
  if (outcome.kind === "error") {
    return refuse(outcome.failure(bareScopesOf(target)));
  }
  // Entra's consent is to this service's registration, for whichever application uses it: ours is asked for this one.
  if (target.offlineAccess) {
    const held = await holdCode(rooms, { transaction, returnTo, code: outcome.code, cookieHeader });
    return held.ok ? { cookies: held.value, next: { kind: "confirm", id } } : refuse(held.failure);
  }
  const code = await sealCode(rooms, { target, returnTo, entraCode: outcome.code, verifier, nonce });
  return code.ok ? { cookies: [], next: { kind: "return", returnTo, code: code.value } } : refuse(code.failure);
}

interface Asking {
  readonly transaction: Transaction;
  readonly expectedUser: string | undefined;
  readonly answer: EntraAnswer;
  readonly note: Note;
}

async function askPerson(rooms: SignInRooms, asking: Asking): Promise<Omit<SignInEnd, "correlationId">> {
  const { transaction, expectedUser, note } = asking;
  const { outcome, cookieHeader } = asking.answer;
  if (outcome.kind === "error") {
    return { cookies: [], next: { kind: "page", failure: outcome.failure(bareScopesOf(transaction.target)) } };
  }
  const held = await holdForConfirmation(rooms, {
    transaction,
    expectedUser,
    code: outcome.code,
    cookieHeader,
    note,
  });
  return held.ok
    ? { cookies: held.value, next: { kind: "confirm", id: transaction.id } }
    : { cookies: [], next: { kind: "page", failure: held.failure } };
}
