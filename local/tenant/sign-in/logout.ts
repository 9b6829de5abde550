/**
 * `GET|POST /{tenant}/oauth2/v2.0/logout` ends the browser's session. It redirects only to an address that an application has
 * registered (https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request).
 */
import type { Directory } from "../directory/directory.ts";
import { messagePage } from "./pages/sign-in-pages.ts";
import { redirectTo } from "./reply.ts";
import { matchesRedirectUri } from "./reply-address.ts";
import { endOfSessionCookie } from "./session.ts";
import type { BrowserRequest } from "./sign-in-endpoint.ts";

export interface LogoutTenant {
  readonly directory: Directory;
}

export function answerLogout(tenant: LogoutTenant, { form }: BrowserRequest): Response {
  const returnAddress = form.get("post_logout_redirect_uri");
  const response =
    returnAddress !== undefined && isRegistered(tenant, returnAddress)
      ? redirectTo(withState(returnAddress, form.get("state")))
      : messagePage("You signed out of your account", "signed-out", "It's a good idea to close all browser windows.");
  response.headers.append("Set-Cookie", endOfSessionCookie);
  return response;
}

function isRegistered(tenant: LogoutTenant, address: string): boolean {
  return tenant.directory.registrations.some(({ redirectUris }) =>
    redirectUris.some((registered) => matchesRedirectUri(registered, address)),
  );
}

function withState(address: string, state: string | undefined): string {
  return state === undefined
    ? address
    : `${address}${address.includes("?") ? "&" : "?"}${new URLSearchParams({ state })}`;
}
