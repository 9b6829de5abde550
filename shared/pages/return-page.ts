/**
 * Returns to the application after the confirmation. This is a page with a refresh and not a redirect, because Chromium
 * applies `form-action 'self'` to every redirect after a form, including the application's own redirects.
 */
import { html } from "./html.ts";
import type { Language } from "./language.ts";
import type { Page } from "./layout.ts";
import { TEXTS } from "./texts/texts.ts";

export interface ReturnPageInput {
  readonly language: Language;
  readonly organisation: string | undefined;
  readonly application: string;
  readonly allowed: boolean;
  /** The application's registered redirect URI, with the code or the error. */
  readonly location: string;
}

export function returnPage({ language, organisation, application, allowed, location }: ReturnPageInput): Page {
  const { returning } = TEXTS[language];
  const title = allowed ? returning.allowed : returning.denied;
  return {
    language,
    organisation,
    title,
    refreshTo: location,
    main: html`<h1>${title}</h1>
<p>${returning.next(application)}</p>
<p><a href="${location}">${returning.link}</a></p>`,
  };
}
