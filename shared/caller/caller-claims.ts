/**
 * The checks of a token's claims: the rules of Entra that no JWT library knows, and the registered claims of RFC 7519
 * with exact types (a JWT library accepts an `aud` list that contains other audiences, an infinite `exp`, and any `ver`).
 * A fault that a newer token has too is reported before expiry, so that the caller does not get a new token in vain. The identity is `tid`, `oid` and the client id. Names and mail addresses (`upn`, `email`,
 * `preferred_username`, `unique_name`) can be changed by their owner, so they are never read.
 *
 * Pure: no I/O, no clock, no signature (`verify-signature.ts` comes first). Unknown claims are ignored, and a URL in a
 * claim (`_claim_sources`) is never fetched.
 */

import { isJsonObject, type JsonObject, member } from "../core/json-object.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { TokenRefusal } from "../core/token-refusal.ts";
import { type Agent, readAgent } from "./agent.ts";
import { type CallerKind, readCallerKind, readRoles } from "./caller-kind.ts";
import { type CallerRules, isGuidClaim } from "./caller-rules.ts";
import { checkTokenTimes } from "./token-times.ts";

/** A `Caller` without its token, the token's digest, and the mark of validation. */
export type CheckedClaims = CallerKind & {
  readonly tenantId: string;
  readonly objectId: string;
  readonly clientId: string;
  readonly agent: Agent | undefined;
  readonly registration: string;
  readonly confidential: boolean;
  readonly roles: readonly string[];
  readonly tokenId: string | undefined;
  readonly expiresAtSeconds: number;
  readonly understandsClaimsChallenge: boolean;
  readonly claims: JsonObject;
};

/** The version of a token, and the registration that its audience names. */
interface Addressed {
  readonly version: TokenVersion;
  readonly registration: string;
}

/** v1 and v2 tokens name the client, and how it authenticated, in different claims. */
interface TokenVersion {
  readonly clientClaim: "appid" | "azp";
  readonly otherClientClaim: "appid" | "azp";
  readonly authenticationClaim: "appidacr" | "azpacr";
}

const V1: TokenVersion = { clientClaim: "appid", otherClientClaim: "azp", authenticationClaim: "appidacr" };
const V2: TokenVersion = { clientClaim: "azp", otherClientClaim: "appid", authenticationClaim: "azpacr" };

/** Claims of a token that names an actor, who acts on behalf of the subject (RFC 8693 section 4.1). */
const ACTOR_CLAIMS = ["act", "actort", "actortoken"] as const;
/** Claims that only ID tokens contain (OpenID Connect Core sections 2 and 3.3.2.11). */
const ID_TOKEN_CLAIMS = ["nonce", "at_hash", "c_hash"] as const;

/** `ofTenant`: the key that signed the token is one of the tenant, and not one that Entra keeps for a claims mapping. */
export function checkCallerClaims(
  payload: unknown,
  rules: CallerRules,
  nowSeconds: number,
  ofTenant = true,
): Result<CheckedClaims, TokenRefusal> {
  if (!isJsonObject(payload)) return fail("not_json");
  const addressed = readAddressee(payload, rules);
  if (!addressed.ok) return addressed;
  const { version, registration } = addressed.value;
  const refusal =
    checkTenant(payload, rules) ??
    checkBearer(payload) ??
    checkTokenTimes(payload, nowSeconds) ??
    checkIdentity(payload) ??
    checkClient(payload, version, rules);
  if (refusal !== undefined) return fail(refusal);
  const roles = readRoles(payload);
  if (!roles.ok) return roles;
  const kind = readCallerKind(payload, roles.value, rules);
  if (!kind.ok) return kind;
  const identity = toIdentity(payload, version);
  const agent = ofTenant ? readAgent(payload, kind.value.kind, identity.clientId) : undefined;
  return succeed({ ...kind.value, ...identity, registration, agent, roles: roles.value });
}

/**
 * Checks the claims of a token that has passed before. Only the time can have changed since. The tenant and the
 * registration are checked again too, because no other check separates tenants and registrations.
 */
export function recheckCallerClaims(
  checked: CheckedClaims,
  rules: CallerRules,
  nowSeconds: number,
): Result<CheckedClaims, TokenRefusal> {
  const refusal = checkTenant(checked.claims, rules) ?? checkTokenTimes(checked.claims, nowSeconds);
  if (!rules.registrations.includes(checked.registration)) return fail("audience");
  return refusal === undefined ? succeed(checked) : fail(refusal);
}

