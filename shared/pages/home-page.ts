/** `/`: what this service is, for a person who came here without a link. It says nothing that helps a stranger. */
import { html } from "./html.ts";
import type { Language } from "./language.ts";
import type { Page } from "./layout.ts";
import { TEXTS } from "./texts/texts.ts";

/** `documentationUrl`: the setting `DOCUMENTATION_URL`. */
export function homePage(language: Language, documentationUrl: string | undefined): Page {
  const { home, me } = TEXTS[language];
  return {
    language,
    title: home.title,
    main: html`<h1>Graph Token Exchange</h1>
<p>${home.intro}</p>
<ul class="links">
<li><a href="/me">${me.title}</a><br><span class="quiet">${home.aboutMe}</span></li>
${documentationUrl === undefined ? "" : html`<li><a href="${documentationUrl}">${home.documentation}</a><br><span class="quiet">${home.aboutDocumentation}</span></li>`}
</ul>`,
  };
}
