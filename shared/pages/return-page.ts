/**
 * Back to the application after the question. A page that leads on, and not a redirect: Chromium holds every redirect
 * after a form against `form-action 'self'`, and the application's own redirects after ours as well. Pure.
 */
import { html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface ReturnPageInput {
  readonly application: string;
  readonly allowed: boolean;
  /** The application's registered redirect URI, with our answer. */
  readonly location: string;
}

export function returnPage({ application, allowed, location }: ReturnPageInput): Page {
  return {
    title: allowed ? "Allowed" : "Not allowed",
    refreshTo: location,
    main: html`<h1>${allowed ? "Allowed" : "Nothing was allowed"}</h1>
<p>You are on your way back to “${application}”.</p>
<p><a href="${location}">Continue, if nothing happens</a></p>`,
  };
}
