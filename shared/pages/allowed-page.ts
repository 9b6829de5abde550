/**
 * The page after *Allow*. It has nothing that a person must copy or keep: the application has its handle already. It says
 * until when, and how to end the access.
 */
import { dayText, isoDay } from "./day.ts";
import { html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface AllowedPageInput {
  readonly application: string;
  /** The id that `GET /grants` lists. */
  readonly grantId: string;
  readonly untilSeconds: number;
}

export function allowedPage({ application, grantId, untilSeconds }: AllowedPageInput): Page {
  return {
    title: "Access allowed",
    copies: true,
    main: html`<h1>“${application}” may now act on your behalf</h1>
<p>The access ends on <time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time>. You can close this page.</p>
<section aria-labelledby="end-title">
<div class="title"><h2 id="end-title">End the access earlier</h2><button type="button" class="small" data-copy="end" aria-label="Copy the command that ends the access" hidden>Copy</button></div>
<p>You can end the access at any time with this command, or ask your administrator.</p>
<pre id="end">gte grants revoke ${grantId}</pre>
</section>`,
  };
}
