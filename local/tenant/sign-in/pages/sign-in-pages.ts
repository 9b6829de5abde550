/**
 * The pages of a sign-in. Each page is one form that posts its sealed state (`flow`) and the user's answer.
 */
import type { User } from "../../directory/directory.ts";
import { type Html, html, pageResponse } from "./page.ts";

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
      html`<button id="account-${user.name}" name="account" value="${user.username}">${user.displayName}<br>
<small>${user.username}${signedIn ? ", signed in" : ""}</small></button>`,
  );
  const body = html`${notice(page)}<p>to continue to <strong id="app-name">${page.appName}</strong></p>
${form(page, html`<div class="accounts">${accounts}</div>`)}
${form(
  page,
  html`<label for="username">Another account<input id="username" name="account" type="email" autocomplete="username" required></label>
<button id="next" type="submit">Next</button>`,
)}`;
  return pageResponse({ title: "Pick an account", body });
}

export function passwordPage(page: FormPage, user: User): Response {
  const fields = html`<label for="password">Password<input id="password" name="password" type="password" autocomplete="current-password" required autofocus></label>
<button id="sign-in" type="submit">Sign in</button>
<button id="other-account" name="other-account" value="1" formnovalidate>Use another account</button>`;
  const body = html`<p id="signing-in-as">${user.username}</p>${notice(page)}${form(page, fields)}
<p class="note">The local tenant creates new passwords at each start: see <code>.local/environment.json</code>.</p>`;
  return pageResponse({ title: "Enter password", body });
}

export function secondFactorPage(page: FormPage, user: User): Response {
  const fields = html`<button id="approve" name="second-factor" value="approve">Approve</button>
<button id="deny" name="second-factor" value="deny">Deny</button>`;
  const body = html`<p id="signing-in-as">${user.username}</p>${notice(page)}
<p>The request of ${page.appName} needs a second factor. In the local tenant, this page replaces the authenticator app.</p>${form(page, fields)}`;
  return pageResponse({ title: "Approve sign in request", body });
}

export function consentPage(page: FormPage, user: User, scopes: readonly string[]): Response {
  const list = scopes.map((scope) => html`<li><code>${scope}</code></li>`);
  const fields = html`<button id="accept" name="consent" value="accept">Accept</button>
<button id="cancel" name="consent" value="cancel">Cancel</button>`;
  const body = html`<p id="signing-in-as">${user.username}</p>${notice(page)}
<p><strong id="app-name">${page.appName}</strong> would like to:</p><ul id="scopes">${list}</ul>${form(page, fields)}`;
  return pageResponse({ title: "Permissions requested", body });
}

/** Device code: another person may have started the sign-in on the device, so the page asks the user to confirm it. */
export function confirmDevicePage(page: FormPage, user: User): Response {
  const fields = html`<button id="continue" name="device" value="continue">Continue</button>
<button id="cancel" name="device" value="cancel">Cancel</button>`;
  const body = html`<p id="signing-in-as">${user.username}</p>${notice(page)}
<p>Are you trying to sign in to <strong id="app-name">${page.appName}</strong>? Continue only if you started this sign-in yourself.</p>${form(page, fields)}`;
  return pageResponse({ title: `Are you trying to sign in to ${page.appName}?`, body });
}

export function userCodePage(action: string, error: string | undefined): Response {
  const body = html`${alert(error)}<form method="post" action="${action}">
<label for="user-code">Code<input id="user-code" name="user-code" autocomplete="off" required autofocus></label>
<button id="next" type="submit">Next</button></form>`;
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

function notice({ error }: FormPage): Html {
  return alert(error);
}

function alert(text: string | undefined): Html {
  return text === undefined ? html`` : html`<p id="error" role="alert">${text}</p>`;
}
