/** The local tenant for a test file. This process trusts its certificate and can use its managed identity. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, inject } from "vitest";
import { generatePrivateKey } from "../../local/tenant/keys/signing-key.ts";
import { type LocalTenant, type LocalTenantOptions, startLocalTenant } from "../../local/tenant/local-tenant.ts";
import { createLocalTls } from "../../local/tls/local-tls.ts";

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
  const { caPem, serverKeyPem, serverCertPem } = createLocalTls();
  setDefaultCACertificates([...getCACertificates("default"), caPem]);
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

let taken = 0;

/** The next key of the global setup. No two tenants of a test file have the same key. */
export async function newPrivateKey(): Promise<KeyObject> {
  const pem = inject("signingKeys")[taken++];
  return pem === undefined ? generatePrivateKey() : createPrivateKey(pem);
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