// ---------------------------------------------------------------------------------------------------------------

/** Issuer, `ver` and audience belong together: all three differ between the versions. */
function readAddressee(payload: JsonObject, rules: CallerRules): Result<Addressed, TokenRefusal> {
  const issuer = member(payload, "iss");
  const audience = member(payload, "aud");
  const version = member(payload, "ver");
  if (issuer === rules.v2Issuer) {
    if (version !== "2.0") return fail("version");
    const registration = rules.registrations.find((clientId) => clientId === audience);
    return registration === undefined ? fail(foreignAudience(payload, rules)) : succeed({ version: V2, registration });
  }
  if (issuer !== rules.v1Issuer) return fail("issuer");
  if (version !== "1.0") return fail("version");
  const registration = typeof audience === "string" ? rules.v1Audiences.get(audience) : undefined;
  if (registration !== undefined) return succeed({ version: V1, registration });
  const acceptsNoV1 = rules.v1Audiences.size === 0;
  // A v1 token for this service: its registration does not set `requestedAccessTokenVersion` to 2 (E-30).
  return acceptsNoV1 && isOneOf([...rules.ownV1Audiences.keys()], audience) && !isIdToken(payload)
    ? fail("version")
    : fail(foreignAudience(payload, rules));
}

/** Why the token has another audience. An ID token has its client as audience, or this service in a v1 ID token. */
function foreignAudience(payload: JsonObject, rules: CallerRules): TokenRefusal {
  if (isOneOf(rules.graphAudiences, member(payload, "aud"))) return "graph_token";
  return isIdToken(payload) ? "id_token" : "audience";
}

function isOneOf(list: readonly string[], value: unknown): boolean {
  return typeof value === "string" && list.includes(value);
}

function checkTenant(payload: JsonObject, rules: CallerRules): TokenRefusal | undefined {
  return member(payload, "tid") === rules.tenantId ? undefined : "tenant";
}

/** The token must be a bearer access token: not bound to a key (RFC 7800), without an actor, and not an ID token. */
function checkBearer(payload: JsonObject): TokenRefusal | undefined {
  const has = (name: string) => Object.hasOwn(payload, name);
  if (has("cnf")) return "sender_constrained";
  if (ACTOR_CLAIMS.some(has)) return "actor_token";
  return isIdToken(payload) ? "id_token" : undefined;
}

function isIdToken(payload: JsonObject): boolean {
  const has = (name: string) => Object.hasOwn(payload, name);
  return (!has("azp") && !has("appid") && !has("scp")) || ID_TOKEN_CLAIMS.some(has);
}

function checkIdentity(payload: JsonObject): TokenRefusal | undefined {
  const subject = member(payload, "sub");
  return isGuidClaim(member(payload, "oid")) && typeof subject === "string" && subject !== "" ? undefined : "identity";
}

function checkClient(payload: JsonObject, version: TokenVersion, rules: CallerRules): TokenRefusal | undefined {
  const client = member(payload, version.clientClaim);
  if (!isGuidClaim(client)) return "client";
  // Entra sends one of the two. Both with equal values are harmless; with different values they would be ambiguous.
  if (Object.hasOwn(payload, version.otherClientClaim) && member(payload, version.otherClientClaim) !== client) {
    return "client";
  }
  return rules.registrations.includes(client) ? "own_client" : undefined;
}

/** Reads claims that the checks above have accepted; `String` and `Number` only narrow the type. */
function toIdentity(payload: JsonObject, version: TokenVersion) {
  const authentication = member(payload, version.authenticationClaim);
  const tokenId = member(payload, "uti");
  return {
    tenantId: String(member(payload, "tid")),
    objectId: String(member(payload, "oid")),
    clientId: String(member(payload, version.clientClaim)),
    // "0" is a public client; an unknown value does not count as client authentication.
    confidential: authentication === "1" || authentication === "2",
    tokenId: typeof tokenId === "string" ? tokenId : undefined,
    expiresAtSeconds: Number(member(payload, "exp")),
    understandsClaimsChallenge: understandsClaimsChallenge(member(payload, "xms_cc")),
    claims: payload,
  };
}

/** `xms_cc`: the client's declared capabilities. `cp1`, in any case, means that it handles claims challenges. */
function understandsClaimsChallenge(capabilities: unknown): boolean {
  return (
    Array.isArray(capabilities) &&
    capabilities.some((capability) => typeof capability === "string" && capability.toLowerCase() === "cp1")
  );
}
