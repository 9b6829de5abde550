/**
 * A page that says, in plain words, why something did not go on and what to do now. Words are chosen by the stable code
 * of the failure; where a code has none, its generic sentence serves. Never a value from outside. Pure.
 */
import type { OutgoingResponse } from "../http/outgoing-response.ts";
import type { Wire } from "../http/wire.ts";
import { html } from "./html.ts";
import { type Page, type PageAnswer, pageResponse } from "./layout.ts";

interface Words {
  readonly title: string;
  readonly what: string;
  readonly now: string;
}

const NEW_LINK = "Ask for a new link, or start again in the application that sent you here.";
const ASK_ADMIN = "Ask your administrator, and quote the reference below.";

const WORDS: Readonly<Record<string, Words>> = {
  signin_request_invalid: {
    title: "This address is not complete",
    what: "It does not belong to a sign-in that an application has announced here.",
    now: "Go back to the application and start again.",
  },
  signin_request_expired: {
    title: "That took too long",
    what: "The application announced this sign-in more than a minute ago.",
    now: "Go back to the application and start again.",
  },
  signin_link_invalid: {
    title: "This link is not valid",
    what: "It is incomplete, or it was not made by this service.",
    now: `Check that you copied all of it. ${NEW_LINK}`,
  },
  signin_link_expired: {
    title: "This link has expired",
    what: "Links work for ten minutes, so that nobody can use them later.",
    now: NEW_LINK,
  },
  signin_answer_invalid: {
    title: "Nothing to finish here",
    what: "This page ends a sign-in, and it was opened without one.",
    now: NEW_LINK,
  },
  signin_not_begun_here: {
    title: "This sign-in is not under way in this browser",
    what: "It was finished already, took longer than ten minutes, or began in another browser. Nothing was allowed.",
    now: NEW_LINK,
  },
  signin_expired: {
    title: "The sign-in took too long",
    what: "It must be finished within ten minutes. Nothing was allowed.",
    now: NEW_LINK,
  },
  signin_state_mismatch: {
    title: "This answer belongs to another sign-in",
    what: "To be safe, it was not used. Nothing was allowed.",
    now: NEW_LINK,
  },
  signin_declined: {
    title: "Nothing was allowed",
    what: "You chose not to allow it. The application has no access in your name.",
    now: "You can close this page. If somebody sent you the link unasked, tell your administrator.",
  },
  signin_wrong_user: {
    title: "This link is for somebody else",
    what: "You signed in with another account than the one it was made for. Nothing was allowed.",
    now: "Open the link again and choose the right account, or ask for a link of your own.",
  },
  signin_guest: {
    title: "Guests cannot do this",
    what: "Your account belongs to another organisation, and this service is not open to guests. Nothing was allowed.",
    now: ASK_ADMIN,
  },
  confirmation_missing: {
    title: "There is nothing to confirm",
    what: "It was answered already, it expired, or it belongs to another browser. A handle is shown only once.",
    now: `If you still need one: ${NEW_LINK.charAt(0).toLowerCase()}${NEW_LINK.slice(1)}`,
  },
  confirmation_expired: {
    title: "That took too long",
    what: "The question waits for ten minutes. Nothing was allowed.",
    now: NEW_LINK,
  },
  confirmation_used: {
    title: "You allowed this, and it was ended since",
    what: "The handle that you got then is of no use any more.",
    now: `If you still need one: ${NEW_LINK.charAt(0).toLowerCase()}${NEW_LINK.slice(1)}`,
  },
  form_forged: {
    title: "This form was not sent from our page",
    what: "To be safe, it was not used. Nothing was allowed.",
    now: NEW_LINK,
  },
  access_denied: {
    title: "Nothing was allowed",
    what: "The sign-in was cancelled, or your organisation does not let this account use it.",
    now: "You can close this page, or start again. If it should work, ask your administrator.",
  },
  consent_required: {
    title: "A consent is missing",
    what: "Nobody has consented to these permissions for your account yet. Nothing was allowed.",
    now: ASK_ADMIN,
  },
  interaction_required: {
    title: "More is needed to sign in",
    what: "Your organisation asks for something that was not done, such as a second factor. Nothing was allowed.",
    now: NEW_LINK,
  },
  grant_dead: {
    title: "This sign-in was used already",
    what: "Each can be used once. Nothing more was allowed.",
    now: NEW_LINK,
  },
  scope_surplus: {
    title: "The service is not set up for this",
    what: "Your account would give the application more than it may have, so nothing was allowed.",
    now: ASK_ADMIN,
  },
};

interface RefusalAnswer extends Pick<PageAnswer, "cookies" | "refusal"> {
  /** The sign-in is over, so that to load the page again is no use. */
  readonly fromStart?: boolean;
}

function again(fromStart: boolean): string {
  return fromStart
    ? "Nothing was allowed. Wait a minute and open the link again; if it has expired by then, ask for a new one."
    : "Load this page again in a minute.";
}

/** The answer that shows it. A person has no token to send, so there is no challenge and no 401. */
export function refusalResponse(
  wire: Wire,
  correlationId: string,
  { fromStart, ...more }: RefusalAnswer = {},
): OutgoingResponse {
  const status = wire.status === 401 ? 403 : wire.status;
  const response = pageResponse(refusalPage(wire, fromStart), { status, correlationId, ...more });
  const headers = {
    ...(wire.allow === undefined ? {} : { Allow: wire.allow.join(", ") }),
    ...(wire.retryAfterSeconds === undefined ? {} : { "Retry-After": String(wire.retryAfterSeconds) }),
  };
  return { ...response, headers: { ...response.headers, ...headers } };
}

export function refusalPage({ code, description, status, action }: Wire, fromStart = false): Page {
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  const { title, what, now } = words ?? {
    title: status >= 500 || action === "retry" ? "This did not work" : "This is not possible",
    what: description,
    now: action === "retry" ? again(fromStart) : ASK_ADMIN,
  };
  return { title, main: html`<h1>${title}</h1>\n<p>${what}</p>\n<p>${now}</p>` };
}
