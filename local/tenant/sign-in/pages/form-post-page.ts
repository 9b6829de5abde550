/**
 * The page for `response_mode=form_post`. It posts the answer to the client by a script, or by a button without scripts.
 */
import { html, pageResponse } from "./page.ts";

export function formPostPage(action: string, members: readonly (readonly [string, string])[]): Response {
  const inputs = members.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  const body = html`<form id="form-post" method="post" action="${action}">
${inputs}
<button id="continue" class="main" type="submit">Continue</button>
</form>`;
  return pageResponse({ title: "Working...", body, script: 'document.getElementById("form-post").submit();' });
}
