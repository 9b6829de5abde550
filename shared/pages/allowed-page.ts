/**
 * The page after *Allow*. It has nothing that a person must copy or keep: the application has its handle already. It says
 * until when, and where to end the access.
 */
import { dayOf } from "./day.ts";
import { html } from "./html.ts";
import type { Language } from "./language.ts";
import type { Page } from "./layout.ts";
import { TEXTS } from "./texts/texts.ts";

export interface AllowedPageInput {
  readonly language: Language;
  readonly organisation: string | undefined;
  readonly application: string;
  readonly untilSeconds: number;
}

export function allowedPage({ language, organisation, application, untilSeconds }: AllowedPageInput): Page {
  const { allowed, confirmation, me } = TEXTS[language];
  return {
    language,
    organisation,
    title: allowed.title,
    main: html`<h1>${allowed.heading(application)}</h1>
<p>${allowed.ends(dayOf(language, untilSeconds))}</p>
<p class="quiet after">${confirmation.endLater} <a href="/me">${me.title}</a></p>`,
  };
}
