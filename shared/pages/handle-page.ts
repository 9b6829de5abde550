/**
 * Shows the handle of a new grant once, with instructions for Power Automate, PowerShell and curl. The handle alone
 * gives no access, because only the application with its own token can redeem it. It still belongs in a secret store.
 */
import { dayText, isoDay } from "./day.ts";
import { type Html, html } from "./html.ts";
import type { Page } from "./layout.ts";

export interface HandlePageInput {
  readonly application: string;
  /** Client id of the application. */
  readonly clientId: string;
  readonly handle: string;
  /** The id that `GET /grants` lists. */
  readonly grantId: string;
  /** Names of the consented APIs. The instructions use the first. */
  readonly apis: readonly string[];
  readonly untilSeconds: number;
  readonly serviceUrl: string;
  /** Audience of the application's own token for this service. The next two say where it gets that token. */
  readonly serviceClientId: string;
  readonly authorityHost: string;
  readonly tenantId: string;
}

export function handlePage(input: HandlePageInput): Page {
  const { application, handle, untilSeconds, apis } = input;
  return {
    title: "Access allowed",
    copies: true,
    main: html`<h1>“${application}” may now act on your behalf</h1>
<p>The access ends on <time datetime="${isoDay(untilSeconds)}">${dayText(untilSeconds)}</time>. You can end it earlier: see “End the access” below. Give the application this handle:</p>
<label for="handle">Handle</label>
<div class="row"><input id="handle" readonly spellcheck="false" autocomplete="off" value="${handle}">
<button type="button" class="main" data-copy="handle" hidden>Copy</button></div>
<p class="note"><strong>The handle is shown only once.</strong> Store it like a password, for example as a secured environment variable. It works only together with the application’s own token.</p>
${apis.length > 1 ? severalApis(apis) : ""}${powerAutomate(input)}${SAMPLES.map((sample) => toSection(sample, input))}${revocation(input)}`,
  };
}

// ------------------------------------------------------------------------------------------------------------------

function severalApis(apis: readonly string[]): Html {
  const names = apis.map((name, index) => html`${index === 0 ? "" : ", "}<code>${name}</code>`);
  return html`<p>The handle is valid for ${names}. Put the name of the API at the end of the URL.</p>
`;
}

/** The fields of the HTTP action, in its order and with its names. docs/power-automate.md lists the same fields. */
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
    ["Secret", html`the application’s own secret`],
  ];
  return html`<section aria-labelledby="power-automate-title">
<h2 id="power-automate-title">Power Automate: HTTP action “Get token”</h2>
<dl>
${fields.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
<p class="note"><strong>Turn on Secure inputs and Secure outputs</strong> in the settings of this action, and read the handle from a secured environment variable. Otherwise everyone who can open the flow’s run history can read the handle, the secret and the token.</p>
<p>In the next actions, switch Headers to text mode and enter <code>@body('Get_token')?['headers']</code>. Turn on Secure inputs for them as well.</p>
</section>
`;
}

interface Sample {
  readonly id: string;
  readonly title: string;
  readonly text: (input: HandlePageInput) => string;
}

/**
 * The inserted values (URL, API name, handle) come from the service and have no characters with a meaning in a shell.
 */
const SAMPLES: readonly Sample[] = [
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

function toSection({ id, title, text }: Sample, input: HandlePageInput): Html {
  return html`<section aria-labelledby="${id}-title">
<div class="title"><h2 id="${id}-title">${title}</h2><button type="button" class="small" data-copy="${id}" aria-label="Copy the ${title} sample" hidden>Copy</button></div>
<pre id="${id}">${text(input)}</pre>
</section>
`;
}

/** How to revoke the grant, also if the handle was stolen. */
function revocation({ grantId, serviceUrl }: HandlePageInput): Html {
  return html`<section aria-labelledby="end-title">
<div class="title"><h2 id="end-title">End the access</h2><button type="button" class="small" data-copy="end" aria-label="Copy the command that ends the access" hidden>Copy</button></div>
<p>You can end the access at any time. Do so immediately if another person may have seen the handle. Use the command below, send <code>POST ${serviceUrl}/oauth2/revoke</code> with your own token, or ask your administrator.</p>
<pre id="end">gte grants revoke ${grantId}</pre>
</section>`;
}
