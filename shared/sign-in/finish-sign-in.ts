/**
 * The browser returns from Entra (`GET /oauth2/callback`). A sign-in ends in one of two ways:
 *
 *   from a pushed request → the service's own code, or Entra's refusal, goes to the application's redirect URI; with
 *                           offline_access or requireConfirmation, the person confirms first
 *   from a link           → the service redeems Entra's code, and the person confirms before it issues the grant
 *
 * Before that, the service checks that Entra's response belongs to a sign-in that this browser began.
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import { type Result, succeed } from "../core/result.ts";
import type { Registration } from "../entra/registration.ts";
import { clearCookies, isTransactionId, readCookie } from "../sealed-state/cookies.ts";
import { sameText } from "../sealed-state/pkce.ts";
import type { LinkedHandle, Transaction } from "../sealed-state/sealed-state.ts";
import { evaluateCode } from "./evaluate-code.ts";
import { holdCode, holdForConfirmation } from "./hold-for-confirmation.ts";
import { registrationOfTarget } from "./registration-of-target.ts";
import { sealCode } from "./seal-code.ts";
import { fromStateFailure, refuseSignIn, type SignInContext } from "./sign-in-context.ts";
import { bareScopesOf, targetFacts } from "./target.ts";

/** Entra's response, as the browser sent it. */
export interface EntraAnswer {
  readonly cookieHeader: string;
  readonly state: string;
  readonly outcome:
    | { readonly kind: "code"; readonly code: string }
    /** Already translated by `entra/read-sign-in-error.ts`. */
    | { readonly kind: "error"; readonly failure: (scopes: readonly string[]) => Failure };
}

/** How a sign-in ended. In every case, the transaction is over and its cookie is deleted. */
export interface SignInEnd {
  /** The correlation id from the start of the sign-in, so that all its events have the same one. */
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
  audit.add({ correlationId, ...targetFacts(context.policy, target) });
  const cleared = clearCookies(answer.cookieHeader, "signin", id);
  const registration = registrationOfTarget(context, target);
  if (!registration.ok) {
    return succeed({ correlationId, next: { kind: "page", failure: registration.failure }, cookies: cleared });
  }
  const end =
    purpose.kind === "code"
      ? await returnToClient(context, { transaction: transaction.value, returnTo: purpose.returnTo, answer })
      : await confirmFirst(context, {
          transaction: transaction.value,
          registration: registration.value,
          linked: purpose,
          answer,
          audit,
        });
  return succeed({ correlationId, next: end.next, cookies: [...cleared, ...end.cookies] });
}

// ---------------------------------------------------------------------------------------------------------------

/** `state` names the cookie, and the cookie must contain the same state: this browser began the sign-in. */
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

interface ReturnToClient {
  readonly transaction: Transaction;
  readonly returnTo: RedirectTarget;
  readonly answer: EntraAnswer;
}

async function returnToClient(
  context: SignInContext,
  { transaction, returnTo, answer }: ReturnToClient,
): Promise<Omit<SignInEnd, "correlationId">> {
  const { id, target, verifier, nonce } = transaction;
  const { outcome, cookieHeader } = answer;
  const allowed = evaluateCode(context.policy, target, returnTo);
  if (!allowed.ok) return { cookies: [], next: { kind: "page", failure: allowed.failure } };
  const refuse = (failure: Failure) => ({ cookies: [], next: { kind: "return_error", returnTo, failure } }) as const;
  if (outcome.kind === "error") return refuse(outcome.failure(bareScopesOf(target)));
  // Entra's consent is for this service's registration. The confirmation page asks about this application.
  if (target.offlineAccess || allowed.value.requireConfirmation) {
    const held = await holdCode(context, { transaction, returnTo, code: outcome.code, cookieHeader });
    return held.ok ? { cookies: held.value, next: { kind: "confirm", id } } : refuse(held.failure);
  }
  const code = await sealCode(context, { target, returnTo, entraCode: outcome.code, verifier, nonce }, "unconfirmed");
  return code.ok ? { cookies: [], next: { kind: "return", returnTo, code: code.value } } : refuse(code.failure);
}

interface ConfirmFirst {
  readonly transaction: Transaction;
  readonly registration: Registration;
  readonly linked: LinkedHandle;
  readonly answer: EntraAnswer;
  readonly audit: AuditTrail;
}

async function confirmFirst(
  context: SignInContext,
  { transaction, registration, linked, answer, audit }: ConfirmFirst,
): Promise<Omit<SignInEnd, "correlationId">> {
  const { outcome, cookieHeader } = answer;
  if (outcome.kind === "error") {
    return { cookies: [], next: { kind: "page", failure: outcome.failure(bareScopesOf(transaction.target)) } };
  }
  const held = await holdForConfirmation(context, {
    transaction,
    registration,
    linked,
    code: outcome.code,
    cookieHeader,
    audit,
  });
  return held.ok
    ? { cookies: held.value, next: { kind: "confirm", id: transaction.id } }
    : { cookies: [], next: { kind: "page", failure: held.failure } };
}
