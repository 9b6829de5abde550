/**
 * Asks the user before a grant is created. Against consent phishing, it shows facts that the sender of a link cannot
 * change: the application's name from the policy, its client id, the signed-in account (if it is known yet), the scopes
 * and the expiry. No answer is preselected.
 */

import { apiTitle, type ShownApi } from "./api-title.ts";
import { dayOf } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Language } from "./language.ts";
import type { Page } from "./layout.ts";
import { permissionItems } from "./permission-list.ts";
import type { ShownScope } from "./permission-words.ts";
import { TEXTS } from "./texts/texts.ts";

interface RequestedApi {
  readonly api: ShownApi;
  readonly scopes: readonly ShownScope[];
  /** The application gets no token: the requests that the service sends for it. Undefined: it gets a token. */
  readonly requests?: readonly { readonly methods: readonly string[]; readonly path: string }[];
}

export interface ConfirmationPageInput {
  readonly language: Language;
  readonly organisation: string | undefined;
  readonly application: string;
  readonly clientId: string;
  /** `purpose` of the policy. */
  readonly purpose: string | undefined;
  /** Undefined: the user has signed in at Entra, but the service has not redeemed Entra's code yet. */
  readonly person: { readonly name: string; readonly username: string } | undefined;
  readonly apis: readonly RequestedApi[];
  /** The application may also use any other scopes that were consented for this service. */
  readonly mayIncludeMore: boolean;
  /** Undefined: the application gets one token, and no lasting access. */
  readonly untilSeconds: number | undefined;
  /** The person allowed it before, and the access stopped working. */
  readonly again: boolean;
  /** Hidden fields of the form. */
  readonly transaction: string;
  readonly formToken: string;
}

export function confirmationPage(input: ConfirmationPageInput): Page {
  const { language, organisation, application, clientId, purpose, person, apis } = input;
  const { untilSeconds, again, transaction, formToken } = input;
  const { confirmation: texts, labels, me } = TEXTS[language];
  return {
    language,
    organisation,
    title: texts.title(application),
    main: html`<h1>${texts.heading(application)}</h1>
<p>${untilSeconds === undefined ? texts.introOnce : texts.intro}${again ? ` ${texts.again}` : ""}</p>
<dl>
<div><dt>${labels.application}</dt><dd><strong>${application}</strong><br><span class="quiet">${labels.clientId} <code>${clientId}</code></span></dd></div>${purpose === undefined ? "" : toPurpose(purpose, language)}
<div><dt>${texts.account}</dt><dd>${toPerson(person, language)}</dd></div>
${apis.map((requested) => toRows(requested, input))}${untilSeconds === undefined ? "" : toEnd(untilSeconds, language)}
</dl>
<p class="note"><strong>${texts.question}</strong> ${toWarning(input)}</p>
<form method="post" action="/signin/confirm" autocomplete="off">
<input type="hidden" name="transaction" value="${transaction}">
<input type="hidden" name="token" value="${formToken}">
<div class="choice">
<button type="submit" name="decision" value="allow" class="main">${texts.allow}</button>
<button type="submit" name="decision" value="deny">${texts.deny}</button>
</div>
</form>
${untilSeconds === undefined ? "" : html`<p class="quiet after">${texts.endLater} <a href="/me">${me.title}</a></p>`}`,
  };
}

// ------------------------------------------------------------------------------------------------------------------

function toRows({ api, scopes, requests }: RequestedApi, { language, mayIncludeMore }: ConfirmationPageInput): Html {
  const { confirmation, labels } = TEXTS[language];
  return html`<div><dt>${labels.api}</dt><dd>${apiTitle(api)}<br><span class="quiet">${api.resource}</span></dd></div>
<div><dt>${labels.permissions}</dt><dd><ul>${permissionItems(scopes)}${mayIncludeMore ? html`<li>${confirmation.allOthers}</li>` : ""}</ul></dd></div>
${requests === undefined ? "" : html`<div><dt>${confirmation.onlyRequests}</dt><dd><ul>${requests.map((request) => toRequest(request, language))}</ul></dd></div>`}`;
}

type ShownRequest = NonNullable<RequestedApi["requests"]>[number];

function toRequest({ methods, path }: ShownRequest, language: Language): Html {
  const { verbs } = TEXTS[language].confirmation;
  const shown = [...new Set(methods.map((method) => verbs[method] ?? method))].join(", ");
  return html`<li>${shown} <code>${path}</code></li>`;
}

function toEnd(untilSeconds: number, language: Language): Html {
  const { ends } = TEXTS[language].confirmation;
  return html`
<div><dt>${ends}</dt><dd><strong>${dayOf(language, untilSeconds)}</strong></dd></div>`;
}

/** What to do for a person who did not expect this page. */
function toWarning({ language, person, untilSeconds }: ConfirmationPageInput): string {
  const { byLink, byApplication, byApplicationOnce } = TEXTS[language].confirmation;
  if (person !== undefined) return byLink;
  return untilSeconds === undefined ? byApplicationOnce : byApplication;
}

function toPurpose(purpose: string, language: Language): Html {
  const { labels } = TEXTS[language];
  return html`
<div><dt>${labels.purpose}</dt><dd>${purpose}<br><span class="quiet">${labels.purposeSource}</span></dd></div>`;
}

function toPerson(person: ConfirmationPageInput["person"], language: Language): Html {
  if (person === undefined) return html`<strong>${TEXTS[language].confirmation.accountOfSignIn}</strong>`;
  const { name, username } = person;
  return username === "" || username === name
    ? html`<strong>${name}</strong>`
    : html`<strong>${name}</strong><br><span class="quiet">${username}</span>`;
}
