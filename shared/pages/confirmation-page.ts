/**
 * The question before a grant is made. Against consent phishing it shows what the person cannot be told wrongly by
 * whoever sent the link: the application as the administrator named it, its client id, who is signed in, what is asked
 * and for how long. No answer is preselected. Pure.
 */

import { dayText, isoDay } from "./day.ts";
import { html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface ConfirmationPageInput {
  readonly application: string;
  readonly clientId: string;
  readonly person: { readonly name: string; readonly username: string };
  readonly api: { readonly name: string; readonly resource: string };
  readonly scopes: readonly string[];
  readonly untilSeconds: number;
  /** Come back with the form. */
  readonly transaction: string;
  readonly formToken: string;
}

export function confirmationPage(input: ConfirmationPageInput): Page {
  const { application, clientId, person, api, scopes, untilSeconds, transaction, formToken } = input;
  const username =
    person.username === "" || person.username === person.name
      ? ""
      : html`<br><span class="quiet">${person.username}</span>`;
  return {
    title: `Allow “${application}”?`,
    main: html`<h1>Allow “${application}” to act in your name?</h1>
<p>It wants to use the permissions below as you, also while you are away.</p>
<dl>
<div><dt>Application</dt><dd><strong>${application}</strong><br><span class="quiet">Client id <code>${clientId}</code></span></dd></div>
<div><dt>Acts as</dt><dd><strong>${person.name}</strong>${username}</dd></div>
<div><dt>API</dt><dd>${api.name}<br><span class="quiet">${api.resource}</span></dd></div>
<div><dt>May use</dt><dd><ul>${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul></dd></div>
<div><dt>Works while you are away until</dt><dd><strong><time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time></strong></dd></div>
</dl>
<p class="note"><strong>Did you ask for this yourself?</strong> If somebody sent you a link to this page and you do not know why, choose “Don’t allow”. Nothing happens then.</p>
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
