/** Dates as display text and as ISO 8601. UTC, because the server does not know the reader's time zone. */
import { type Html, html } from "./html.ts";
import type { Language } from "./language.ts";

const DAY = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" } as const;
const FORMATS: Readonly<Record<Language, Intl.DateTimeFormat>> = {
  en: new Intl.DateTimeFormat("en-GB", DAY),
  de: new Intl.DateTimeFormat("de-DE", DAY),
};

/** A day, seconds since 1970, in the form of the language. */
export function dayOf(language: Language, seconds: number): Html {
  const iso = new Date(seconds * 1_000).toISOString().slice(0, 10);
  return html`<time datetime="${iso}">${FORMATS[language].format(seconds * 1_000)}</time>`;
}
