/**
 * Configuration that would weaken the service at real Entra: it does not start. The whole list, one row each. Every row
 * changes one thing of a deployment that starts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createServiceSettings } from "../../../local/stack/service-settings.ts";
import { LOCAL_TENANT_ID } from "../../../shared/config/clouds.ts";
import { ConfigurationError } from "../../../shared/config/config.ts";
import { configurationFrom } from "../../../shared/config/environment.ts";

type Variables = Readonly<Record<string, string | undefined>>;

const CLIENT = "ca11e400-0000-4000-8000-00000000000a";

function policy(change: (policy: { apis: Json; callers: Json[] }) => void = () => undefined): string {
  const made = {
    apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
    callers: [
      { name: "web", kind: "user", clientId: CLIENT, flows: ["on-behalf-of"], apis: { graph: ["User.Read"] } } as Json,
    ],
  };
  change(made);
  return JSON.stringify(made);
}
type Json = Record<string, unknown>;

/** A deployment in Azure, complete. */
const DEPLOYED: Variables = {
  WEBSITE_SITE_NAME: "gte",
  CLOUD: "public",
  TENANT_ID: "c0470500-0000-4000-8000-000000000001",
  SERVICE_URL: "https://gte.example",
  CLIENT_ID: "5e471ce0-0000-4000-8000-00000000000a",
  APP_ONLY_CLIENT_ID: "5e471ce0-0000-4000-8000-00000000000b",
  APP_ONLY_CLIENT_SECRET_NAME: "app-only-secret",
  CLIENT_CREDENTIAL: "key-vault-secret",
  KEY_VAULT_URL: "https://kv.vault.azure.net",
  GRANT_STORE_URL: "https://st.table.core.windows.net",
  REDIS_URL: "rediss://cache.westeurope.redis.azure.net:10000",
  POLICY: policy(),
};

