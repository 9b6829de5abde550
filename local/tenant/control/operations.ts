/**
 * Every control operation, as a method for tests and the local stack. `POST /_control/{operation}` runs the same
 * operations for other processes.
 */
import type { Directory } from "../directory/directory.ts";
import { VAULT_SECRET_NAMES } from "../directory/seed-ids.ts";
import type { ManagedIdentityEndpoint } from "../identity/managed-identity.ts";
import type { Requirement } from "../oauth/requirements.ts";
import type { UnattendedSignInTenant } from "../sign-in/without-browser.ts";
import { fillVault } from "../vault/fill-vault.ts";
import { type ApplicationTenant, createApplicationOperations } from "./application-operations.ts";
import { type BlobTenant, createBlobOperations } from "./blob-operations.ts";
import { createServiceOperations, type ServiceTenant } from "./service-operations.ts";
import { createSignInOperations } from "./sign-in-operations.ts";
import { createTopicOperations, type TopicTenant } from "./topic-operations.ts";
import { createUserOperations, type UserOperationsTenant } from "./user-operations.ts";
import { createVaultOperations, type VaultContentTenant } from "./vault-operations.ts";

export interface ControlledTenant
  extends ApplicationTenant,
    UserOperationsTenant,
    ServiceTenant,
    UnattendedSignInTenant,
    VaultContentTenant,
    BlobTenant,
    TopicTenant {
  readonly requirements: Requirement[];
  readonly identity: ManagedIdentityEndpoint;
}

export type TenantOperations = ReturnType<typeof createOperations>;

export function createOperations(tenant: ControlledTenant) {
  return {
    ...createServiceOperations(tenant),
    ...createUserOperations(tenant),
    ...createApplicationOperations(tenant),
    ...createVaultOperations(tenant),
    ...createSignInOperations(tenant),
    ...createBlobOperations(tenant),
    ...createTopicOperations(tenant),
    /** Restores the initial state of everything except keys and issued tokens. */
    reset: () => {
      tenant.orders.clear();
      tenant.log.clear();
      tenant.requirements.length = 0;
      tenant.deviceCodes.clear();
      tenant.clock.setOffsetMs(0);
      tenant.directory.restore();
      tenant.blobs.clear();
      tenant.topic.clear();
      tenant.vault.clear();
      fillVault(tenant.vault, tenant.directory);
    },
    /** The ids, user names, passwords and secrets that a developer needs to call the service manually. */
    seed: () => describeSeed(tenant),
  };
}

function describeSeed(tenant: ControlledTenant) {
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
