/**
 * Checks where the answer to an authorization request may go. Until the address is known to be registered, each failure is
 * shown on a page of the tenant and never redirects (RFC 6749 section 4.1.2.1). After that, each failure goes to the client.
 */
import type { Registration } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";
import { type ClientTenant, findClient } from "../oauth/client-authentication.ts";
import { type Form, required } from "../oauth/token-request.ts";

export type ResponseMode = "query" | "fragment" | "form_post";

export interface ReplyAddress {
  readonly client: Registration;
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state: string | undefined;
}

const RESPONSE_MODES: readonly string[] = ["query", "fragment", "form_post"];
const LOOPBACK = new Set(["localhost", "127.0.0.1"]);

export function readReplyAddress(tenant: ClientTenant, params: Form): ReplyAddress {
  const client = findClient(tenant, required(params, "client_id"));
  const redirectUri = params.get("redirect_uri");
  if (redirectUri === undefined) throw entraError(900971);
  if (!client.redirectUris.some((registered) => matchesRedirectUri(registered, redirectUri))) {
    throw entraError(50011, { presented: redirectUri, app: client.clientId });
  }
  const responseMode = params.get("response_mode") ?? "query";
  if (!isResponseMode(responseMode)) throw entraError(90023, { parameter: "response_mode" });
  return { client, redirectUri, responseMode, state: params.get("state") };
}

/**
 * Compares exactly, except that the port of a loopback address does not count (RFC 8252 section 7.3,
 * https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions).
 */
export function matchesRedirectUri(registered: string, presented: string): boolean {
  if (registered === presented) return true;
  if (!URL.canParse(registered) || !URL.canParse(presented)) return false;
  const [expected, actual] = [new URL(registered), new URL(presented)];
  return (
    expected.protocol === "http:" &&
    actual.protocol === "http:" &&
    LOOPBACK.has(expected.hostname) &&
    expected.hostname === actual.hostname &&
    expected.pathname === actual.pathname &&
    expected.search === actual.search &&
    actual.username === "" &&
    actual.hash === ""
  );
}

function isResponseMode(text: string): text is ResponseMode {
  return RESPONSE_MODES.includes(text);
}
