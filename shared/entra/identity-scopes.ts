/**
 * The scopes of a sign-in that only says who the person is. MSAL Node adds `offline_access` to every request and has no
 * option against it (its `OIDC_DEFAULT_SCOPES`), so the service replaces `scope` in what MSAL made. Pure.
 */

const IDENTITY_SCOPES = "openid profile";

/** The authorization URL, with these scopes only. */
export function urlForIdentity(text: string): string {
  const url = new URL(text);
  url.searchParams.set("scope", IDENTITY_SCOPES);
  return url.href;
}

/** The body of a token request, with these scopes only. */
export function bodyForIdentity(text: string): string {
  const form = new URLSearchParams(text);
  form.set("scope", IDENTITY_SCOPES);
  return form.toString();
}
