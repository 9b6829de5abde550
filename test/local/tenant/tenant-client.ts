/** Requests to the local tenant that no SDK sends. */
import { CLIENT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import type { LocalTenant } from "../../../local/tenant/local-tenant.ts";

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  text: string;
}

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text), text };
}

export function postToken(
  tenant: LocalTenant,
  form: Record<string, string>,
  segment: string = TENANT_ID,
): Promise<Answer> {
  return send(`${tenant.url}/${segment}/oauth2/v2.0/token`, { method: "POST", body: new URLSearchParams(form) });
}

export function secretOf(tenant: LocalTenant, name: string): string {
  return tenant.state.directory.registration(name)?.secrets.at(-1)?.value ?? "";
}

export function passwordOf(tenant: LocalTenant, name: string): string {
  return tenant.state.directory.user(name)?.password ?? "";
}

/** The form fields of the client authentication of a seeded confidential client. */
export function asClient(tenant: LocalTenant, name: "service" | "appOnly" | "web" | "daemon" | "stranger") {
  return { client_id: CLIENT_IDS[name], client_secret: secretOf(tenant, name) };
}

const ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** A valid on-behalf-of request of the service with changed fields. */
export function onBehalfOfForm(tenant: LocalTenant, changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...asClient(tenant, "service"),
    grant_type: ON_BEHALF_OF,
    requested_token_use: "on_behalf_of",
    assertion: tenant.state.mintUserToken(),
    scope: "https://graph.microsoft.com/User.Read",
    ...changes,
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
