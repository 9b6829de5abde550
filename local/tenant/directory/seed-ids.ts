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

/** Client ids. `service` and `narrow` are the registrations of the service under test, with many and with few rights. */
export const CLIENT_IDS = {
  service: "5e471ce0-0000-4000-8000-000000000001",
  appOnly: "5e471ce0-0000-4000-8000-000000000002",
  narrow: "5e471ce0-0000-4000-8000-000000000003",
  web: "ca11e400-0000-4000-8000-000000000001",
  public: "ca11e400-0000-4000-8000-000000000002",
  daemon: "ca11e400-0000-4000-8000-000000000003",
  stranger: "ca11e400-0000-4000-8000-000000000004",
  cli: "ca11e400-0000-4000-8000-000000000005",
  reports: "ca11e400-0000-4000-8000-000000000006",
  agentBlueprint: "a6e40000-0000-4000-8000-000000000001",
  mailAgent: "a6e40000-0000-4000-8000-000000000002",
  newAgent: "a6e40000-0000-4000-8000-000000000003",
  intranet: "ca11e400-0000-4000-8000-000000000007",
  assistant: "ca11e400-0000-4000-8000-000000000009",
  orders: "04de4500-0000-4000-8000-000000000001",
  systemIdentity: "1de70000-0000-4000-8000-000000000001",
  userIdentity: "1de70000-0000-4000-8000-000000000002",
  /** Microsoft's applications, with the same id in every tenant. */
  graph: "00000003-0000-0000-c000-000000000000",
  vault: "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
  storage: "e406a681-f3d4-42a8-90b6-c2b029497af1",
  eventGrid: "4962773b-9cdb-44cf-a8bf-237846a00ab7",
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
  storage: "0b1ec700-0000-4000-8000-00000000000f",
  eventGrid: "0b1ec700-0000-4000-8000-000000000021",
  agentBlueprint: "0b1ec700-0000-4000-8000-000000000010",
  mailAgent: "0b1ec700-0000-4000-8000-000000000011",
  newAgent: "0b1ec700-0000-4000-8000-000000000012",
  narrow: "0b1ec700-0000-4000-8000-000000000013",
  intranet: "0b1ec700-0000-4000-8000-000000000014",
  assistant: "0b1ec700-0000-4000-8000-000000000020",
};

export const RESOURCE_URIS = {
  graph: "https://graph.microsoft.com",
  vault: "https://vault.azure.net",
  storage: "https://storage.azure.com",
  eventGrid: "https://eventgrid.azure.net",
  orders: "https://api.contoso.local/orders",
  service: `api://${CLIENT_IDS.service}`,
  narrow: `api://${CLIENT_IDS.narrow}`,
  tokenExchange: "api://AzureADTokenExchange",
} as const;

export const VAULT_SECRET_NAMES = {
  clientSecret: "client-secret",
  narrowClientSecret: "narrow-client-secret",
  appOnlyClientSecret: "app-only-client-secret",
  sealingKey: "sealing-key",
  cacheKey: "cache-key",
  eventWebhookSecret: "event-webhook-secret",
} as const;
