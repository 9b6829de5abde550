/**
 * Only for `login`: reads the protected resource metadata of a service (RFC 9728). The service is not trusted: the
 * document must name the requested service (section 3.3), the authority must be Microsoft Entra, and the scope must not
 * belong to a Microsoft API, so that a hostile service cannot collect tokens for Graph. service-conflicts.ts checks that
 * the scope does not belong to another saved service.
 */
import { CliFailure } from "./cli-failure.ts";
import { EXIT } from "./exit-codes.ts";
import { isLoopback } from "./loopback.ts";
import type { Network } from "./network.ts";
import { parseJsonObject, send } from "./send.ts";

export interface DiscoveredService {
  readonly authority: string;
  readonly scope: string;
}

/** https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
const ENTRA_HOSTS = ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];
const ISSUER_PATH = /^\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/v2\.0$/i;
/** The form of the setting APP_ID_URI. */
const OWN_SCOPE = /^(?:api|https):\/\/[\w.~-]+(?:\/[\w.~-]+)*\/access_as_user$/;
/** An https App ID URI is in a domain of the tenant. Microsoft's own APIs are in these domains. */
const MICROSOFT_API =
  /^https:\/\/(?:[^/]+\.)?(?:microsoft|windows|azure|office|office365|sharepoint|dynamics|powerapps|powerbi|live|outlook|visualstudio|chinacloudapi|usgovcloudapi|microsoftonline|azure-api)\.(?:com|us|net|cn)\//i;

/** Which of the service's scopes to request: `required` must be among them, `preferred` is used if it is. */
export interface ScopeChoice {
  readonly required: string | undefined;
  readonly preferred: string | undefined;
}

export async function discoverService(
  service: string,
  network: Network,
  choice: ScopeChoice,
): Promise<DiscoveredService> {
  const url = wellKnown(service);
  const { status, text } = await send({ url, network });
  const document = status === 200 ? parseJsonObject(text) : undefined;
  if (document === undefined) throw discoveryFailure(status >= 500, `${url} returned ${status} and no metadata.`);
  if (document["resource"] !== service)
    throw discoveryFailure(false, `The metadata at ${url} is about another service.`);
  const authority = strings(document["authorization_servers"])
    .map((one) => toAuthority(one, service))
    .find(Boolean);
  if (authority === undefined)
    throw discoveryFailure(false, `The metadata of ${service} names no Microsoft Entra authority.`);
  return { authority, scope: chooseScope(service, strings(document["scopes_supported"]).filter(isOwnScope), choice) };
}

/** A service with several registrations lists a scope for each, the default one first. */
function chooseScope(service: string, scopes: readonly string[], { required, preferred }: ScopeChoice): string {
  if (required !== undefined && !scopes.includes(required))
    throw discoveryFailure(false, `The metadata of ${service} does not name the scope ${required}.`);
  const scope = required ?? scopes.find((one) => one === preferred) ?? scopes[0];
  if (scope === undefined)
    throw discoveryFailure(false, `The metadata of ${service} names no scope access_as_user of its registration.`);
  return scope;
}

/** RFC 9728 section 3.1: the well-known part goes between host and path. */
function wellKnown(service: string): string {
  const { origin, pathname } = new URL(service);
  return `${origin}/.well-known/oauth-protected-resource${pathname === "/" ? "" : pathname}`;
}

/** Converts an issuer URL to an MSAL authority. Only a loopback service may name a loopback authority. */
function toAuthority(issuer: string, service: string): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const tenant = ISSUER_PATH.exec(url?.pathname ?? "")?.[1];
  if (url === undefined || tenant === undefined || url.protocol !== "https:") return undefined;
  const trusted = ENTRA_HOSTS.includes(url.host) || (isLoopback(url) && isLoopback(new URL(service)));
  return trusted ? `${url.origin}/${tenant}` : undefined;
}

/** An `access_as_user` of an API that is not Microsoft's. */
export function isOwnScope(scope: string): boolean {
  return OWN_SCOPE.test(scope) && !MICROSOFT_API.test(scope);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function discoveryFailure(later: boolean, message: string): CliFailure {
  return new CliFailure(later ? EXIT.unavailable : EXIT.refused, "discovery", message);
}
