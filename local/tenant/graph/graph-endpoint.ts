/**
 * A part of Microsoft Graph: `/me`, `/me/messages`, `/users` and `/servicePrincipals`, with Graph's checks and errors.
 */
import type { Directory, User } from "../directory/directory.ts";
import { CLIENT_IDS, RESOURCE_URIS } from "../directory/seed-ids.ts";
import type { JsonObject } from "../keys/compact-jws.ts";
import { type BearerFinding, type BearerTenant, readBearer, rolesOf, scopesOf } from "../oauth/bearer.ts";
import {
  caeChallenge,
  type GraphAnswer,
  type GraphContext,
  graphError,
  graphSuccess,
  revocationClaims,
} from "./graph-answer.ts";
import { answerServicePrincipals } from "./service-principals.ts";

export interface GraphTenant extends BearerTenant {
  readonly directory: Directory;
}

export interface GraphRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  clientRequestId: string | undefined;
}

const AUDIENCES = [RESOURCE_URIS.graph, `${RESOURCE_URIS.graph}/`, CLIENT_IDS.graph];
const TOKEN_PROBLEMS: Readonly<Record<Exclude<BearerFinding["kind"], "valid">, string>> = {
  missing: "Access token is empty.",
  malformed: "CompactToken parsing failed with error code: 80049217",
  "unknown-key": "Access token validation failure. Signature is invalid.",
  "bad-signature": "Access token validation failure. Signature is invalid.",
  "wrong-issuer": "Access token validation failure. Invalid issuer.",
  "wrong-audience": "Access token validation failure. Invalid audience.",
  expired: "Lifetime validation failed, the token is expired.",
};

export function answerGraphRequest(tenant: GraphTenant, request: GraphRequest): GraphAnswer {
  const context = graphContext(tenant, request.clientRequestId);
  const finding = readBearer(tenant, request.authorization, AUDIENCES);
  if (finding.kind !== "valid") {
    return graphError(context, 401, "InvalidAuthenticationToken", TOKEN_PROBLEMS[finding.kind]);
  }
  const user = tenant.directory.user(String(finding.claims["oid"]));
  const revoked = challengeRevoked(context, finding.claims, user);
  if (revoked !== undefined) return revoked;
  const path = request.path.replace(/^\/(v1\.0|beta)/, "").replace(/\/$/, "");
  if (request.method !== "GET") {
    return graphError(context, 405, "Request_BadRequest", "Specified HTTP method is not allowed.");
  }
  if (/^\/servicePrincipals(\/|$)/.test(path)) {
    return answerServicePrincipals(tenant.directory, context, { path, query: request.query, claims: finding.claims });
  }
  if (path === "/users") return listUsers(tenant, context, finding.claims);
  if (path === "/me" || path === "/me/messages") return answerMe(context, path, finding.claims, user);
  const text = `Resource not found for the segment '${path.split("/")[1] ?? ""}'.`;
  return graphError(context, 400, "BadRequest", text);
}

export function graphContext(
  tenant: Pick<GraphTenant, "url" | "clock">,
  clientRequestId: string | undefined,
): GraphContext {
  return { url: tenant.url, nowMs: tenant.clock.nowMs(), clientRequestId };
}

/** After a revocation Graph challenges only tokens of clients that declared `cp1`. Other tokens stay valid until they expire. */
function challengeRevoked(context: GraphContext, claims: JsonObject, user: User | undefined): GraphAnswer | undefined {
  const capable = Array.isArray(claims["xms_cc"]) && claims["xms_cc"].includes("cp1");
  const backdatedMs = (Number(claims["iat"]) + 300) * 1000;
  if (!capable || user === undefined || backdatedMs + 999 >= user.tokensValidFromMs) return undefined;
  return caeChallenge(context, revocationClaims(user.tokensValidFromMs));
}

function answerMe(context: GraphContext, path: string, claims: JsonObject, user: User | undefined): GraphAnswer {
  if (user === undefined) {
    return graphError(context, 400, "BadRequest", "/me request is only valid with delegated authentication flow.");
  }
  const scopes = scopesOf(claims);
  if (path === "/me") {
    const allowed = scopes.some((scope) => scope.startsWith("User.Read"));
    return allowed ? graphSuccess(context, profile(context, user)) : denied(context);
  }
  if (!scopes.includes("Mail.Read")) {
    return graphError(context, 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");
  }
  const value = [{ id: `local-${user.name}-1`, subject: `Welcome, ${user.givenName}`, isRead: false }];
  return graphSuccess(context, {
    "@odata.context": `${context.url}/v1.0/$metadata#users('${user.oid}')/messages`,
    value,
  });
}

/** The permission is a scope in user tokens and an app role in application tokens. */
function listUsers(tenant: GraphTenant, context: GraphContext, claims: JsonObject): GraphAnswer {
  const allowed = [...scopesOf(claims), ...rolesOf(claims)].includes("User.Read.All");
  if (!allowed) return denied(context);
  const value = tenant.directory.users.map((user) => profile(context, user));
  return graphSuccess(context, { "@odata.context": `${context.url}/v1.0/$metadata#users`, value });
}

function denied(context: GraphContext): GraphAnswer {
  return graphError(context, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
}

function profile(context: GraphContext, user: User): object {
  return {
    "@odata.context": `${context.url}/v1.0/$metadata#users/$entity`,
    id: user.oid,
    displayName: user.displayName,
    givenName: user.givenName,
    surname: user.familyName,
    userPrincipalName: user.username,
    mail: user.username,
  };
}
