/** Why a sign-in cannot go on, on the wire. Most of these are met on a page, which has words of its own for each code. */
import type { SignInRefusal } from "../core/failure.ts";
import type { Action, Dialect, Wire } from "./wire.ts";

const REFUSALS: Readonly<Record<SignInRefusal, readonly [code: string, description: string, action: Action]>> = {
  request_invalid: ["signin_request_invalid", "The request was not pushed by this client.", "fix_request"],
  request_expired: ["signin_request_expired", "The pushed request has expired.", "retry"],
  link_invalid: ["signin_link_invalid", "The link is not one of this service.", "fix_request"],
  link_expired: ["signin_link_expired", "The link has expired.", "sign_in"],
  answer_invalid: ["signin_answer_invalid", "This is not an answer to a sign-in.", "sign_in"],
  transaction_missing: ["signin_not_begun_here", "This browser has no such sign-in under way.", "sign_in"],
  transaction_expired: ["signin_expired", "The sign-in took too long.", "sign_in"],
  state_mismatch: ["signin_state_mismatch", "The answer does not belong to this sign-in.", "sign_in"],
  declined: ["signin_declined", "The person did not allow it.", "sign_in"],
  wrong_user: ["signin_wrong_user", "Another person was expected to sign in.", "sign_in"],
  guest: ["signin_guest", "Guests may not use this service.", "ask_admin"],
  confirmation_missing: ["confirmation_missing", "Nothing waits for confirmation in this browser.", "sign_in"],
  confirmation_expired: ["confirmation_expired", "The confirmation came too late.", "sign_in"],
  confirmation_used: ["confirmation_used", "The grant was made already, and has been revoked since.", "sign_in"],
  form_forged: ["form_forged", "The form did not come from the page of this service.", "sign_in"],
  too_large: ["signin_too_large", "The sign-in does not fit into what a browser carries.", "ask_admin"],
};

const FORBIDDEN: readonly SignInRefusal[] = ["declined", "wrong_user", "guest", "form_forged"];

export function signInRefusalToWire(reason: SignInRefusal, dialect: Dialect): Wire {
  const [code, description, action] = REFUSALS[reason];
  if (dialect === "oauth") {
    // At the token endpoint (a guest's code, say) it is the code that is no good.
    return { status: 400, error: "invalid_grant", code, description, action };
  }
  return { status: FORBIDDEN.includes(reason) ? 403 : 400, error: "access_denied", code, description, action };
}
