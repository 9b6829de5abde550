/**
 * The layout of every page and its security headers: the page loads nothing, only the inline style sheet
 * applies (allowed by its hash), no script runs, and other sites can neither frame the page nor see its URL.
 */
import { createHash } from "node:crypto";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import type { TextResponse } from "../http/outgoing-response.ts";
import { constantText, type Html, html } from "./html.ts";
import type { Language } from "./language.ts";
import { STYLE } from "./style.ts";
import { TEXTS } from "./texts/texts.ts";

export interface Page {
  readonly language: Language;
  readonly title: string;
  readonly main: Html;
  /** `TENANT_DISPLAY_NAME`, on the pages that only people of the tenant see. */
  readonly organisation?: string | undefined;
  /** The page redirects to this URL. */
  readonly refreshTo?: string;
}

export interface PageOptions {
  readonly status: number;
  /** Shown in the footer, so that the user can quote it. */
  readonly correlationId: string;
  readonly cookies?: readonly Cookie[];
  readonly refusal?: Failure;
}

/** A response with a page. */
export function pageResponse(page: Page, { status, correlationId, cookies, refusal }: PageOptions): TextResponse {
  return {
    status,
    headers: { ...HEADERS, "client-request-id": correlationId },
    body: renderPage(page, correlationId),
    ...(cookies === undefined ? {} : { cookies }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

export function renderPage({ language, title, main, organisation, refreshTo }: Page, correlationId: string): string {
  const refresh = refreshTo === undefined ? "" : html`\n<meta http-equiv="refresh" content="0;url=${refreshTo}">`;
  const texts = TEXTS[language].layout;
  const head =
    organisation === undefined ? "" : html`<header>${texts.organisation}: <strong>${organisation}</strong></header>\n`;
  const { text } = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="${ICON}">${refresh}
<title>${title} · Graph Token Exchange</title>
<style>${constantText(STYLE)}</style>
</head>
<body>
${head}<main>
${main}
</main>
<footer>Graph Token Exchange<br>${texts.reference}: <code>${correlationId}</code></footer>
</body>
</html>
`;
  return text;
}

// ------------------------------------------------------------------------------------------------------------------

/** Two arrows: a token for a token. Without it, browsers ask for `/favicon.ico`. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f57c3"/><path d="M7 12h15l-4-4M25 20H10l4 4" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>',
)}`;

/** Content Security Policy level 3, with a hash instead of `unsafe-inline`. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  // The icon of the page, which is part of it.
  "img-src data:",
  `style-src ${hashOf(STYLE)}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}
