/** The texts of the pages in English. The other languages have the same keys. */
import { type Html, html } from "../html.ts";

const NEW_LINK = "Ask for a new link, or start again in the application.";
const START_AGAIN = "Go back to the application and start again.";
const ASK_ADMIN = "Contact your administrator and give them the reference below.";

export const EN = {
  layout: { reference: "Reference for support", organisation: "Your organisation" },
  labels: {
    application: "Application",
    clientId: "Client id",
    purpose: "Purpose",
    purposeSource: "As your administrator describes it",
    api: "API",
    permissions: "Permissions",
  },
  confirmation: {
    title: (application: string) => `Allow “${application}”?`,
    heading: (application: string) => `Allow “${application}” to act on your behalf?`,
    intro:
      "The application requests the permissions below. It can use them with your account, even when you are not signed in.",
    introOnce:
      "The application requests the permissions below. It can use them with your account until its access token expires, usually after about an hour.",
    account: "Your account",
    accountOfSignIn: "The account with which you just signed in",
    ends: "Access ends on",
    allOthers: "and all other permissions that were consented to for this service",
    question: "Did you start this request yourself?",
    byLink:
      "If you received a link to this page and did not expect it, choose “Don’t allow”. The application then gets no access.",
    byApplication:
      "If you did not just sign in to this application, or do not want it to act when you are not signed in, choose “Don’t allow”. You then return to the application, and it gets no access.",
    byApplicationOnce:
      "If you did not just sign in to this application, choose “Don’t allow”. You then return to the application, and it gets no access.",
    allow: "Allow",
    deny: "Don’t allow",
    endLater: "You can end this access at any time:",
    /** Before the list of requests that the service sends for an application without a token. */
    onlyRequests: "Only for these requests",
    /** By HTTP method. */
    verbs: {
      GET: "read",
      HEAD: "read",
      POST: "create or send",
      PUT: "change",
      PATCH: "change",
      DELETE: "delete",
    } as Readonly<Record<string, string>>,
    again: "You allowed this before, and the access has stopped working. If you choose “Don’t allow”, nothing changes.",
  },
  allowed: {
    title: "Access allowed",
    heading: (application: string) => `“${application}” may now act on your behalf`,
    ends: (day: Html) => html`The access ends on ${day}. You can close this page.`,
  },
  returning: {
    allowed: "Access allowed",
    denied: "No access was granted",
    next: (application: string) => `You will now return to “${application}”.`,
    link: "Continue if nothing happens",
  },
  home: {
    title: "What this is",
    intro:
      "Applications of your organisation use this service to work with Microsoft 365 and other systems on behalf of people, only as far as each person and the administrators allow.",
    aboutMe: "See which applications can use your account, and end their access.",
    documentation: "Documentation",
    aboutDocumentation: "For people who build or operate applications.",
  },
  me: {
    title: "What acts on your behalf",
    intro: "These applications can use your account, even when you are not signed in. You can end each access.",
    signedInAs: (name: string, username: string) =>
      username === "" || username === name
        ? html`Signed in as <strong>${name}</strong>`
        : html`Signed in as <strong>${name}</strong> <span class="quiet">${username}</span>`,
    leave: "Sign out of this page",
    none: "No application acts on your behalf.",
    noStore: "This service stores no access to your account: an application can act for you only while you use it.",
    since: "Since",
    lastUsed: "Last used",
    neverUsed: "not yet",
    until: "Until",
    end: "End this access",
    ended:
      "The access has ended. Tokens that the application already has expire on their own, most within about an hour.",
    notFound: "This access had ended before.",
    older: "Older access",
    leftTitle: "You have signed out of this page",
    left: "You may still be signed in at Microsoft. On a shared computer, sign out there too.",
    again: "Sign in again",
  },
  otherRefusal: {
    failed: "This did not work",
    impossible: "This is not possible",
    /** `description`: in English, for programs. */
    reason: (description: string) => description,
    reload: "Load this page again in a minute.",
    openAgain: "No access was granted. Wait a minute and open the link again. If it has expired, ask for a new one.",
    askAdmin: ASK_ADMIN,
  },
  /** By the stable code of the failure. */
  refusals: {
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
      advice: "If you allowed it, you need to do nothing. Otherwise ask for a new link.",
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
    session_ended: {
      title: "You are no longer signed in here",
      reason: "The page works for ten minutes after you signed in. Nothing was changed.",
      advice: "Open the page /me again and sign in.",
    },
    session_form_forged: {
      title: "This form was not sent from the page /me",
      reason: "For security, it was not used. Nothing was changed.",
      advice: "Open the page /me again.",
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
    grant_limit_reached: {
      title: "The application has too many accesses to your account",
      reason: "It has as many as your administrator allows, and it uses each of them. No further access was granted.",
      advice: "Open the page /me and end an access that you no longer need. Then open the link again.",
    },
    scope_surplus: {
      title: "The service is not set up for this",
      reason: "Your account would give the application more permissions than it may have. No access was granted.",
      advice: ASK_ADMIN,
    },
  },
};

export type Texts = typeof EN;
