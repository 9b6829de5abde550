/**
 * The error page, for errors that must not or cannot go to the client.
 */
import { aadstsRow, aadstsText } from "../../errors/aadsts.ts";
import { type EntraError, newCorrelation, toEntraAnswer } from "../../errors/entra-error.ts";
import type { Clock } from "../../time/clock.ts";
import { html, pageResponse } from "./page.ts";

export interface ErrorPageTenant {
  readonly url: string;
  readonly clock: Clock;
}

export function errorPage(tenant: ErrorPageTenant, failure: EntraError): Response {
  const correlation = newCorrelation(undefined);
  const { status, body } = toEntraAnswer(failure, { url: tenant.url, nowMs: tenant.clock.nowMs(), correlation });
  const text = `AADSTS${failure.code}: ${plainText(failure)}`;
  return pageResponse({
    title: "Sorry, but we're having trouble signing you in.",
    status,
    body: html`<p id="error" role="alert"><code id="error-code">AADSTS${String(failure.code)}</code></p>
<p id="error-message">${text}</p>
<p class="note">Correlation id ${correlation.correlationId}, ${String(body["timestamp"])}</p>`,
  });
}

/** The text of a code for a page. */
export function plainText(failure: EntraError): string {
  return aadstsText(aadstsRow(failure.code), failure.options.values ?? {});
}
