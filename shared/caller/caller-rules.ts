/**
 * The rules that every caller's token must satisfy, created once from configuration. Empty or malformed settings throw a
 * TypeError, so that the service does not start without a rule: jose, like most libraries, silently skips a check whose
 * expected value is `undefined`. No I/O.
 */
import { isGuid } from "../core/guid.ts";

/** The names of a registration that an audience can have. */
export interface RegistrationNames {
  readonly clientId: string;
  /** The audience that its v1 tokens may have. */
  readonly appIdUri: string;
}

export interface CallerSettings {
  /** The tenant this deployment serves. */
  readonly tenantId: string;
  /** The service's registrations, the default one first: their client ids are the audiences of callers' tokens. */
  readonly registrations: readonly RegistrationNames[];
  /** Entra's origin in this cloud. */
  readonly authorityHost: string;
  /** Origin of v1 issuers in this cloud. */
  readonly v1IssuerBase: string;
  /** Audiences accepted in v1 tokens. Empty: v1 tokens are refused. */
  readonly v1Audiences: readonly string[];
  /** Whether guests of the tenant may be user callers. */
  readonly allowGuests: boolean;
  /** Microsoft Graph's resource URIs in this cloud, to recognise its tokens. */
  readonly graphResources: readonly string[];
}

export interface CallerRules {
  readonly tenantId: string;
  /** Client ids of the service's registrations. */
  readonly registrations: readonly string[];
  readonly v2Issuer: string;
  readonly v1Issuer: string;
  /** Accepted v1 audience → client id of the registration that it belongs to. */
  readonly v1Audiences: ReadonlyMap<string, string>;
  /** Audience of a v1 token that was issued for this service, whether accepted or not → client id. */
  readonly ownV1Audiences: ReadonlyMap<string, string>;
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
  const registrations = registrationSettings(settings.registrations);
  const authorityHost = originSetting("authorityHost", settings.authorityHost);
  const v1IssuerBase = originSetting("v1IssuerBase", settings.v1IssuerBase);
  if (typeof settings.allowGuests !== "boolean") throw new TypeError("allowGuests must be true or false");
  const own = new Map(registrations.flatMap((one) => v1AudiencesOf(one).map((name) => [name, one.clientId] as const)));
  return Object.freeze({
    tenantId,
    registrations: Object.freeze(registrations.map(({ clientId }) => clientId)),
    v2Issuer: `${authorityHost}/${tenantId}/v2.0`,
    v1Issuer: `${v1IssuerBase}/${tenantId}/`,
    v1Audiences: withOwners(listSetting("v1Audiences", settings.v1Audiences), own, registrations),
    ownV1Audiences: own,
    allowGuests: settings.allowGuests,
    graphAudiences: withSlashes([GRAPH_CLIENT_ID, ...listSetting("graphResources", settings.graphResources)]),
  });
}

/** Client id of the registration that an audience names. Undefined: none of this service. */
export function registrationOfAudience(rules: CallerRules, audience: unknown): string | undefined {
  if (typeof audience !== "string") return undefined;
  if (rules.registrations.includes(audience)) return audience;
  return rules.v1Audiences.get(audience) ?? rules.ownV1Audiences.get(audience);
}

// ---------------------------------------------------------------------------------------------------------------

function registrationSettings(value: unknown): readonly RegistrationNames[] {
  if (!Array.isArray(value) || value.length === 0) throw new TypeError("registrations must be a non-empty list");
  const registrations = value.map(({ clientId, appIdUri }: RegistrationNames) => ({
    clientId: guidSetting("clientId", clientId),
    appIdUri: textSetting("appIdUri", appIdUri),
  }));
  // Otherwise one audience could name two registrations.
  const names = registrations.flatMap(({ clientId, appIdUri }) => [
    ...new Set([clientId, `api://${clientId}`, appIdUri.toLowerCase()]),
  ]);
  if (new Set(names).size < names.length) throw new TypeError("registrations must have different names");
  return registrations;
}

function v1AudiencesOf({ clientId, appIdUri }: RegistrationNames): readonly string[] {
  return withSlashes([...new Set([clientId, `api://${clientId}`, appIdUri])]);
}

/**
 * An accepted audience that is no known name of a registration is a further App ID URI of the default one. Owners are
 * compared without case, as Entra compares App ID URIs; tokens are compared exactly.
 */
function withOwners(
  audiences: readonly string[],
  own: ReadonlyMap<string, string>,
  [first]: readonly RegistrationNames[],
): ReadonlyMap<string, string> {
  const owners = new Map([...own].map(([name, clientId]) => [name.toLowerCase(), clientId]));
  const fallback = first?.clientId ?? "";
  return new Map(audiences.map((audience) => [audience, owners.get(audience.toLowerCase()) ?? fallback]));
}

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
