/**
 * The grant is made: its handle, this one time, and what a maker types to use it. The handle alone opens nothing (only
 * the application, with a token of its own, can redeem it), yet it belongs in a secret store. Pure.
 */
import { dayText, isoDay } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface HandlePageInput {
  readonly application: string;
  /** Client id of the application. */
  readonly clientId: string;
  readonly handle: string;
  /** As `GET /grants` lists it. */
  readonly grantId: string;
  /** Names of the APIs that the grant covers. What is shown below uses the first. */
  readonly apis: readonly string[];
  readonly untilSeconds: number;
  readonly serviceUrl: string;
  /** Audience of the application's own token for this service, and where it gets that token. */
  readonly serviceClientId: string;
  readonly authorityHost: string;
  readonly tenantId: string;
}

export function handlePage(input: HandlePageInput): Page {
  const { application, handle, untilSeconds, apis } = input;
  return {
    title: "Allowed",
    copies: true,
    main: html`<h1>“${application}” may now act in your name</h1>
<p>Until <time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time>, unless it is ended before (see “To end it” below). Give the application this handle:</p>
<label for="handle">Handle</label>
<div class="row"><input id="handle" readonly spellcheck="false" autocomplete="off" value="${handle}">
<button type="button" class="main" data-copy="handle" hidden>Copy</button></div>
<p class="note"><strong>It is shown only this once.</strong> Keep it like a password, for example as a secured environment variable. It works only together with the application’s own token.</p>
${apis.length > 1 ? severalApis(apis) : ""}${powerAutomate(input)}${LINES.map((lines) => toSection(lines, input))}${theEnd(input)}`,
  };
}

function severalApis(apis: readonly string[]): Html {
  const names = apis.map((name, index) => html`${index === 0 ? "" : ", "}<code>${name}</code>`);
  return html`<p>The one handle serves ${names}: put the name of the API at the end of the URL.</p>
`;
}

/** Field by field, in the order and with the names of the HTTP action; docs/power-automate.md has the same. */
function powerAutomate(input: HandlePageInput): Html {
  const { serviceUrl, apis, handle, authorityHost, tenantId, serviceClientId, clientId } = input;
  const fields: readonly (readonly [string, Html])[] = [
    ["Method", html`<code>POST</code>`],
    ["URI", html`<code>${serviceUrl}/AuthorizationHeader/${apis[0] ?? ""}</code>`],
    ["Headers", html`<code>Content-Type</code>: <code>application/json</code>`],
    ["Body", html`<code>{ "grant": "${handle}" }</code>`],
    ["Authentication", html`Active Directory OAuth`],
    ["Authority", html`<code>${authorityHost}</code>`],
    ["Tenant", html`<code>${tenantId}</code>`],
    ["Audience", html`<code>${serviceClientId}</code>`],
    ["Client ID", html`<code>${clientId}</code>`],
    ["Secret", html`the application’s own`],
  ];
  return html`<section aria-labelledby="power-automate-title">
<h2 id="power-automate-title">Power Automate: HTTP action “Get token”</h2>
<dl>
${fields.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
<p class="note"><strong>Turn on Secure inputs and Secure outputs</strong> in the settings of this action, and take the handle from a secured environment variable. Otherwise everybody who may see the flow’s runs sees the handle, the secret and the token.</p>
<p>In the actions that follow, switch Headers to text mode and enter <code>@body('Get_token')?['headers']</code>. Turn on Secure inputs there as well.</p>
</section>
`;
}

interface Lines {
  readonly id: string;
  readonly title: string;
  readonly text: (input: HandlePageInput) => string;
}

/** Every value in them is ours (URL, API name, handle) and of characters that no shell reads. */
const LINES: readonly Lines[] = [
  {
    id: "powershell",
    title: "PowerShell",
    text: ({ serviceUrl, apis, handle }) => `$answer = Invoke-RestMethod -Method Post \`
  -Uri "${serviceUrl}/AuthorizationHeader/${apis[0]}" \`
  -Headers @{ Authorization = "Bearer $appToken" } \`
  -ContentType "application/json" \`
  -Body '{"grant":"${handle}"}'
$headers = @{}
$answer.headers.PSObject.Properties | ForEach-Object { $headers[$_.Name] = $_.Value }
# Then: Invoke-RestMethod -Uri "…" -Headers $headers`,
  },
  {
    id: "curl",
    title: "curl",
    text: ({ serviceUrl, apis, handle }) => `curl -s ${serviceUrl}/AuthorizationHeader/${apis[0]} \\
  -H "Authorization: Bearer $APP_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"grant":"${handle}"}'`,
  },
];

function toSection({ id, title, text }: Lines, input: HandlePageInput): Html {
  return html`<section aria-labelledby="${id}-title">
<div class="title"><h2 id="${id}-title">${title}</h2><button type="button" class="small" data-copy="${id}" aria-label="Copy the lines for ${title}" hidden>Copy</button></div>
<pre id="${id}">${text(input)}</pre>
</section>
`;
}

/** Also what to do when the handle got into wrong hands. */
function theEnd({ grantId, serviceUrl }: HandlePageInput): Html {
  return html`<section aria-labelledby="end-title">
<div class="title"><h2 id="end-title">To end it</h2><button type="button" class="small" data-copy="end" aria-label="Copy the line that ends it" hidden>Copy</button></div>
<p>At any time, and at once if the handle gets into wrong hands: with the service’s command line, with <code>POST ${serviceUrl}/oauth2/revoke</code> and your own token, or by asking your administrator.</p>
<pre id="end">gte grants revoke ${grantId}</pre>
</section>`;
}
