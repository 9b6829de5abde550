/** The local tenant for a test file. This process trusts its certificate and can use its managed identity. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { ManagedIdentityApplication } from "@azure/msal-node";
import { afterAll, beforeAll, inject } from "vitest";
import { type LocalTenant, type LocalTenantOptions, startLocalTenant } from "../../local/tenant/local-tenant.ts";

/** Starts the tenant before the first test and stops it after the last. Call it at the top of a file or `describe`. */
export function useTenant(options: Partial<LocalTenantOptions> = {}): LocalTenant {
  let tenant: LocalTenant | undefined;
  beforeAll(async () => {
    tenant = await startTrustedTenant(options);
  });
  afterAll(() => tenant?.close());
  return current(() => tenant);
}

export async function startTrustedTenant(options: Partial<LocalTenantOptions> = {}): Promise<LocalTenant> {
  const { caPem, serverKeyPem, serverCertPem } = inject("tls");
  trustAuthority(caPem);
  forgetManagedIdentity();
  const tenant = await startLocalTenant({
    port: 0,
    tls: { key: serverKeyPem, cert: serverCertPem },
    newPrivateKey,
    ...options,
  });
  // The managed identity SDK reads these variables, as in Azure.
  process.env["IDENTITY_ENDPOINT"] = tenant.state.identity.endpoint;
  process.env["IDENTITY_HEADER"] = tenant.state.identity.header;
  return tenant;
}

/** The files of one worker share its authorities, and each change of them costs 10 ms. */
function trustAuthority(caPem: string): void {
  const trusted = getCACertificates("default");
  if (!trusted.some((pem) => pem.trim() === caPem.trim())) setDefaultCACertificates([...trusted, caPem]);
}

/** MSAL keeps the endpoint of the managed identity and its tokens in static members. They are those of an earlier tenant. */
function forgetManagedIdentity(): void {
  const client: unknown = Reflect.get(new ManagedIdentityApplication(), "managedIdentityClient");
  if (client instanceof Object) Reflect.set(client.constructor, "identitySource", undefined);
  Reflect.set(ManagedIdentityApplication, "nodeStorage", undefined);
}

let taken = 0;

/** The keys of the global setup in turn. */
export async function newPrivateKey(): Promise<KeyObject> {
  const keys = inject("signingKeys");
  return createPrivateKey(keys[taken++ % keys.length] ?? "");
}

/** An object whose members are those of the value that `get` returns at the time of each access. */
export function current<T extends object>(get: () => T | undefined): T {
  return new Proxy({} as T, {
    get(_target, member) {
      const value = get();
      if (value === undefined) throw new Error("This fixture has not started. Use it inside a hook or a test.");
      return Reflect.get(value, member);
    },
  });
}
