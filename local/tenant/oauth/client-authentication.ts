/**
 * Client authentication (RFC 6749 section 2.3): by secret, certificate or federated identity. A public client sends none.
 */
import { timingSafeEqual } from "node:crypto";
import type { Directory, Registration } from "../directory/directory.ts";
import { entraError } from "../errors/entra-error.ts";
import type { ClientAuthKind } from "./access-token.ts";
import { type AssertionTenant, checkClientAssertion } from "./client-assertion.ts";
import { type Form, presentedClient } from "./token-request.ts";

/** The members that `findClient` needs. */
export interface ClientTenant {
  readonly tenantId: string;
  readonly directory: Directory;
}

export interface AuthenticatedClient {
  client: Registration;
  clientAuth: ClientAuthKind;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NIL = "00000000-0000-0000-0000-000000000000";

export function authenticateClient(
  tenant: AssertionTenant,
  form: Form,
  authorization: string | undefined,
  mustBeConfidential: boolean,
): AuthenticatedClient {
  const { clientId, secret } = presentedClient(form, authorization);
  if (clientId === undefined) throw entraError(900144, { parameter: "client_id" });
  const client = findClient(tenant, clientId);
  const assertion = form.get("client_assertion");
  if (client.publicClient && !mustBeConfidential) {
    if (secret !== undefined || assertion !== undefined) throw entraError(700025);
    return { client, clientAuth: "0" };
  }
  if (assertion !== undefined) {
    checkClientAssertion(tenant, client, assertion, form.get("client_assertion_type"));
    return { client, clientAuth: "2" };
  }
  if (secret === undefined && client.allowPublicClientFlows && !mustBeConfidential) return { client, clientAuth: "0" };
  if (secret === undefined) throw entraError(7000218);
  checkSecret(tenant, client, secret);
  return { client, clientAuth: "1" };
}

export function findClient(tenant: ClientTenant, clientId: string): Registration {
  if (clientId === NIL || !GUID.test(clientId)) {
    throw entraError(clientId === NIL ? 700038 : 700016, where(tenant, clientId));
  }
  const client = tenant.directory.registration(clientId);
  if (client === undefined) throw entraError(700016, where(tenant, clientId));
  if (client.disabled) throw entraError(7000112, { app: client.clientId, name: client.displayName });
  return client;
}

function where(tenant: ClientTenant, app: string): Record<string, string> {
  return { app, tenant: tenant.tenantId };
}

function checkSecret(tenant: AssertionTenant, client: Registration, presented: string): void {
  const known = client.secrets.find((secret) => sameBytes(secret.value, presented));
  if (known === undefined) throw entraError(7000215, { app: client.clientId });
  if (known.refusedUses > 0) {
    known.refusedUses -= 1;
    throw entraError(7000215, { app: client.clientId });
  }
  if (known.expiresAtMs <= tenant.clock.nowMs()) throw entraError(7000222, { app: client.clientId });
}

function sameBytes(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
