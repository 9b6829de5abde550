/**
 * The local tenant in this process, trusted and with the managed identity's endpoint in the environment, as Azure sets
 * it. The SDKs are real; only the servers are local.
 */
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type LocalTenant, startLocalTenant } from "../../../../local/tenant/local-tenant.ts";
import { createLocalTls } from "../../../../local/tls/local-tls.ts";

export async function startTrustedTenant(): Promise<LocalTenant> {
  const { caPem, serverKeyPem, serverCertPem } = createLocalTls();
  setDefaultCACertificates([...getCACertificates("default"), caPem]);
  const tenant = await startLocalTenant({ port: 0, tls: { key: serverKeyPem, cert: serverCertPem } });
  process.env["IDENTITY_ENDPOINT"] = tenant.state.identity.endpoint;
  process.env["IDENTITY_HEADER"] = tenant.state.identity.header;
  return tenant;
}
