/**
 * The layout of the tenant's pages: one column of plain HTML. Only the form_post page has a script.
 */
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
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="tenant">Contoso Local <span>local tenant, not Microsoft</span></p>
<h1>${escapeHtml(title)}</h1>
${body.html}
</main>
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

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; padding: 2rem 1rem; }
main { max-width: 26rem; margin: 0 auto; padding: 1.5rem 2rem 2rem; border: 1px solid #8888; border-radius: 6px; }
h1 { font-size: 1.4rem; margin: 0.5rem 0 1rem; }
.tenant { margin: 0; font-weight: 600; } .tenant span, .note { font-weight: 400; opacity: 0.75; font-size: 0.85rem; }
label { display: block; margin: 0.75rem 0; } input { display: block; width: 100%; box-sizing: border-box; }
input, button { font: inherit; padding: 0.5rem 0.75rem; }
button { margin: 0.25rem 0.25rem 0.25rem 0; cursor: pointer; }
.accounts button { display: block; width: 100%; text-align: left; }
.number { font: 2rem monospace; letter-spacing: 0.1em; margin: 0.5rem 0; }
[role="alert"] { border-left: 4px solid #c33; padding-left: 0.75rem; }
code { overflow-wrap: anywhere; }
`;

function toText(value: string | Html | readonly Html[]): string {
  if (typeof value === "string") return escapeHtml(value);
  return "html" in value ? value.html : value.map((one) => one.html).join("\n");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
