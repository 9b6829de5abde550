/**
 * Returns to the application after the confirmation. This is a page with a refresh and not a redirect, because Chromium
 * applies `form-action 'self'` to every redirect after a form, including the application's own redirects.
 */
import { html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface ReturnPageInput {
  readonly application: string;
  readonly allowed: boolean;
  /** The application's registered redirect URI, with the code or the error. */
  readonly location: string;
}

export function returnPage({ application, allowed, location }: ReturnPageInput): Page {
  return {
    title: allowed ? "Access allowed" : "No access was granted",
    refreshTo: location,
    main: html`<h1>${allowed ? "Access allowed" : "No access was granted"}</h1>
<p>You will now return to “${application}”.</p>
<p><a href="${location}">Continue if nothing happens</a></p>`,
  };
}
