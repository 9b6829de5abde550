/**
 * Builds the content of `.local/environment.json` for a running stack: the addresses, and the users and client
 * applications of the local tenant in seed order.
 */
import type { LocalEnvironment } from "../caller/environment.ts";
import type { LocalTenant } from "../tenant/local-tenant.ts";

/** The applications that call the service. The other registrations are resources and identities. */
const callerNames = ["web", "public", "daemon", "stranger", "cli", "reports", "assistant"];

export function describeEnvironment(stack: {
  tenant: LocalTenant;
  serviceUrl: string;
  caCertPath: string;
}): LocalEnvironment {
  const { tenant, serviceUrl, caCertPath } = stack;
  const { tenantId, controlKey } = tenant.state;
  const { users, applications } = tenant.state.seed();
  const service = applications.find(({ name }) => name === "service");
  if (service === undefined) throw new Error("The local tenant has no registration for the service.");
  const callers = applications
    .filter(({ name }) => callerNames.includes(name))
    .map(({ name, clientId, secret }) => [name, { clientId, ...(secret !== undefined && { clientSecret: secret }) }]);
  return {
    serviceUrl,
    authority: `${tenant.url}/${tenantId}`,
    tenantId,
    graphUrl: tenant.url,
    vaultUrl: tenant.url,
    caCertPath,
    service: { clientId: service.clientId, scope: "access_as_user", audience: `api://${service.clientId}` },
    callers: Object.fromEntries(callers),
    users: Object.fromEntries(users.map(({ name, username, password, oid }) => [name, { username, password, oid }])),
    controlUrl: `${tenant.url}/_control`,
    controlKey,
  };
}
