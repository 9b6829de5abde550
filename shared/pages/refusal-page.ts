/**
 * The page that explains a failure and what to do next. The text depends on the stable code of the failure. A code
 * without its own text shows the description of the failure. The page never contains a value from outside.
 */
import type { TextResponse } from "../http/outgoing-response.ts";
import type { Wire } from "../http/wire.ts";
import { html } from "./html.ts";
import { type Page, type PageOptions, pageResponse } from "./layout.ts";

interface RefusalOptions extends Pick<PageOptions, "cookies" | "refusal"> {
  /** The sign-in has ended, so reloading the page does not help. */
  readonly fromStart?: boolean;
}

/** The response with the page. A browser sends no token, so there is no challenge, and 401 becomes 403. */
export function refusalResponse(
  wire: Wire,
  correlationId: string,
  { fromStart, ...options }: RefusalOptions = {},
): TextResponse {
  const status = wire.status === 401 ? 403 : wire.status;
  const response = pageResponse(refusalPage(wire, fromStart), { status, correlationId, ...options });
  const headers = {
    ...(wire.allow === undefined ? {} : { Allow: wire.allow.join(", ") }),
    ...(wire.retryAfterSeconds === undefined ? {} : { "Retry-After": String(wire.retryAfterSeconds) }),
  };
  return { ...response, headers: { ...response.headers, ...headers } };
}

export function refusalPage({ code, description, status, action }: Wire, fromStart = false): Page {
  const text = Object.hasOwn(TEXTS, code) ? TEXTS[code] : undefined;
  const { title, reason, advice } = text ?? {
    title: status >= 500 || action === "retry" ? "This did not work" : "This is not possible",
    reason: description,
    advice: action === "retry" ? retryAdvice(fromStart) : ASK_ADMIN,
  };
  return { title, main: html`<h1>${title}</h1>\n<p>${reason}</p>\n<p>${advice}</p>` };
}

// ------------------------------------------------------------------------------------------------------------------

interface RefusalText {
  readonly title: string;
  readonly reason: string;
  readonly advice: string;
}

const NEW_LINK = "Ask for a new link, or start again in the application.";
const START_AGAIN = "Go back to the application and start again.";
const ASK_ADMIN = "Contact your administrator and give them the reference below.";

const TEXTS: Readonly<Record<string, RefusalText>> = {
  signin_request_invalid: {
    title: "This address is incomplete",
    reason: "It does not belong to a sign-in that an application has started.",
    advice: START_AGAIN,
  },
  signin_request_expired: {
    title: "That took too long",
    reason: "The application started this sign-in more than a minute ago.",
    advice: START_AGAIN,
  },
  signin_link_invalid: {
    title: "This link is not valid",
    reason: "It is incomplete, or this service did not create it.",
    advice: `Check that you copied the whole link. ${NEW_LINK}`,
  },
  signin_link_expired: {
    title: "This link has expired",
    reason: "For security, a link is valid for a limited time only.",
    advice: NEW_LINK,
  },
  signin_link_used: {
    title: "This link is no longer valid",
    reason: "It has already been answered, or the access has been ended since. Nothing has changed.",
    advice: NEW_LINK,
  },
  signin_answer_invalid: {
    title: "No sign-in to complete",
    reason: "This page completes a sign-in, and you opened it without one.",
    advice: NEW_LINK,
  },
  signin_not_begun_here: {
    title: "This sign-in is not in progress in this browser",
    reason:
      "It has already ended, it took longer than ten minutes, or it began in another browser. No access was granted.",
    advice: NEW_LINK,
  },
  signin_expired: {
    title: "The sign-in took too long",
    reason: "It must be completed within ten minutes. No access was granted.",
    advice: NEW_LINK,
  },
  signin_state_mismatch: {
    title: "This response belongs to another sign-in",
    reason: "For security, it was not used. No access was granted.",
    advice: NEW_LINK,
  },
  signin_declined: {
    title: "No access was granted",
    reason: "You chose not to allow it. The application cannot act on your behalf.",
    advice: "You can close this page. If you did not expect the link, report it to your administrator.",
  },
  signin_wrong_user: {
    title: "This link is for another account",
    reason: "You signed in with a different account. No access was granted.",
    advice: "Open the link again and choose the right account, or ask for a link for your account.",
  },
  signin_guest: {
    title: "Guests cannot use this service",
    reason: "Your account belongs to another organisation. No access was granted.",
    advice: ASK_ADMIN,
  },
  signin_registration_changed: {
    title: "This sign-in is no longer valid",
    reason: "The administrator has changed the application's settings since it began. No access was granted.",
    advice: NEW_LINK,
  },
  confirmation_missing: {
    title: "No confirmation is pending",
    reason: "You have already answered it, it has expired, or it belongs to another browser.",
    advice: NEW_LINK,
  },
  confirmation_expired: {
    title: "That took too long",
    reason: "The confirmation page expires after ten minutes. No access was granted.",
    advice: NEW_LINK,
  },
  confirmation_used: {
    title: "This access has been ended",
    reason: "You or the application ended it after this page was opened. No access was granted.",
    advice: NEW_LINK,
  },
  form_forged: {
    title: "This form was not sent from the confirmation page",
    reason: "For security, it was not used. No access was granted.",
    advice: NEW_LINK,
  },
  access_denied: {
    title: "No access was granted",
    reason: "The sign-in was cancelled, or your organisation does not allow this account.",
    advice: "You can close this page, or start again. If you expected access, contact your administrator.",
  },
  consent_required: {
    title: "Consent is missing",
    reason: "These permissions have not been consented to for your account. No access was granted.",
    advice: ASK_ADMIN,
  },
  interaction_required: {
    title: "Another sign-in step is required",
    reason: "Your organisation requires another step, such as a second factor. No access was granted.",
    advice: NEW_LINK,
  },
  grant_dead: {
    title: "This sign-in was already used",
    reason: "A sign-in can be used only once. No further access was granted.",
    advice: NEW_LINK,
  },
  code_refused: {
    title: "This sign-in was already used",
    reason: "A sign-in can be used only once. No further access was granted.",
    advice: NEW_LINK,
  },
  scope_surplus: {
    title: "The service is not set up for this",
    reason: "Your account would give the application more permissions than it may have. No access was granted.",
    advice: ASK_ADMIN,
  },
};

function retryAdvice(fromStart: boolean): string {
  return fromStart
    ? "No access was granted. Wait a minute and open the link again. If it has expired, ask for a new one."
    : "Load this page again in a minute.";
}
