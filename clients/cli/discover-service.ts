/**
 * For `login` alone: asks a service where its tokens come from (RFC 9728). The answer is believed only as far as it cannot hurt: the
 * document must be about the service that was asked (section 3.3), the authority must be one of Microsoft's, and the
 * scope must look like a service's own, so that a hostile service cannot collect tokens for Graph. That it is not another
 * service's is for rival-services.ts to see.
 */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { isLoopback } from "./loopback.ts";
import { jsonObject, send } from "./send.ts";

export interface DiscoveredService {
  readonly authority: string;
  readonly scope: string;
}

/** https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
const ENTRA_HOSTS = ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];
const ISSUER_PATH = /^\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/v2\.0$/i;
/** The form of the setting APP_ID_URI. */
const OWN_SCOPE = /^(?:api|https):\/\/[\w.~-]+(?:\/[\w.~-]+)*\/access_as_user$/;
/** An App ID URI with https lies in a domain of the tenant; Microsoft's own APIs lie in these. */
const MICROSOFT_API =
  /^https:\/\/(?:[^/]+\.)?(?:microsoft|windows|azure|office|office365|sharepoint|dynamics|powerapps|powerbi|live|outlook|visualstudio|chinacloudapi|usgovcloudapi|microsoftonline|azure-api)\.(?:com|us|net|cn)\//i;

export async function discoverService(service: string, timeoutMs: number): Promise<DiscoveredService> {
  const url = wellKnown(service);
  const { status, text } = await send({ url, timeoutMs });
  const document = status === 200 ? jsonObject(text) : undefined;
  if (document === undefined) throw refused(status >= 500, `${url} answered ${status} and not with its metadata.`);
  if (document["resource"] !== service) throw refused(false, `The metadata at ${url} is about another service.`);
  const authority = texts(document["authorization_servers"])
    .map((one) => toAuthority(one, service))
    .find(Boolean);
  if (authority === undefined) throw refused(false, `${service} names no authority of Microsoft Entra.`);
  const scope = texts(document["scopes_supported"]).find(isOwnScope);
  if (scope === undefined) throw refused(false, `${service} does not name its scope access_as_user.`);
  return { authority, scope };
}

/** RFC 9728 section 3.1: the well-known part goes between host and path. */
function wellKnown(service: string): string {
  const { origin, pathname } = new URL(service);
  return `${origin}/.well-known/oauth-protected-resource${pathname === "/" ? "" : pathname}`;
}

/** An issuer's URL as MSAL wants its authority. Only a service on this machine may name an authority on this machine. */
function toAuthority(issuer: string, service: string): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const tenant = ISSUER_PATH.exec(url?.pathname ?? "")?.[1];
  if (url === undefined || tenant === undefined || url.protocol !== "https:") return undefined;
  const trusted = ENTRA_HOSTS.includes(url.host) || (isLoopback(url) && isLoopback(new URL(service)));
  return trusted ? `${url.origin}/${tenant}` : undefined;
}

function isOwnScope(scope: string): boolean {
  return OWN_SCOPE.test(scope) && !MICROSOFT_API.test(scope);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function refused(later: boolean, message: string): CliFailure {
  return new CliFailure(later ? EXIT.unavailable : EXIT.refused, "discovery", message);
}
