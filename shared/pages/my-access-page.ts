/**
 * `/me`: what acts on a person's behalf, each with a button that ends it. No script: each button sends its own form, with
 * the token that only this browser was shown.
 */
import { apiTitle, type ShownApi } from "./api-title.ts";
import { dayOf } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Language } from "./language.ts";
import type { Page } from "./layout.ts";
import { permissionItems } from "./permission-list.ts";
import type { ShownScope } from "./permission-words.ts";
import { TEXTS } from "./texts/texts.ts";

interface ShownAccess {
  readonly grantId: string;
  readonly application: string;
  readonly clientId: string;
  readonly purpose: string | undefined;
  readonly apis: readonly (ShownApi & { readonly scopes: readonly ShownScope[] })[];
  readonly sinceSeconds: number;
  readonly lastUsedSeconds: number | undefined;
  readonly untilSeconds: number;
}

export interface MyAccessPageInput {
  readonly language: Language;
  readonly organisation: string | undefined;
  readonly person: { readonly name: string; readonly username: string };
  readonly accesses: readonly ShownAccess[];
  /** `after` of the next page. */
  readonly next: string | undefined;
  /** Hidden field of each form. */
  readonly formToken: string;
  /** What the last form did. Undefined: the page was opened without one. */
  readonly outcome: "ended" | "notFound" | undefined;
}

export function myAccessPage(input: MyAccessPageInput): Page {
  const { language, organisation, person, accesses, next, formToken, outcome } = input;
  const { me } = TEXTS[language];
  return {
    language,
    organisation,
    title: me.title,
    main: html`<h1>${me.title}</h1>
${outcome === undefined ? "" : html`<p class="note" role="status">${me[outcome]}</p>\n`}<div class="person"><p>${me.signedInAs(person.name, person.username)}</p>
<form method="post" action="/me"><input type="hidden" name="token" value="${formToken}"><button type="submit" name="action" value="leave" class="small">${me.leave}</button></form></div>
<p>${accesses.length === 0 ? me.none : me.intro}</p>
${accesses.map((access) => toSection(access, input))}${next === undefined ? "" : html`<p><a href="/me?after=${next}">${me.older}</a></p>`}`,
  };
}

/** Without a grant store. */
export function noAccessPage(language: Language): Page {
  const { me } = TEXTS[language];
  return { language, title: me.title, main: html`<h1>${me.title}</h1>\n<p>${me.noStore}</p>` };
}

export function leftPage(language: Language): Page {
  const { me } = TEXTS[language];
  return {
    language,
    title: me.leftTitle,
    main: html`<h1>${me.leftTitle}</h1>\n<p>${me.left}</p>\n<p><a href="/me">${me.again}</a></p>`,
  };
}

// ------------------------------------------------------------------------------------------------------------------

function toSection(access: ShownAccess, { language, formToken }: MyAccessPageInput): Html {
  const { me, labels } = TEXTS[language];
  const { application, clientId, purpose, apis, sinceSeconds, lastUsedSeconds, untilSeconds, grantId } = access;
  const day = (seconds: number) => dayOf(language, seconds);
  const row = (name: string, value: Html) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`;
  return html`<h2>${application}</h2>
<dl>
${row(labels.clientId, html`<code>${clientId}</code>`)}${purpose === undefined ? "" : row(labels.purpose, html`${purpose}`)}${apis.map(({ scopes, ...api }) => row(labels.permissions, html`<ul>${permissionItems(scopes)}</ul><span class="quiet">${labels.api}: ${apiTitle(api)}</span>`))}${row(me.since, day(sinceSeconds))}${row(me.lastUsed, lastUsedSeconds === undefined ? html`${me.neverUsed}` : day(lastUsedSeconds))}${row(me.until, day(untilSeconds))}</dl>
<form method="post" action="/me"><input type="hidden" name="token" value="${formToken}"><input type="hidden" name="grant" value="${grantId}">
<button type="submit" name="action" value="end" aria-label="${me.end}: ${application}">${me.end}</button></form>
`;
}
