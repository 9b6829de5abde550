/**
 * A part of Microsoft Graph: `/me`, its mailbox, photo and files, `/users` and `$batch`, with Graph's checks and errors.
 * Paths are compared without case, as Graph does.
 */
import type { Directory, User } from "../directory/directory.ts";
import { CLIENT_IDS, RESOURCE_URIS } from "../directory/seed-ids.ts";
import type { JsonObject } from "../keys/compact-jws.ts";
import { type BearerFinding, type BearerTenant, readBearer, rolesOf, scopesOf } from "../oauth/bearer.ts";
import { answerBatch } from "./batch.ts";
import { answerDrive, answerPhoto } from "./files.ts";
import {
  caeChallenge,
  type GraphAnswer,
  type GraphContext,
  graphError,
  graphSuccess,
  revocationClaims,
} from "./graph-answer.ts";
import type { GraphCall, GraphRequest } from "./graph-request.ts";
import { accessDenied, answerMessages, notAllowed } from "./messages.ts";

export interface GraphTenant extends BearerTenant {
  readonly directory: Directory;
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
  const [, version = "/v1.0", path = ""] = /^(\/(?:v1\.0|beta))(.*?)\/?$/i.exec(decodePath(request.path)) ?? [];
  // HEAD is a GET whose body the server leaves out.
  const call = {
    context,
    request: { ...request, method: request.method === "HEAD" ? "GET" : request.method },
    claims: finding.claims,
  };
  if (path.toLowerCase() === "/$batch" && request.method === "POST") {
    return answerBatch(context, request, version, (inner) => answerGraphRequest(tenant, inner));
  }
  if (/^\/me(\/|$)/i.test(path)) return answerMe(call, path.slice("/me".length), user);
  if (call.request.method !== "GET") return notAllowed(context);
  if (path.toLowerCase() === "/users") return listUsers(tenant, context, finding.claims);
  return noSegment(context, path);
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

function answerMe(call: GraphCall, path: string, user: User | undefined): GraphAnswer {
  const { context, request, claims } = call;
  if (user === undefined) {
    return graphError(context, 400, "BadRequest", "/me request is only valid with delegated authentication flow.");
  }
  const [, first = ""] = path.toLowerCase().split("/");
  switch (first) {
    case "messages":
      return answerMessages(call, user, path.slice("/messages".length));
    case "sendmail":
      return sendMail(call);
    case "photo":
      return answerPhoto(call);
    case "drive":
      return answerDrive(call, path.slice("/drive".length));
    case "": {
      if (request.method !== "GET") return notAllowed(context);
      const allowed = scopesOf(claims).some((scope) => scope.startsWith("User.Read"));
      return allowed ? graphSuccess(context, profile(context, user)) : denied(context);
    }
    default:
      return noSegment(context, path);
  }
}

/** https://learn.microsoft.com/graph/api/user-sendmail */
function sendMail({ context, request, claims }: GraphCall): GraphAnswer {
  if (request.method !== "POST") return notAllowed(context);
  if (!scopesOf(claims).includes("Mail.Send")) return accessDenied(context);
  return { ...graphSuccess(context, undefined), status: 202 };
}

function noSegment(context: GraphContext, path: string): GraphAnswer {
  return graphError(context, 400, "BadRequest", `Resource not found for the segment '${path.split("/")[1] ?? ""}'.`);
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
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
