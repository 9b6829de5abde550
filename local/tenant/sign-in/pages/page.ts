/**
 * The layout of the tenant's pages: one card. Only the form_post page has a script.
 */
import { STYLE } from "./style.ts";

export type Html = { readonly html: string };

export interface PageInput {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** The text of the page's script, if it needs one. */
  readonly script?: string;
}

/** Escapes the inserted values, except pieces of HTML. Joins lists. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return { html: parts.map((part, index) => part + toText(values[index] ?? "")).join("") };
}

export function pageResponse({ title, body, status = 200, script }: PageInput): Response {
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="tenant"><span aria-hidden="true">C</span>Contoso Local</p>
<h1>${escapeHtml(title)}</h1>
${body.html}
</main>
<footer>The local tenant, which stands in for Microsoft Entra</footer>
${script === undefined ? "" : `<script>${script}</script>`}
</body>
</html>
`;
  return new Response(text, { status, headers: HEADERS });
}

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store, no-cache",
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
};

/** Without it, browsers ask for `/favicon.ico`. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b62b8"/><path d="M21 12a6 6 0 1 0 0 8" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>',
)}`;

function toText(value: string | Html | readonly Html[]): string {
  if (typeof value === "string") return escapeHtml(value);
  return "html" in value ? value.html : value.map((one) => one.html).join("\n");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