function problems(changes: Variables): readonly string[] {
  try {
    configurationFrom({ ...DEPLOYED, ...changes });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

const LOCAL_STACK: Variables = createServiceSettings({
  tenantUrl: "https://localhost:7443",
  serviceUrl: "http://localhost:7071",
  tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
  managedIdentity: { endpoint: "https://localhost:7443/msi", header: "x" },
});

test("the deployment of this file starts", () => {
  expect(problems({})).toEqual([]);
});

describe("TLS", () => {
  test.each<[string, Variables, RegExp]>([
    ["NODE_TLS_REJECT_UNAUTHORIZED=0", { NODE_TLS_REJECT_UNAUTHORIZED: "0" }, /^NODE_TLS_REJECT_UNAUTHORIZED must not/],
    [
      "the certificate authority of the local stack",
      { NODE_EXTRA_CA_CERTS: "/app/.local/ca.pem" },
      /^NODE_EXTRA_CA_CERTS must not/,
    ],
    [
      "the certificate authorities of a file, by an option of Node",
      { NODE_OPTIONS: "--max-old-space-size=512 --use-openssl-ca", SSL_CERT_FILE: "/app/.local/ca.pem" },
      /^NODE_OPTIONS must not have --use-openssl-ca in Azure/,
    ],
    [
      "such an option in quotes",
      { NODE_OPTIONS: '"--use_openssl_ca"' },
      /^NODE_OPTIONS must not have --use-openssl-ca/,
    ],
    ["the machine's certificate authorities", { NODE_OPTIONS: "--use-system-ca" }, /^NODE_OPTIONS must not have/],
    ["the same by a variable", { NODE_USE_SYSTEM_CA: "1" }, /^NODE_USE_SYSTEM_CA must not be 1/],
    ["SERVICE_URL with http", { SERVICE_URL: "http://gte.example" }, /^SERVICE_URL must use https/],
    ["SERVICE_URL on this machine with http", { SERVICE_URL: "http://localhost:7071" }, /^SERVICE_URL must use https/],
    ["a vault with http", { KEY_VAULT_URL: "http://kv.vault.azure.net" }, /^KEY_VAULT_URL must/],
    ["a grant table with http", { GRANT_STORE_URL: "http://st.table.core.windows.net" }, /^GRANT_STORE_URL must/],
    ["Redis without TLS", { REDIS_URL: "redis://cache.westeurope.redis.azure.net:10000" }, /^REDIS_URL must/],
  ])("%s", (_title, changes, problem) => {
    expect(problems(changes)).toEqual([expect.stringMatching(problem)]);
  });
});

describe("the local stack", () => {
  test.each<[string, Variables, RegExp]>([
    ["CLOUD=local in Azure", { ...LOCAL_STACK, WEBSITE_SITE_NAME: "gte" }, /^CLOUD must not be local in Azure/],
    [
      "an authority of one's own, with the control API behind it",
      { LOCAL_TENANT_URL: "https://localhost:7443" },
      /^LOCAL_TENANT_URL must not be set/,
    ],
    ["an authority with http", { LOCAL_TENANT_URL: "http://localhost:7443" }, /^LOCAL_TENANT_URL must/],
    [
      "the local tenant, whose keys are in the repository's tools",
      { TENANT_ID: LOCAL_TENANT_ID },
      /^TENANT_ID must not be the local tenant/,
    ],
    ["the local vault", { KEY_VAULT_URL: "https://localhost:7443" }, /^KEY_VAULT_URL must/],
    ["the local table", { GRANT_STORE_URL: "http://127.0.0.1:10002/devstoreaccount1" }, /^GRANT_STORE_URL must/],
    ["the local Redis", { REDIS_URL: "redis://127.0.0.1:6379" }, /^REDIS_URL must/],
    [
      "the local policy blob",
      { POLICY: undefined, POLICY_URL: "http://127.0.0.1:7443/policy/policy.json" },
      /^POLICY_URL must/,
    ],
    ["an unknown cloud", { CLOUD: "mine" }, /^CLOUD must be/],
  ])("%s", (_title, changes, problem) => {
    expect(problems(changes)).toContainEqual(expect.stringMatching(problem));
  });

  test("no setting of the local stack starts with CLOUD=public", () => {
    const names = problems({ ...LOCAL_STACK, CLOUD: "public" }).map((problem) => problem.split(" ", 1)[0]);
    expect(names).toEqual(
      expect.arrayContaining(["TENANT_ID", "LOCAL_TENANT_URL", "SERVICE_URL", "KEY_VAULT_URL", "GRANT_STORE_URL"]),
    );
  });
});

describe("an empty issuer or audience", () => {
  test.each<[string, Variables, RegExp]>([
    ["TENANT_ID", { TENANT_ID: "" }, /^TENANT_ID is missing/],
    ["CLIENT_ID", { CLIENT_ID: " " }, /^CLIENT_ID is missing/],
    ["TENANT_ID=common", { TENANT_ID: "common" }, /^TENANT_ID must be a GUID/],
    ["TENANT_ID=organizations", { TENANT_ID: "organizations" }, /^TENANT_ID must be a GUID/],
    ["V1_TOKEN_AUDIENCES with an empty one", { V1_TOKEN_AUDIENCES: "," }, /^V1_TOKEN_AUDIENCES must/],
    ["APP_ID_URI without a name", { APP_ID_URI: "api://" }, /^APP_ID_URI must/],
    ["CLOUD", { CLOUD: "" }, /^CLOUD is missing/],
  ])("%s", (_title, changes, problem) => {
    expect(problems(changes)).toContainEqual(expect.stringMatching(problem));
  });
});

describe("a placeholder in place of a value", () => {
  test.each<[string, Variables, RegExp]>([
    [
      "TENANT_ID of zeros",
      { TENANT_ID: "00000000-0000-0000-0000-000000000000" },
      /^TENANT_ID must be an id of your tenant/,
    ],
    [
      "TENANT_ID of the documentation",
      { TENANT_ID: "11111111-2222-3333-4444-555555555555" },
      /^TENANT_ID must be an id of your tenant/,
    ],
    [
      "CLIENT_ID of the documentation",
      { CLIENT_ID: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" },
      /^CLIENT_ID must be an id of your tenant/,
    ],
    ["CLIENT_ID in braces", { CLIENT_ID: "<client-id>" }, /^CLIENT_ID must be a GUID/],
    [
      "MANAGED_IDENTITY_CLIENT_ID of the documentation",
      { MANAGED_IDENTITY_CLIENT_ID: "66666666-7777-8888-9999-000000000000" },
      /^MANAGED_IDENTITY_CLIENT_ID must be an id/,
    ],
    ["a vault that is not named yet", { KEY_VAULT_URL: "https://<vault>.vault.azure.net" }, /^KEY_VAULT_URL must/],
    [
      "a Key Vault reference that did not resolve",
      { CLIENT_ID: "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/id)" },
      /^CLIENT_ID must be a GUID/,
    ],
    ["SERVICE_URL that is not named yet", { SERVICE_URL: "https://<app>.azurewebsites.net" }, /^SERVICE_URL must/],
  ])("%s", (_title, changes, problem) => {
    expect(problems(changes)).toContainEqual(expect.stringMatching(problem));
  });
});

describe(".default where the policy does not write it", () => {
  test.each<[string, string, RegExp]>([
    [
      "in an entry, when the API does not list it",
      policy(({ callers }) => Object.assign(callers[0] ?? {}, { apis: { graph: [".default"] } })),
      /^POLICY callers\.0\.apis\.graph/,
    ],
    [
      "left out in client-credentials, which knows nothing else",
      policy(({ callers }) => Object.assign(callers[0] ?? {}, { kind: "application", flows: ["client-credentials"] })),
      /^POLICY callers\.0/,
    ],
  ])("%s", (_title, POLICY, problem) => {
    expect(problems({ POLICY })).toContainEqual(expect.stringMatching(problem));
  });
});

test("no template of this repository sets a dangerous switch", () => {
  const template = readFileSync(join(import.meta.dirname, "../../../infra/main.bicep"), "utf8");
  expect(template).not.toMatch(/NODE_TLS_REJECT_UNAUTHORIZED|NODE_EXTRA_CA_CERTS|LOCAL_TENANT_URL|'local'/);
});
