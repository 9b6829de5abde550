/**
 * The grant is made: its handle, this one time, and the lines that use it. The handle alone opens nothing (only the
 * application, with a token of its own, can redeem it), yet it belongs in a secret store. Pure.
 */
import { dayText, isoDay } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface HandlePageInput {
  readonly application: string;
  readonly handle: string;
  /** Names of the APIs that the grant covers. The lines below use the first. */
  readonly apis: readonly string[];
  readonly untilSeconds: number;
  readonly serviceUrl: string;
  /** Audience of the application's own token for this service. */
  readonly serviceClientId: string;
}

export function handlePage(input: HandlePageInput): Page {
  const { application, handle, untilSeconds, apis } = input;
  return {
    title: "Allowed",
    copies: true,
    main: html`<h1>“${application}” may now act in your name</h1>
<p>Until <time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time>, or until it is revoked. Give the application this handle:</p>
<label for="handle">Handle</label>
<div class="row"><input id="handle" readonly spellcheck="false" autocomplete="off" value="${handle}">
<button type="button" class="main" data-copy="handle" hidden>Copy</button></div>
<p class="note"><strong>It is shown only this once.</strong> Keep it like a password, for example as a secured environment variable. It works only together with the application’s own token.</p>
${apis.length > 1 ? severalApis(apis) : ""}${SAMPLES.map((sample) => toSection(sample, input))}`,
  };
}

function severalApis(apis: readonly string[]): Html {
  const names = apis.map((name, index) => html`${index === 0 ? "" : ", "}<code>${name}</code>`);
  return html`<p>The one handle serves ${names}: put the name of the API at the end of the URL.</p>
`;
}

interface Sample {
  readonly id: string;
  readonly title: string;
  readonly text: (input: HandlePageInput) => string;
}

/** Every value in them is ours (URL, API name, handle) and of characters that no shell reads. */
const SAMPLES: readonly Sample[] = [
  {
    id: "curl",
    title: "curl",
    text: ({ serviceUrl, apis, handle }) => `curl -s ${serviceUrl}/AuthorizationHeader/${apis[0]} \\
  -H "Authorization: Bearer $APP_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"grant":"${handle}"}'`,
  },
  {
    id: "powershell",
    title: "PowerShell",
    text: ({ serviceUrl, apis, handle }) => `$answer = Invoke-RestMethod -Method Post \`
  -Uri "${serviceUrl}/AuthorizationHeader/${apis[0]}" \`
  -Headers @{ Authorization = "Bearer $appToken" } \`
  -ContentType "application/json" \`
  -Body '{"grant":"${handle}"}'
# then: Invoke-RestMethod -Uri … -Headers $answer.headers`,
  },
  {
    id: "power-automate",
    title: "Power Automate: HTTP action “Get header”",
    text: ({ serviceUrl, serviceClientId, apis, handle }) => `Method          POST
URI             ${serviceUrl}/AuthorizationHeader/${apis[0]}
Body            { "grant": "${handle}" }
Authentication  Active Directory OAuth
Audience        ${serviceClientId}

In the next action, header Authorization:
body('Get_header')?['authorizationHeader']`,
  },
];

function toSection({ id, title, text }: Sample, input: HandlePageInput): Html {
  return html`<section aria-labelledby="${id}-title">
<div class="title"><h2 id="${id}-title">${title}</h2><button type="button" class="small" data-copy="${id}" aria-label="Copy the lines for ${title}" hidden>Copy</button></div>
<pre id="${id}" tabindex="0">${text(input)}</pre>
</section>`;
}
