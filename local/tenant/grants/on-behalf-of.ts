/**
 * On-behalf-of: exchanges a user's token for this client for a token for another API (E-65 lists the refusals).
 */
import type { Registration } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";
import { decodeCompact, type JsonObject, verifyRs256 } from "../keys/compact-jws.ts";
import { v1Issuer, v2Issuer } from "../oauth/issuers.ts";
import { assertNotRevoked } from "../oauth/revocation.ts";
import { parseScopes } from "../oauth/scopes.ts";
import { required } from "../oauth/token-request.ts";
import { toLongTimestamp } from "../time/timestamps.ts";
import { activeUser, type Grant, type GrantTenant } from "./grant.ts";

export const onBehalfOfGrant: Grant = {
  name: "on-behalf-of",
  wireNames: ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
  confidentialOnly: true,
  anyTenant: false,
  redeem: ({ tenant, form, client }) => {
    const assertion = required(form, "assertion");
    if (required(form, "requested_token_use") !== "on_behalf_of") throw entraError(90013);
    const request = parseScopes(tenant, required(form, "scope"), "refuse");
    if (request.resource === client && request.audience !== client.clientId) {
      throw entraError(90009, { app: client.clientId, name: client.displayName });
    }
    const claims = verifiedClaims(tenant, assertion);
    assertForThisClient(claims, client);
    assertInTime(tenant, claims);
    assertUserToken(claims, client);
    const user = activeUser(tenant, String(claims["oid"]));
    const { issuedAtMs, satisfied } = tokenHistory(tenant, claims);
    assertNotRevoked(user, issuedAtMs);
    return { kind: "user", user, request, satisfied };
  },
};

function verifiedClaims(tenant: GrantTenant, assertion: string): JsonObject {
  const jws = decodeCompact(assertion);
  if (jws === undefined) throw entraError(50027);
  const key = tenant.keys.find(String(jws.header["kid"]));
  if (key === undefined || !tenant.keys.signsForTenant(key)) {
    throw entraError(50013, { reason: "The key was not found." });
  }
  if (!verifyRs256(jws, key.publicKey)) {
    const thumbprint = Buffer.from(key.kid, "base64url").toString("hex").toUpperCase();
    const failed = "Key was found, but use of the key to verify the signature failed.";
    throw entraError(50013, { reason: `${failed}, Thumbprint of key used by client: '${thumbprint}'` });
  }
  const { iss, tid } = jws.payload;
  if (tid !== tenant.tenantId || (iss !== v2Issuer(tenant) && iss !== v1Issuer(tenant))) {
    throw entraError(50013, { reason: "The issuer was not recognized." });
  }
  return jws.payload;
}

/** Compares the audience case-sensitively (500131). ID tokens have the same audience and get 240002. */
function assertForThisClient(claims: JsonObject, client: Registration): void {
  const { aud } = claims;
  const expected = [client.clientId, ...client.appIdUris];
  if (typeof aud !== "string" || !expected.includes(aud)) {
    throw entraError(500131, { audience: String(aud), app: client.clientId, name: client.displayName });
  }
  const isAccessToken = "azp" in claims || "appid" in claims || "scp" in claims || "roles" in claims;
  if (!isAccessToken) throw entraError(240002);
}

/** Without leeway (500133). */
function assertInTime(tenant: GrantTenant, { nbf, exp }: JsonObject): void {
  const nowMs = tenant.clock.nowMs();
  if (typeof exp === "number" && exp * 1000 > nowMs && Number(nbf ?? 0) * 1000 <= nowMs) return;
  const expiry = toLongTimestamp(Number.isFinite(exp) ? Number(exp) * 1000 : 0);
  throw entraError(500133, { now: toLongTimestamp(nowMs), expiry });
}

/** Microsoft documents no code for an app-only assertion. 7000114 is the code for applications that act on behalf of applications. */
function assertUserToken({ scp }: JsonObject, client: Registration): void {
  if (typeof scp !== "string" || scp === "") throw entraError(7000114, { app: client.clientId });
}

function tokenHistory(tenant: GrantTenant, { aio, iat }: JsonObject): { issuedAtMs: number; satisfied: string[] } {
  const unsealed = typeof aio === "string" ? tenant.sealer.unseal(aio) : undefined;
  return isHistory(unsealed)
    ? { issuedAtMs: unsealed.at, satisfied: unsealed.satisfied }
    : { issuedAtMs: Number(iat) * 1000, satisfied: [] };
}

function isHistory(value: unknown): value is { at: number; satisfied: string[] } {
  return typeof value === "object" && value !== null && "at" in value && "satisfied" in value;
}
