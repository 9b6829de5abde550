/**
 * Builds the answer of a scripted response: an AADSTS error, a throttling answer in the form of the endpoint, a Graph
 * challenge, or a literal answer.
 */
import type { Directory } from "../directory/directory.ts";
import { EntraError } from "../errors/entra-error.ts";
import { caeChallenge, revocationClaims } from "../graph/graph-answer.ts";
import { graphContext } from "../graph/graph-endpoint.ts";
import { jsonResponse } from "../http/responses.ts";
import type { Issuer } from "../oauth/issuers.ts";
import type { Clock } from "../time/clock.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { ResponseScript } from "./scripted-responses.ts";

export interface ScriptingTenant extends Issuer {
  readonly clock: Clock;
  readonly directory: Directory;
}

/** Returns undefined if the script only delays the ordinary answer. */
export function answerFromScript(
  tenant: ScriptingTenant,
  spec: ResponseScript,
  facts: RequestFacts,
): Response | EntraError | undefined {
  if (spec.aadsts !== undefined) {
    return new EntraError(spec.aadsts, { ...spec, values: { ...knownValues(tenant, facts), ...spec.values } });
  }
  if (spec.throttleSeconds !== undefined) return throttled(facts.endpoint, spec.throttleSeconds);
  if (spec.caeChallenge !== undefined) {
    const claims = spec.caeChallenge === true ? revocationClaims(tenant.clock.nowMs()) : spec.caeChallenge;
    return jsonResponse(caeChallenge(graphContext(tenant, undefined), claims));
  }
  if (spec.status === undefined && spec.body === undefined) return undefined;
  const { status = 200, headers = {}, body = "" } = spec;
  return typeof body === "string"
    ? new Response(body, { status, headers: { "Content-Type": "text/plain", ...headers } })
    : jsonResponse({ status, headers, body });
}

/** Entra answers plain text (E-110). Key Vault (KV-30) and Graph answer JSON. */
function throttled(endpoint: string, seconds: number): Response {
  const headers = { "Retry-After": String(seconds) };
  if (endpoint === "vault") {
    const message = "Request was not processed because too many requests were received.";
    return jsonResponse({ status: 429, headers, body: { error: { code: "Throttled", message } } });
  }
  if (endpoint === "graph") {
    const error = { code: "TooManyRequests", message: "Too many requests." };
    return jsonResponse({ status: 429, headers, body: { error } });
  }
  return new Response("Too Many Requests", { status: 429, headers: { ...headers, "Content-Type": "text/plain" } });
}

/** The values of the request, for the placeholders of an AADSTS text. */
function knownValues(tenant: ScriptingTenant, facts: RequestFacts): Record<string, string> {
  const { client = "", user = "", form = {} } = facts;
  return {
    app: client,
    name: tenant.directory.registration(client)?.displayName ?? "",
    tenant: tenant.tenantId,
    user: tenant.directory.user(user)?.username ?? "",
    scope: form["scope"] ?? "",
    grantType: form["grant_type"] ?? "",
    resource: "00000003-0000-0000-c000-000000000000",
  };
}
