/**
 * Asks the user before a grant is created. Against consent phishing, it shows facts that the sender of a link cannot
 * change: the application's name from the policy, its client id, the signed-in account (if it is known yet), the scopes
 * and the expiry. No answer is preselected.
 */

import { dayText, isoDay } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

interface RequestedApi {
  readonly api: { readonly name: string; readonly resource: string };
  readonly scopes: readonly string[];
  /** The application gets no token: the requests that the service sends for it. Undefined: it gets a token. */
  readonly requests?: readonly { readonly methods: readonly string[]; readonly path: string }[];
}

export interface ConfirmationPageInput {
  readonly application: string;
  readonly clientId: string;
  /** Undefined: the user has signed in at Entra, but the service has not redeemed Entra's code yet. */
  readonly person: { readonly name: string; readonly username: string } | undefined;
  readonly apis: readonly RequestedApi[];
  /** The application may also use any other scopes that were consented for this service. */
  readonly mayIncludeMore: boolean;
  readonly untilSeconds: number;
  /** The person allowed it before, and the access stopped working. */
  readonly again: boolean;
  /** Hidden fields of the form. */
  readonly transaction: string;
  readonly formToken: string;
}

export function confirmationPage(input: ConfirmationPageInput): Page {
  const { application, clientId, person, apis, mayIncludeMore, untilSeconds, again, transaction, formToken } = input;
  return {
    title: `Allow “${application}”?`,
    main: html`<h1>Allow “${application}” to act on your behalf?</h1>
<p>The application requests the permissions below. It can use them with your account, even when you are not signed in.${again ? AGAIN : ""}</p>
<dl>
<div><dt>Application</dt><dd><strong>${application}</strong><br><span class="quiet">Client id <code>${clientId}</code></span></dd></div>
<div><dt>Your account</dt><dd>${toPerson(person)}</dd></div>
${apis.map((requested) => toRows(requested, mayIncludeMore))}
<div><dt>Access ends on</dt><dd><strong><time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time></strong></dd></div>
</dl>
<p class="note"><strong>Did you start this request yourself?</strong> ${person === undefined ? BY_APPLICATION : BY_LINK}</p>
<form method="post" action="/signin/confirm" autocomplete="off">
<input type="hidden" name="transaction" value="${transaction}">
<input type="hidden" name="token" value="${formToken}">
<div class="choice">
<button type="submit" name="decision" value="allow" class="main">Allow</button>
<button type="submit" name="decision" value="deny">Don’t allow</button>
</div>
</form>`,
  };
}

// ------------------------------------------------------------------------------------------------------------------

function toRows({ api, scopes, requests }: RequestedApi, mayIncludeMore: boolean): Html {
  return html`<div><dt>API</dt><dd>${api.name}<br><span class="quiet">${api.resource}</span></dd></div>
<div><dt>Permissions</dt><dd><ul>${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}${mayIncludeMore ? ALL_OTHERS : ""}</ul></dd></div>
${requests === undefined ? "" : html`<div><dt>Only for these requests</dt><dd><ul>${requests.map(toRequest)}</ul></dd></div>`}`;
}

const VERBS: Readonly<Record<string, string>> = {
  GET: "read",
  HEAD: "read",
  POST: "create or send",
  PUT: "change",
  PATCH: "change",
  DELETE: "delete",
};

function toRequest({ methods, path }: NonNullable<RequestedApi["requests"]>[number]): Html {
  const verbs = [...new Set(methods.map((method) => VERBS[method] ?? method))].join(", ");
  return html`<li>${verbs} <code>${path}</code></li>`;
}

const ALL_OTHERS = html`<li>and all other permissions that were consented to for this service</li>`;
const AGAIN =
  " You allowed this before, and the access has stopped working. If you choose “Don’t allow”, nothing changes.";
const BY_LINK =
  "If you received a link to this page and did not expect it, choose “Don’t allow”. The application then gets no access.";
const BY_APPLICATION =
  "If you did not just sign in to this application, or do not want it to act when you are not signed in, choose “Don’t allow”. You then return to the application, and it gets no access.";

function toPerson(person: ConfirmationPageInput["person"]): Html {
  if (person === undefined) return html`<strong>The account with which you just signed in</strong>`;
  const { name, username } = person;
  return username === "" || username === name
    ? html`<strong>${name}</strong>`
    : html`<strong>${name}</strong><br><span class="quiet">${username}</span>`;
}
