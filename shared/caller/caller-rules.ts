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
  /** Audiences accepted in v1 tokens. Empty: v1 tokens are refused. */
  readonly v1Audiences: readonly string[];
  /** Whether guests of the tenant may be user callers. */
  readonly allowGuests: boolean;
}

export interface CallerRules {
  readonly tenantId: string;
  readonly clientId: string;
  readonly v2Issuer: string;
  readonly v1Issuer: string;
  readonly v1Audiences: readonly string[];
  readonly allowGuests: boolean;
}

const NIL_GUID = "00000000-0000-0000-0000-000000000000";

/** Claims are compared as text, so a GUID must be in lower case, as Entra writes it. The nil GUID identifies nothing. */
export function isGuidClaim(value: unknown): value is string {
  return isGuid(value) && value === value.toLowerCase() && value !== NIL_GUID;
}

export function createCallerRules(settings: CallerSettings): CallerRules {
  const tenantId = guidSetting("tenantId", settings.tenantId);
  const clientId = guidSetting("clientId", settings.clientId);
  const authorityHost = originSetting("authorityHost", settings.authorityHost);
  const v1IssuerBase = originSetting("v1IssuerBase", settings.v1IssuerBase);
  if (typeof settings.allowGuests !== "boolean") throw new TypeError("allowGuests must be true or false");
  return Object.freeze({
    tenantId,
    clientId,
    v2Issuer: `${authorityHost}/${tenantId}/v2.0`,
    v1Issuer: `${v1IssuerBase}/${tenantId}/`,
    v1Audiences: audiencesSetting(settings.v1Audiences),
    allowGuests: settings.allowGuests,
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

function audiencesSetting(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string" && item !== "")) {
    throw new TypeError("v1Audiences must be a list of non-empty strings");
  }
  return Object.freeze([...value]);
}
