/** The registrations of settings and policy together: each has its own ids and the credential that the mode needs. */
import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../../../shared/config/config.ts";
import { configFrom } from "../../../shared/config/environment.ts";

const CLIENT = "5e471ce0-0000-4000-8000-00000000000a";
const APP_ONLY = "5e471ce0-0000-4000-8000-00000000000b";
const NARROW = "5e471ce0-0000-4000-8000-00000000000c";

type Registration = Record<string, unknown>;

function policy(registrations: Record<string, Registration>, caller: Record<string, unknown> = {}): string {
  const names = [undefined, ...Object.keys(registrations)];
  return JSON.stringify({
    apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
    registrations,
    callers: names.map((registration) => ({
      name: `of-${registration ?? "default"}`,
      kind: "user",
      clientId: "ca11e400-0000-4000-8000-00000000000a",
      flows: ["on-behalf-of"],
      apis: { graph: ["User.Read"] },
      ...(registration === undefined ? {} : { registration }),
      ...caller,
    })),
  });
}

const BASE = {
  CLOUD: "public",
  TENANT_ID: "c0470500-0000-4000-8000-000000000001",
  SERVICE_URL: "https://gte.example",
  CLIENT_ID: CLIENT,
  APP_ONLY_CLIENT_ID: APP_ONLY,
  KEY_VAULT_URL: "https://kv.vault.azure.net",
};

function settings(mode: string, narrow: Registration, more: Record<string, string> = {}) {
  return { ...BASE, CLIENT_CREDENTIAL: mode, POLICY: policy({ narrow: { clientId: NARROW, ...narrow } }), ...more };
}

function problems(variables: Record<string, string>): readonly string[] {
  try {
    configFrom(variables);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

const SECRET = { credential: { secretName: "narrow-secret" } };
const CERTIFICATE = { credential: { certificateName: "narrow-certificate" } };

describe("the registrations of a configuration", () => {
  test.each([
    ["managed-identity", {}, { kind: "managed-identity" }],
    ["key-vault-secret", SECRET, { kind: "key-vault-secret", secretName: "narrow-secret" }],
    ["key-vault-certificate", CERTIFICATE, { kind: "key-vault-certificate", certificateName: "narrow-certificate" }],
  ])("with %s are the default one, then those of the policy", (mode, narrow, credential) => {
    const [first, ...others] = configFrom(settings(mode, narrow)).registrations;
    expect(first).toMatchObject({ name: "default", clientId: CLIENT, appIdUri: `api://${CLIENT}` });
    expect(others).toEqual([{ name: "narrow", clientId: NARROW, appIdUri: `api://${NARROW}`, credential }]);
  });

  test("have the App ID URI of the policy, and client ids in lower case", () => {
    const POLICY = policy({ narrow: { clientId: NARROW.toUpperCase(), appIdUri: "api://contoso/narrow" } });
    const { registrations } = configFrom({ ...BASE, CLIENT_CREDENTIAL: "managed-identity", POLICY });
    expect(registrations[1]).toMatchObject({ clientId: NARROW, appIdUri: "api://contoso/narrow" });
  });
});

describe("a registration is refused", () => {
  const at = "POLICY registrations.narrow";
  const needs = (member: string, mode: string) =>
    `${at}.credential must be { "${member}": … } with CLIENT_CREDENTIAL=${mode}`;

  test.each<[string, string, Registration, string[]]>([
    [
      "with a secret under a managed identity",
      "managed-identity",
      SECRET,
      [
        `${at}.credential must not be set with CLIENT_CREDENTIAL=managed-identity: the managed identity is the credential`,
      ],
    ],
    ["without a secret", "key-vault-secret", {}, [needs("secretName", "key-vault-secret")]],
    ["with a certificate for a secret", "key-vault-secret", CERTIFICATE, [needs("secretName", "key-vault-secret")]],
    [
      "with a secret for a certificate",
      "key-vault-certificate",
      SECRET,
      [needs("certificateName", "key-vault-certificate")],
    ],
    [
      "with the client id of the setting",
      "managed-identity",
      { clientId: CLIENT.toUpperCase() },
      [`${at}.clientId must differ from CLIENT_ID: each registration has its own client id`],
    ],
    [
      "with the client id of the registration for application tokens",
      "managed-identity",
      { clientId: APP_ONLY },
      [`${at}.clientId must differ from APP_ONLY_CLIENT_ID: each registration has its own client id`],
    ],
    [
      "with the App ID URI of the default one",
      "managed-identity",
      { appIdUri: `api://${CLIENT.toUpperCase()}` },
      [`${at}.appIdUri must differ from APP_ID_URI: it is the App ID URI of the registration default`],
    ],
    [
      "with a malformed credential, reported once",
      "key-vault-secret",
      { credential: { secretName: "a b" } },
      [`${at}.credential.secretName must be a name in Key Vault: letters, digits and hyphens`],
    ],
  ])("%s", (_name, mode, narrow, expected) => {
    expect(problems(settings(mode, narrow))).toEqual(expected);
  });

  test("with the client id of the default one in its App ID URI, whatever APP_ID_URI is", () => {
    const variables = settings(
      "managed-identity",
      { appIdUri: `api://${CLIENT}` },
      { APP_ID_URI: "api://contoso/gte" },
    );
    expect(problems(variables)).toEqual([
      `${at}.appIdUri must differ from APP_ID_URI: it is the App ID URI of the registration default`,
    ]);
  });

  test("as a caller, whichever registration it is", () => {
    const refused = (clientId: string) =>
      problems({ ...settings("managed-identity", {}), POLICY: policy({ narrow: { clientId: NARROW } }, { clientId }) });
    expect(refused(APP_ONLY)).toEqual([
      "POLICY must not list APP_ONLY_CLIENT_ID as a caller: the service refuses tokens that were issued to itself",
    ]);
    expect(refused(NARROW)).toEqual([
      "POLICY callers.0.clientId is the clientId of registrations.narrow; a registration of this service cannot be a caller",
      "POLICY callers.1.clientId is the clientId of registrations.narrow; a registration of this service cannot be a caller",
    ]);
  });
});
