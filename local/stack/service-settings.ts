/**
 * The settings of the service in the local stack. The names are those of a deployment; the values point to the local
 * tenant, Azurite and the local policy.
 */
import { CLIENT_IDS, TENANT_ID, VAULT_SECRET_NAMES } from "../tenant/directory/seed-ids.ts";
import type { SettingOverrides } from "./host-control.ts";
import { localPolicy } from "./policy.ts";

export interface SettingsInput {
  tenantUrl: string;
  serviceUrl: string;
  tableUrl: string;
  managedIdentity: { endpoint: string; header: string };
}

export function createServiceSettings(input: SettingsInput, overrides: SettingOverrides = {}): Record<string, string> {
  const settings: Record<string, string | undefined> = {
    FUNCTIONS_WORKER_RUNTIME: "node",
    AZURE_FUNCTIONS_ENVIRONMENT: "Development",
    AzureWebJobsDisableHomepage: "true",
    // As in Azure, so that the host begins a trace for each request. The local host sends nothing.
    APPLICATIONINSIGHTS_CONNECTION_STRING: "InstrumentationKey=00000000-0000-0000-0000-000000000000",
    CLOUD: "local",
    TENANT_ID,
    TENANT_DISPLAY_NAME: "Contoso",
    LOCAL_TENANT_URL: input.tenantUrl,
    SERVICE_URL: input.serviceUrl,
    CLIENT_ID: CLIENT_IDS.service,
    CLIENT_CREDENTIAL: "key-vault-secret",
    KEY_VAULT_URL: input.tenantUrl,
    CLIENT_SECRET_NAME: VAULT_SECRET_NAMES.clientSecret,
    SEALING_KEY_NAME: VAULT_SECRET_NAMES.sealingKey,
    APP_ONLY_CLIENT_ID: CLIENT_IDS.appOnly,
    APP_ONLY_CLIENT_SECRET_NAME: VAULT_SECRET_NAMES.appOnlyClientSecret,
    GRANT_STORE_URL: input.tableUrl,
    GRANT_TABLE_NAME: "grants",
    IDENTITY_ENDPOINT: input.managedIdentity.endpoint,
    IDENTITY_HEADER: input.managedIdentity.header,
    POLICY: JSON.stringify(withCredentials(overrides["CLIENT_CREDENTIAL"])),
    ...overrides,
  };
  return Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

// ---------------------------------------------------------------------------------------------------------------

/** The local policy with the credential that the mode needs for the registration `narrow`. */
function withCredentials(mode = "key-vault-secret"): unknown {
  if (mode === "key-vault-secret") return localPolicy;
  const { clientId } = localPolicy.registrations.narrow;
  const credential = { certificateName: "narrow-client-certificate" };
  return {
    ...localPolicy,
    registrations: { narrow: mode === "managed-identity" ? { clientId } : { clientId, credential } },
  };
}
