/**
 * The pages of a sign-in. Each page is one form that posts its sealed state (`flow`) and the user's answer.
 */
import type { User } from "../../directory/directory.ts";
import { type Html, html, pageResponse } from "./page.ts";
import { permissionText } from "./permission-texts.ts";

export interface FormPage {
  /** Where the form is posted. */
  readonly action: string;
  readonly flow: string;
  readonly appName: string;
  readonly error: string | undefined;
}

export function accountPage(page: FormPage, users: readonly { user: User; signedIn: boolean }[]): Response {
  const accounts = users.map(
    ({ user, signedIn }) =>
      html`<button id="account-${user.name}" name="account" value="${user.username}">${avatar(user)}<span><strong>${user.displayName}</strong>${user.guest ? " (guest)" : ""}<br>
<small>${user.username}${signedIn ? ", signed in" : ""}</small></span></button>`,
  );
  const other = form(
    page,
    html`<label for="username">User name<input id="username" name="account" type="email" autocomplete="username" required></label>
<button id="next" class="main" type="submit">Next</button>`,
  );
  const body = html`${notice(page)}<p>to continue to <strong id="app-name">${page.appName}</strong></p>
${form(page, html`<div class="accounts">${accounts}</div>`)}
<details${page.error === undefined ? "" : html` open`}><summary>Use another account</summary>${other}</details>`;
  return pageResponse({ title: "Pick an account", body });
}

/** The password is filled in: the people of the local tenant exist to be tried. */
export function passwordPage(page: FormPage, user: User): Response {
  const fields = html`<label for="password">Password<input id="password" name="password" type="password" value="${user.password}" autocomplete="off" required autofocus></label>
<div class="choice"><button id="sign-in" class="main" type="submit">Sign in</button>
<button id="other-account" name="other-account" value="1" formnovalidate>Use another account</button></div>`;
  const body = html`${signingIn(user)}${notice(page)}${form(page, fields)}
<p class="note">The password is filled in. It is new at each start, and also in <code>.local/environment.json</code>.</p>`;
  return pageResponse({ title: "Enter password", body });
}

export function secondFactorPage(page: FormPage, user: User): Response {
  const fields = html`<div class="choice"><button id="approve" class="main" name="second-factor" value="approve">Approve</button>
<button id="deny" name="second-factor" value="deny">Deny</button></div>`;
  const body = html`${signingIn(user)}${notice(page)}
<div class="phone"><svg viewBox="0 0 24 24" aria-hidden="true"><rect x="6" y="2" width="12" height="20" rx="2.5"/><path d="M9.5 12l2 2 3.5-4"/></svg>
<p><strong id="app-name">${page.appName}</strong> needs a second factor.</p>
<p class="note">This page stands for the authenticator app on your phone.</p></div>${form(page, fields)}`;
  return pageResponse({ title: "Approve sign in request", body });
}

export function consentPage(page: FormPage, user: User, scopes: readonly string[]): Response {
  const list = scopes.map((scope) => html`<li>${permissionText(scope)} <code>${scope}</code></li>`);
  const fields = html`<div class="choice"><button id="accept" class="main" name="consent" value="accept">Accept</button>
<button id="cancel" name="consent" value="cancel">Cancel</button></div>`;
  const body = html`${signingIn(user)}${notice(page)}
<p><strong id="app-name">${page.appName}</strong> would like to:</p><ul id="scopes">${list}</ul>
<p class="note">Accept only if you trust this application. Your consent applies to your account in Contoso Local.</p>${form(page, fields)}`;
  return pageResponse({ title: "Permissions requested", body });
}

/** Device code: another person may have started the sign-in on the device, so the page asks the user to confirm it. */
export function confirmDevicePage(page: FormPage, user: User): Response {
  const fields = html`<div class="choice"><button id="continue" class="main" name="device" value="continue">Continue</button>
<button id="cancel" name="device" value="cancel">Cancel</button></div>`;
  const body = html`${signingIn(user)}${notice(page)}
<p>You sign in on another device to <strong id="app-name">${page.appName}</strong>. Continue only if you started this sign-in yourself.</p>${form(page, fields)}`;
  return pageResponse({ title: `Are you trying to sign in to ${page.appName}?`, body });
}

export function userCodePage(action: string, error: string | undefined): Response {
  const body = html`${alert(error)}<p>Enter the code that your application or device shows.</p><form method="post" action="${action}">
<label for="user-code">Code<input id="user-code" name="user-code" autocomplete="off" required autofocus></label>
<button id="next" class="main" type="submit">Next</button></form>`;
  return pageResponse({ title: "Enter code to allow access", body });
}

export function messagePage(title: string, id: string, text: string): Response {
  return pageResponse({ title, body: html`<p id="${id}">${text}</p>` });
}

// ---------------------------------------------------------------------------------------------------------------

function form({ action, flow }: FormPage, fields: Html): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="flow" value="${flow}">
${fields}</form>`;
}

function signingIn(user: User): Html {
  return html`<div class="person">${avatar(user)}<span id="signing-in-as">${user.username}</span></div>`;
}

/** The initials. */
function avatar({ givenName, familyName }: User): Html {
  return html`<span class="avatar" aria-hidden="true">${givenName.charAt(0)}${familyName.charAt(0)}</span>`;
}

function notice({ error }: FormPage): Html {
  return alert(error);
}

function alert(text: string | undefined): Html {
  return text === undefined ? html`` : html`<p id="error" role="alert">${text}</p>`;
}
