/**
 * Every identifier of the local tenant, as constants for settings, documents and tests. They are not secret.
 */
export const TENANT_ID = "10ca1000-7e57-4000-8000-000000000000";
export const TENANT_DOMAIN = "contoso.local";
export const TENANT_NAME = "Contoso Local";

export const USER_IDS = {
  alice: "a11ce000-0000-4000-8000-000000000001",
  bob: "b0b00000-0000-4000-8000-000000000002",
  carol: "ca401000-0000-4000-8000-000000000003",
  dave: "da7e0000-0000-4000-8000-000000000004",
  erin: "e4180000-0000-4000-8000-000000000005",
} as const;

/** Client ids. `service` is the registration of the service under test. */
export const CLIENT_IDS = {
  service: "5e471ce0-0000-4000-8000-000000000001",
  appOnly: "5e471ce0-0000-4000-8000-000000000002",
  web: "ca11e400-0000-4000-8000-000000000001",
  public: "ca11e400-0000-4000-8000-000000000002",
  daemon: "ca11e400-0000-4000-8000-000000000003",
  stranger: "ca11e400-0000-4000-8000-000000000004",
  cli: "ca11e400-0000-4000-8000-000000000005",
  reports: "ca11e400-0000-4000-8000-000000000006",
  assistant: "ca11e400-0000-4000-8000-000000000009",
  orders: "04de4500-0000-4000-8000-000000000001",
  systemIdentity: "1de70000-0000-4000-8000-000000000001",
  userIdentity: "1de70000-0000-4000-8000-000000000002",
  /** Microsoft's applications, with the same id in every tenant. */
  graph: "00000003-0000-0000-c000-000000000000",
  vault: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
  tokenExchange: "fb60f99c-7a34-4190-8149-302f77469936",
} as const;

export type RegistrationName = keyof typeof CLIENT_IDS;

/** Object ids of the service principals. Those of the two identities are their principal ids. */
export const OBJECT_IDS: Readonly<Record<RegistrationName, string>> = {
  service: "0b1ec700-0000-4000-8000-000000000001",
  appOnly: "0b1ec700-0000-4000-8000-000000000002",
  web: "0b1ec700-0000-4000-8000-000000000003",
  public: "0b1ec700-0000-4000-8000-000000000004",
  daemon: "0b1ec700-0000-4000-8000-000000000005",
  stranger: "0b1ec700-0000-4000-8000-000000000006",
  cli: "0b1ec700-0000-4000-8000-000000000007",
  orders: "0b1ec700-0000-4000-8000-000000000008",
  systemIdentity: "0b1ec700-0000-4000-8000-000000000009",
  userIdentity: "0b1ec700-0000-4000-8000-00000000000a",
  graph: "0b1ec700-0000-4000-8000-00000000000b",
  vault: "0b1ec700-0000-4000-8000-00000000000c",
  tokenExchange: "0b1ec700-0000-4000-8000-00000000000d",
  reports: "0b1ec700-0000-4000-8000-00000000000e",
  assistant: "0b1ec700-0000-4000-8000-000000000020",
};

export const RESOURCE_URIS = {
  graph: "https://graph.microsoft.com",
  vault: "https://vault.azure.net",
  orders: "https://api.contoso.local/orders",
  service: `api://${CLIENT_IDS.service}`,
  tokenExchange: "api://AzureADTokenExchange",
} as const;

export const VAULT_SECRET_NAMES = {
  clientSecret: "client-secret",
  appOnlyClientSecret: "app-only-client-secret",
  sealingKey: "sealing-key",
  cacheKey: "cache-key",
} as const;
