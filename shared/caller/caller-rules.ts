/**
 * The rules that every caller's token must satisfy, created once from configuration. Empty or malformed settings throw a
 * TypeError, so that the service does not start without a rule: jose, like most libraries, silently skips a check whose
 * expected value is `undefined`. No I/O.
 */
import { isGuid } from "../core/guid.ts";

export interface CallerSettings {
  /** The tenant this deployment serves. */
  readonly tenantId: string;
  /** Client id of the service's registration: the audience of its callers' tokens. */
  readonly clientId: string;
  /** Entra's origin in this cloud. */
  readonly authorityHost: string;
  /** Origin of v1 issuers in this cloud. */
  readonly v1IssuerBase: string;
  /** App ID URI of the service's registration: the audience that its v1 tokens may have. */
  readonly appIdUri: string;
  /** Audiences accepted in v1 tokens. Empty: v1 tokens are refused. */
  readonly v1Audiences: readonly string[];
  /** Whether guests of the tenant may be user callers. */
  readonly allowGuests: boolean;
  /** Microsoft Graph's resource URIs in this cloud, to recognise its tokens. */
  readonly graphResources: readonly string[];
}

export interface CallerRules {
  readonly tenantId: string;
  readonly clientId: string;
  readonly v2Issuer: string;
  readonly v1Issuer: string;
  readonly v1Audiences: readonly string[];
  /** Audiences of a v1 token that was issued for this service, whether accepted or not. */
  readonly ownV1Audiences: readonly string[];
  readonly allowGuests: boolean;
  readonly graphAudiences: readonly string[];
}

const NIL_GUID = "00000000-0000-0000-0000-000000000000";

/** Microsoft Graph's client id, the same in every tenant and cloud (E-38). */
const GRAPH_CLIENT_ID = "00000003-0000-0000-c000-000000000000";

/** Claims are compared as text, so a GUID must be in lower case, as Entra writes it. The nil GUID identifies nothing. */
export function isGuidClaim(value: unknown): value is string {
  return isGuid(value) && value === value.toLowerCase() && value !== NIL_GUID;
}

export function createCallerRules(settings: CallerSettings): CallerRules {
  const tenantId = guidSetting("tenantId", settings.tenantId);
  const clientId = guidSetting("clientId", settings.clientId);
  const authorityHost = originSetting("authorityHost", settings.authorityHost);
  const appIdUri = textSetting("appIdUri", settings.appIdUri);
  const v1IssuerBase = originSetting("v1IssuerBase", settings.v1IssuerBase);
  if (typeof settings.allowGuests !== "boolean") throw new TypeError("allowGuests must be true or false");
  return Object.freeze({
    tenantId,
    clientId,
    v2Issuer: `${authorityHost}/${tenantId}/v2.0`,
    v1Issuer: `${v1IssuerBase}/${tenantId}/`,
    v1Audiences: listSetting("v1Audiences", settings.v1Audiences),
    ownV1Audiences: withSlashes([clientId, `api://${clientId}`, appIdUri]),
    allowGuests: settings.allowGuests,
    graphAudiences: withSlashes([GRAPH_CLIENT_ID, ...listSetting("graphResources", settings.graphResources)]),
  });
}

// ---------------------------------------------------------------------------------------------------------------

function guidSetting(name: string, value: unknown): string {
  const guid = typeof value === "string" ? value.toLowerCase() : undefined;
  if (!isGuidClaim(guid)) throw new TypeError(`${name} must be a GUID`);
  return guid;
}

function originSetting(name: string, value: unknown): string {
  if (typeof value !== "string" || !URL.canParse(value) || new URL(value).origin !== value) {
    throw new TypeError(`${name} must be an origin`);
  }
  if (!value.startsWith("https://")) throw new TypeError(`${name} must be https`);
  return value;
}

function textSetting(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError(`${name} must be a non-empty string`);
  return value;
}

function listSetting(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string" && item !== "")) {
    throw new TypeError(`${name} must be a list of non-empty strings`);
  }
  return Object.freeze([...value]);
}

/** Entra writes the audience of a v1 token as the client requested it, with or without a slash at its end (E-31). */
function withSlashes(audiences: readonly string[]): readonly string[] {
  return Object.freeze(audiences.flatMap((audience) => [audience, `${audience}/`]));
}
