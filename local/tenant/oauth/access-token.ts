/**
 * Builds the header and the claims of access tokens. The resource, not the endpoint, decides between v1.0 and v2.0
 * (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference). The caller signs the token.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Directory, Registration, User } from "../directory/directory.ts";
import { CLIENT_IDS } from "../directory/seed-ids.ts";
import type { JsonObject } from "../keys/compact-jws.ts";
import type { Sealer } from "../keys/sealer.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import type { Clock } from "../time/clock.ts";
import { type Issuer, v1Issuer, v2Issuer } from "./issuers.ts";

export interface AccessTokenTenant extends Issuer {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly sealer: Sealer;
}

/** How the client authenticated (E-32): "0" public client, "1" secret, "2" certificate or federated credential. */
export type ClientAuthKind = "0" | "1" | "2";

export interface AccessTokenInput {
  readonly client: Registration;
  readonly clientAuth: ClientAuthKind;
  readonly resource: Registration;
  /** As requested. Only a v1 token repeats it (E-31). */
  readonly audience: string;
  /** Absent: a token of the application itself. */
  readonly user?: User;
  readonly scopes?: readonly string[];
  readonly capabilities: readonly string[];
  readonly satisfied: readonly string[];
  readonly lifetimeSeconds: number;
}

/** Entra dates tokens back by five minutes (E-39). */
const BACKDATE_SECONDS = 300;

export function buildAccessToken(
  tenant: AccessTokenTenant,
  input: AccessTokenInput,
  key: SigningKey,
): { header: JsonObject; payload: JsonObject } {
  const { resource } = input;
  const v1 = resource.tokenVersion === 1;
  const header: JsonObject = { typ: "JWT", alg: "RS256", ...(v1 ? { x5t: key.kid } : {}), kid: key.kid };
  if (resource.clientId === CLIENT_IDS.graph) header["nonce"] = randomBytes(32).toString("base64url");
  const issued = tenant.clock.nowSeconds() - BACKDATE_SECONDS;
  const payload: JsonObject = {
    aud: v1 ? input.audience : resource.clientId,
    iss: v1 ? v1Issuer(tenant) : v2Issuer(tenant),
    iat: issued,
    nbf: issued,
    exp: tenant.clock.nowSeconds() + input.lifetimeSeconds,
    ...(v1 ? v1ClientClaims(input) : { azp: input.client.clientId, azpacr: input.clientAuth }),
    ...(input.user === undefined ? appClaims(tenant, input) : userClaims(tenant, input, input.user)),
    ...agentClaims(input),
    aio: tenant.sealer.seal({ at: tenant.clock.stampMs(), satisfied: input.satisfied }),
    rh: `1.A${randomBytes(30).toString("base64url")}.`,
    tid: tenant.tenantId,
    uti: randomBytes(16).toString("base64url"),
    ver: v1 ? "1.0" : "2.0",
    xms_ftd: randomBytes(32).toString("base64url"),
    ...capabilityClaim(input),
  };
  return { header, payload };
}

/** 60 to 90 minutes, or 20 to 28 hours if client and resource both support claims challenges (E-39). */
export function tokenLifetimeSeconds(resource: Registration, capabilities: readonly string[]): number {
  const long = resource.longLivedTokens && capabilities.some((one) => one.toLowerCase() === "cp1");
  return long ? randomBetween(72_000, 100_500) : randomBetween(3_599, 5_399);
}

/** A user has a different `sub` in every application (E-35). */
export function pairwiseSubject(oid: string, clientId: string): string {
  return createHash("sha256").update(`${oid}|${clientId}`).digest("base64url");
}

function v1ClientClaims({ client, clientAuth }: AccessTokenInput): JsonObject {
  return { appid: client.clientId, appidacr: clientAuth, app_displayname: client.displayName };
}

/** The claims of an application (E-33). */
function appClaims(tenant: AccessTokenTenant, { client, resource }: AccessTokenInput): JsonObject {
  const roles = tenant.directory.rolesOf(client.objectId, resource.clientId);
  return {
    ...(resource.tokenVersion === 1 ? { idp: v1Issuer(tenant) } : {}),
    ...(resource.optionalClaims.idtyp ? { idtyp: "app" } : {}),
    oid: client.objectId,
    sub: client.objectId,
    ...(roles.length > 0 ? { roles } : {}),
  };
}

/** The client is an agent identity (E-113, E-114). Facet 11 stands for one; the others say nothing about agents. */
function agentClaims({ client, user }: AccessTokenInput): JsonObject {
  if (client.blueprint === undefined) return {};
  return {
    xms_act_fct: "3 9 11",
    xms_sub_fct: user === undefined ? "9 3 11" : "2 3",
    xms_idrel: user === undefined ? "7 10" : "1 8",
    xms_par_app_azp: client.blueprint,
  };
}

function userClaims(tenant: AccessTokenTenant, input: AccessTokenInput, user: User): JsonObject {
  const { resource, scopes = [] } = input;
  const roles = tenant.directory.rolesOf(user.oid, resource.clientId);
  const contexts = input.satisfied.flatMap((one) => (one.startsWith("acrs:") ? one.slice(5) : []));
  return {
    ...(resource.tokenVersion === 1 ? v1UserClaims(input, user) : { preferred_username: user.username }),
    ...(contexts.length > 0 ? { acrs: contexts } : {}),
    ...(resource.optionalClaims.acct ? { acct: user.guest ? 1 : 0 } : {}),
    ...(resource.optionalClaims.idtypUser ? { idtyp: "user" } : {}),
    ...(user.idp === undefined ? {} : { idp: user.idp }),
    name: user.displayName,
    oid: user.oid,
    scp: scopes.join(" "),
    sub: pairwiseSubject(user.oid, resource.clientId),
    ...(roles.length > 0 ? { roles } : {}),
  };
}

function v1UserClaims({ satisfied }: AccessTokenInput, user: User): JsonObject {
  return {
    acr: "1",
    amr: satisfied.length > 0 ? ["pwd", "mfa"] : ["pwd"],
    family_name: user.familyName,
    given_name: user.givenName,
    ipaddr: "127.0.0.1",
    unique_name: user.username,
    upn: user.username,
  };
}

/** The capabilities that the client declared, if the resource requested this claim (E-40). */
function capabilityClaim({ capabilities, resource }: AccessTokenInput): JsonObject {
  return capabilities.length > 0 && resource.optionalClaims.xmsCc ? { xms_cc: [...capabilities] } : {};
}

function randomBetween(least: number, most: number): number {
  return least + Math.floor(Math.random() * (most - least + 1));
}
