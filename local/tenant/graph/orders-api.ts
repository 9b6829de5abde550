/**
 * The tenant's second API, `https://api.contoso.local/orders`, served at `/orders`. With it, tests check tokens for a resource
 * other than Graph. It refuses a token without the required scope.
 */
import { CLIENT_IDS } from "../directory/seed-ids.ts";
import { type BearerTenant, readBearer, rolesOf, scopesOf } from "../oauth/bearer.ts";

export interface ApiAnswer {
  status: number;
  body: object;
  headers: Readonly<Record<string, string>>;
}

export function answerOrdersRequest(
  tenant: BearerTenant,
  method: string,
  authorization: string | undefined,
): ApiAnswer {
  const finding = readBearer(tenant, authorization, [CLIENT_IDS.orders]);
  if (finding.kind !== "valid") {
    const challenge = `Bearer error="invalid_token", error_description="${finding.kind}"`;
    return { status: 401, body: { error: "invalid_token" }, headers: { "WWW-Authenticate": challenge } };
  }
  const needed = method === "GET" ? ["Orders.Read", "Orders.Read.All"] : ["Orders.Write"];
  const held = [...scopesOf(finding.claims), ...rolesOf(finding.claims)];
  if (!needed.some((permission) => held.includes(permission))) {
    return { status: 403, body: { error: "insufficient_scope" }, headers: {} };
  }
  const value = [{ id: 1, item: "paper" }];
  return { status: 200, body: { value, for: finding.claims["oid"] }, headers: {} };
}
