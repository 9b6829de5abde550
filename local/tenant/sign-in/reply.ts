/**
 * Sends the answer to the client in the requested response mode: query, fragment, or a form that the browser posts (OAuth
 * 2.0 Form Post Response Mode).
 */
import { aadstsRow } from "../errors/aadsts.ts";
import { type EntraError, newCorrelation, toEntraAnswer } from "../errors/entra-error.ts";
import type { Clock } from "../time/clock.ts";
import { formPostPage } from "./pages/form-post-page.ts";
import type { ReplyAddress } from "./reply-address.ts";

export interface ReplyTenant {
  readonly url: string;
  readonly clock: Clock;
}

export function replyWith(reply: ReplyAddress, members: Readonly<Record<string, string | undefined>>): Response {
  const { redirectUri, responseMode, state } = reply;
  const present = Object.entries({ ...members, state }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  if (responseMode === "form_post") return formPostPage(redirectUri, present);
  const text = new URLSearchParams(present).toString();
  const mark = redirectUri.includes("?") ? "&" : "?";
  return redirectTo(`${redirectUri}${responseMode === "query" ? mark : "#"}${text}`);
}

/** The error answer of RFC 6749 section 4.1.2.1. `error_subcode` is an addition of Entra. */
export function replyWithError(tenant: ReplyTenant, reply: ReplyAddress, failure: EntraError): Response {
  const correlation = newCorrelation(undefined);
  const { body } = toEntraAnswer(failure, { url: tenant.url, nowMs: tenant.clock.nowMs(), correlation });
  const row = aadstsRow(failure.code);
  return replyWith(reply, {
    error: String(body["error"]),
    error_subcode: failure.options.suberror ?? row.suberror,
    error_description: String(body["error_description"]),
    error_uri: `${tenant.url}/error?code=${failure.code}`,
  });
}

export function redirectTo(location: string): Response {
  return new Response(null, { status: 302, headers: { Location: location, "Cache-Control": "no-store, no-cache" } });
}
