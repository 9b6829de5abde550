/**
 * The question before a grant is made. Against consent phishing it shows what the person cannot be told wrongly by
 * whoever sent them here: the application as the administrator named it, its client id, who is signed in (where that is
 * known already), what it may use at most and for how long. No answer is preselected. Pure.
 */

import { dayText, isoDay } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

interface RequestedApi {
  readonly api: { readonly name: string; readonly resource: string };
  readonly scopes: readonly string[];
}

export interface ConfirmationPageInput {
  readonly application: string;
  readonly clientId: string;
  /** Undefined: signed in at Entra a moment ago, and Entra has not told us yet who it is. */
  readonly person: { readonly name: string; readonly username: string } | undefined;
  readonly apis: readonly RequestedApi[];
  /** And whatever else was consented for this service. */
  readonly more: boolean;
  readonly untilSeconds: number;
  /** Come back with the form. */
  readonly transaction: string;
  readonly formToken: string;
}

export function confirmationPage(input: ConfirmationPageInput): Page {
  const { application, clientId, person, apis, more, untilSeconds, transaction, formToken } = input;
  return {
    title: `Allow “${application}”?`,
    main: html`<h1>Allow “${application}” to act in your name?</h1>
<p>It wants to use the permissions below as you, also while you are away.</p>
<dl>
<div><dt>Application</dt><dd><strong>${application}</strong><br><span class="quiet">Client id <code>${clientId}</code></span></dd></div>
<div><dt>Acts as</dt><dd>${toPerson(person)}</dd></div>
${apis.map((asked) => toRows(asked, more))}
<div><dt>Works while you are away until</dt><dd><strong><time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time></strong></dd></div>
</dl>
<p class="note"><strong>Did you ask for this yourself?</strong> ${person === undefined ? BY_APPLICATION : BY_LINK}</p>
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

function toRows({ api, scopes }: RequestedApi, more: boolean): Html {
  return html`<div><dt>API</dt><dd>${api.name}<br><span class="quiet">${api.resource}</span></dd></div>
<div><dt>May use</dt><dd><ul>${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}${more ? MORE : ""}</ul></dd></div>`;
}

const MORE = html`<li>and everything else that was consented to for this service</li>`;
const BY_LINK =
  "If somebody sent you a link to this page and you do not know why, choose “Don’t allow”. Nothing happens then.";
const BY_APPLICATION =
  "If you did not just sign in to this application, or do not want it to go on without you, choose “Don’t allow”. You go back to it, and it gets nothing.";

function toPerson(person: ConfirmationPageInput["person"]): Html {
  if (person === undefined) return html`<strong>The account that you have just signed in with</strong>`;
  const { name, username } = person;
  return username === "" || username === name
    ? html`<strong>${name}</strong>`
    : html`<strong>${name}</strong><br><span class="quiet">${username}</span>`;
}
