/** Why a sign-in ended early, as a response. Browsers get a page instead, with its own text for each code. */
import type { SignInRefusal } from "../core/failure.ts";
import type { Action, Dialect, Wire } from "./wire.ts";

const REFUSALS: Readonly<Record<SignInRefusal, readonly [code: string, description: string, action: Action]>> = {
  request_invalid: [
    "signin_request_invalid",
    "client_id and request_uri do not match a pushed request. Push a new request.",
    "fix_request",
  ],
  request_expired: ["signin_request_expired", "The pushed request has expired. Push a new one.", "retry"],
  link_invalid: [
    "signin_link_invalid",
    "This service did not create the link. Check that it is complete.",
    "fix_request",
  ],
  link_expired: ["signin_link_expired", "The link has expired. Request a new one.", "sign_in"],
  link_used: [
    "signin_link_used",
    "The link was already answered, or its access has been ended. Request a new one.",
    "sign_in",
  ],
  answer_invalid: ["signin_answer_invalid", "The request is not a response to a sign-in. Start again.", "sign_in"],
  transaction_missing: [
    "signin_not_begun_here",
    "This sign-in is not in progress in this browser. Start again.",
    "sign_in",
  ],
  transaction_expired: ["signin_expired", "The sign-in took too long. Start again.", "sign_in"],
  state_mismatch: ["signin_state_mismatch", "The response belongs to another sign-in. Start again.", "sign_in"],
  declined: ["signin_declined", "The user denied access.", "sign_in"],
  wrong_user: ["signin_wrong_user", "Another user was expected to sign in.", "sign_in"],
  guest: ["signin_guest", "Guests may not use this service. Ask your administrator.", "ask_admin"],
  confirmation_missing: ["confirmation_missing", "No confirmation is pending in this browser. Start again.", "sign_in"],
  confirmation_expired: ["confirmation_expired", "The confirmation came too late. Start again.", "sign_in"],
  confirmation_used: [
    "confirmation_used",
    "The access that this form is about has been ended. Start again.",
    "sign_in",
  ],
  form_forged: ["form_forged", "The form did not come from the confirmation page. Start again.", "sign_in"],
  registration_changed: [
    "signin_registration_changed",
    "The policy has another app registration for the application since this sign-in began. Start again.",
    "sign_in",
  ],
  session_ended: ["session_ended", "You are not signed in to /me in this browser. Open /me again.", "sign_in"],
  session_form_forged: ["session_form_forged", "The form did not come from /me. Open /me again.", "sign_in"],
  too_large: [
    "signin_too_large",
    "The data of the sign-in is too large for a URL or a cookie. Ask your administrator.",
    "ask_admin",
  ],
};

const FORBIDDEN: readonly SignInRefusal[] = ["declined", "wrong_user", "guest", "form_forged", "session_form_forged"];

export function signInRefusalToWire(reason: SignInRefusal, dialect: Dialect): Wire {
  const [code, description, action] = REFUSALS[reason];
  // The token endpoint refuses the code of such a sign-in, for example a guest's.
  if (dialect === "oauth") return { status: 400, error: "invalid_grant", code, description, action };
  return { status: FORBIDDEN.includes(reason) ? 403 : 400, error: "access_denied", code, description, action };
}
