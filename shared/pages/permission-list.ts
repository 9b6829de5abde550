/** Permissions as items of a list: what each allows in words, and its name. */
import { type Html, html } from "./html.ts";
import type { ShownScope } from "./permission-words.ts";

export function permissionItems(scopes: readonly ShownScope[]): readonly Html[] {
  return scopes.map(({ name, words }) =>
    words === undefined
      ? html`<li><code>${name}</code></li>`
      : html`<li>${words} <code class="quiet">${name}</code></li>`,
  );
}
