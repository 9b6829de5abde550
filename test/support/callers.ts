/** The callers in the tests: tokens of the local tenant, and the headers and forms that carry them. */
import { CLIENT_IDS, USER_IDS } from "../../local/tenant/directory/seed-ids.ts";
import type { LocalWorld } from "./service-under-test.ts";

export { CLIENT_IDS, USER_IDS };

type Tenant = LocalWorld["tenant"];
type UserToken = NonNullable<Parameters<Tenant["state"]["mintUserToken"]>[0]>;
type AppToken = NonNullable<Parameters<Tenant["state"]["mintAppToken"]>[0]>;

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
export const CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** By default Alice's token for the web application. */
export function userToken({ tenant }: { tenant: Tenant }, overrides: UserToken = {}): string {
  return tenant.state.mintUserToken({ user: "alice", client: "web", ...overrides });
}

/** By default the web application's own token. */
export function appToken({ tenant }: { tenant: Tenant }, overrides: AppToken = {}): string {
  return tenant.state.mintAppToken({ client: "web", ...overrides });
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** RFC 8693 section 2.1. */
export function exchangeForm(subject: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    audience: "graph",
    ...more,
  };
}

/** RFC 7523 section 2.1, as Entra's clients send it. */
export function jwtBearerForm(assertion: string, more: Record<string, string> = {}): Record<string, string> {
  return { grant_type: JWT_BEARER, assertion, requested_token_use: "on_behalf_of", audience: "graph", ...more };
}

/** RFC 7523 section 2.2. */
export function clientAssertion(token: string): Record<string, string> {
  return { client_assertion: token, client_assertion_type: CLIENT_ASSERTION };
}

/** The claims of a token, without validation. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
}
