/**
 * The browser comes back from Entra (`GET /oauth2/callback`), to one of two ends:
 *
 *   an application asked   → our own code goes to its redirect URI, and so does Entra's refusal; when the permission is
 *                            to be kept (offline_access), a page asks first
 *   a person makes a grant → Entra's code is redeemed, and a page asks before anything is kept
 *
 * Nothing is sent anywhere before the answer is known to belong to a sign-in that this very browser began.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import type { Result } from "../core/result.ts";
import { succeed } from "../core/result.ts";
import { clearCookies, isTransactionId, readCookie } from "../sealed-state/cookies.ts";
import { sameText } from "../sealed-state/pkce.ts";
import type { Transaction } from "../sealed-state/sealed-state.ts";
import { holdCode, holdForConfirmation } from "./hold-for-confirmation.ts";
import { sealCode } from "./seal-code.ts";
import { fromStateFailure, refuseSignIn, type SignInContext } from "./sign-in-context.ts";
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
    | { readonly kind: "return"; readonly returnTo: RedirectTarget; readonly code: string }
    | { readonly kind: "return_error"; readonly returnTo: RedirectTarget; readonly failure: Failure }
    | { readonly kind: "confirm"; readonly id: string }
    | { readonly kind: "page"; readonly failure: Failure };
}

export async function finishSignIn(
  context: SignInContext,
  answer: EntraAnswer,
  audit: AuditTrail,
): Promise<Result<SignInEnd, Failure>> {
  const transaction = await openTransaction(context, answer);
  if (!transaction.ok) return transaction;
  const { id, target, correlationId, purpose } = transaction.value;
  audit.add({ correlationId, ...targetFacts(target) });
  const cleared = clearCookies(answer.cookieHeader, "signin", id);
  const end =
    purpose.kind === "code"
      ? await returnToClient(context, { transaction: transaction.value, returnTo: purpose.returnTo, answer })
      : await askForConfirmation(context, {
          transaction: transaction.value,
          expectedUser: purpose.expectedUser,
          answer,
          audit,
        });
  return succeed({ correlationId, next: end.next, cookies: [...cleared, ...end.cookies] });
}

/** `state` names the cookie, and the cookie holds the same state: the answer is this browser's. */
async function openTransaction(
  context: SignInContext,
  { state, cookieHeader }: EntraAnswer,
): Promise<Result<Transaction, Failure>> {
  const [id = ""] = state.split(".", 1);
  if (!isTransactionId(id)) return refuseSignIn("answer_invalid");
  const cookie = readCookie(cookieHeader, "signin", id);
  if (cookie === undefined) return refuseSignIn("transaction_missing");
  const unsealed = await (await context.signIn.sealedState()).transactions.unseal(cookie);
  if (!unsealed.ok) {
    return fromStateFailure(unsealed.failure, { invalid: "transaction_missing", expired: "transaction_expired" });
  }
  return sameText(unsealed.value.state, state) ? unsealed : refuseSignIn("state_mismatch");
}

interface Returning {
  readonly transaction: Transaction;
  readonly returnTo: RedirectTarget;
  readonly answer: EntraAnswer;
}

async function returnToClient(
  context: SignInContext,
  { transaction, returnTo, answer }: Returning,
): Promise<Omit<SignInEnd, "correlationId">> {
  const { id, target, verifier, nonce } = transaction;
  const { outcome, cookieHeader } = answer;
  const refuse = (failure: Failure) => ({ cookies: [], next: { kind: "return_error", returnTo, failure } }) as const;
  if (outcome.kind === "error") return refuse(outcome.failure(bareScopesOf(target)));
  // Entra's consent is to this service's registration, for whichever application uses it: ours is asked for this one.
  if (target.offlineAccess) {
    const held = await holdCode(context, { transaction, returnTo, code: outcome.code, cookieHeader });
    return held.ok ? { cookies: held.value, next: { kind: "confirm", id } } : refuse(held.failure);
  }
  const code = await sealCode(context, { target, returnTo, entraCode: outcome.code, verifier, nonce });
  return code.ok ? { cookies: [], next: { kind: "return", returnTo, code: code.value } } : refuse(code.failure);
}

interface Asking {
  readonly transaction: Transaction;
  readonly expectedUser: string | undefined;
  readonly answer: EntraAnswer;
  readonly audit: AuditTrail;
}

async function askForConfirmation(context: SignInContext, asking: Asking): Promise<Omit<SignInEnd, "correlationId">> {
  const { transaction, expectedUser, audit } = asking;
  const { outcome, cookieHeader } = asking.answer;
  if (outcome.kind === "error") {
    return { cookies: [], next: { kind: "page", failure: outcome.failure(bareScopesOf(transaction.target)) } };
  }
  const held = await holdForConfirmation(context, {
    transaction,
    expectedUser,
    code: outcome.code,
    cookieHeader,
    audit,
  });
  return held.ok
    ? { cookies: held.value, next: { kind: "confirm", id: transaction.id } }
    : { cookies: [], next: { kind: "page", failure: held.failure } };
}
