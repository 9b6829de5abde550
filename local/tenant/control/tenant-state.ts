/**
 * The tenant as tests and the local stack hold it: its parts, and every control operation as a method.
 * `POST /_control/{operation}` runs the same operations for other processes.
 */
import type { Directory } from "../directory/directory.ts";
import { fillVault } from "../directory/seed.ts";
import { VAULT_SECRET_NAMES } from "../directory/seed-ids.ts";
import type { Tenant } from "../tenant.ts";
import { createApplicationOperations } from "./application-operations.ts";
import { createPeopleOperations } from "./people-operations.ts";
import { createServiceOperations } from "./service-operations.ts";
import { createSignInOperations } from "./sign-in-operations.ts";
import { createVaultOperations } from "./vault-operations.ts";

export type TenantOperations = ReturnType<typeof createOperations>;

export interface TenantState extends Tenant, TenantOperations {
  /** Bearer key of `/_control`. */
  readonly controlKey: string;
}

export function createTenantState(tenant: Tenant, controlKey: string): TenantState {
  return { ...tenant, ...createOperations(tenant), controlKey };
}

function createOperations(tenant: Tenant) {
  return {
    ...createServiceOperations(tenant),
    ...createPeopleOperations(tenant),
    ...createApplicationOperations(tenant),
    ...createVaultOperations(tenant),
    ...createSignInOperations(tenant),
    /** Everything but keys and issued tokens back to how it started: orders, log, directory, vault, clock. */
    reset: () => {
      tenant.orders.clear();
      tenant.log.clear();
      tenant.requirements.length = 0;
      tenant.deviceCodes.clear();
      tenant.clock.setOffsetMs(0);
      tenant.directory.restore();
      tenant.vault.clear();
      fillVault(tenant.vault, tenant.directory);
    },
    /** Ids, user names, passwords and secrets: what a developer needs to call the service by hand. */
    seed: () => describeSeed(tenant),
  };
}

function describeSeed(tenant: Tenant) {
  const { directory, identity, url, tenantId } = tenant;
  return {
    url,
    tenantId,
    identity: { endpoint: identity.endpoint, header: identity.header },
    vaultSecrets: Object.values(VAULT_SECRET_NAMES),
    users: directory.users.map(({ name, oid, username, password, guest }) => ({
      name,
      oid,
      username,
      password,
      guest,
    })),
    applications: describeApplications(directory),
  };
}

function describeApplications({ registrations }: Directory) {
  return registrations.map(({ name, displayName, clientId, objectId, appIdUris, publicClient, secrets }) => ({
    name,
    displayName,
    clientId,
    objectId,
    appIdUris,
    publicClient,
    secret: secrets.at(-1)?.value,
  }));
}
