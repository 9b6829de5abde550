/**
 * Builds the content of `.local/environment.json` for a running stack: the addresses, and the users and client
 * applications of the local tenant in seed order.
 */
import type { LocalEnvironment } from "../caller/environment.ts";
import type { LocalTenant } from "../tenant/local-tenant.ts";

/** The applications that call the service. The other registrations are resources and identities. */
const callerNames = ["web", "public", "daemon", "stranger", "cli", "reports", "intranet", "assistant"];
/** Callers that request tokens for another registration of the service than the default one. */
const registrationOf = new Map([["intranet", "narrow"]]);

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
  const audienceOf = (caller: string) => applications.find(({ name }) => name === registrationOf.get(caller))?.clientId;
  const callers = applications
    .filter(({ name }) => callerNames.includes(name))
    .map(({ name, clientId, secret }) => {
      const audience = audienceOf(name);
      const other = audience === undefined ? {} : { audience: `api://${audience}` };
      return [name, { clientId, ...(secret !== undefined && { clientSecret: secret }), ...other }];
    });
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
