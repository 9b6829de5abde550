/** Settings → configuration: every problem at once, named, and never a value. */
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LOCAL_TENANT_ID } from "../../../shared/config/clouds.ts";
import { type Config, ConfigurationError } from "../../../shared/config/config.ts";
import { configFrom, configFromEnvironment } from "../../../shared/config/environment.ts";
import { SETTINGS, type Setting, type SettingName } from "../../../shared/config/settings.ts";

type Variables = Readonly<Record<string, string | undefined>>;

const TENANT = "c0470500-0000-4000-8000-000000000001";
const CLIENT = "5e471ce0-0000-4000-8000-00000000000a";
const APP_ONLY = "5e471ce0-0000-4000-8000-00000000000b";
const CALLER = "ca11e400-0000-4000-8000-00000000000a";

function policy(entry: Record<string, unknown> = {}, resource = "https://graph.microsoft.com"): string {
  const caller = {
    name: "backend",
    kind: "application",
    clientId: CALLER,
    flows: ["on-behalf-of", "refresh-token"],
    apis: { graph: ["User.Read"] },
    ...entry,
  };
  return JSON.stringify({
    apis: { graph: { resource, scopes: ["User.Read", ".default"] } },
    callers: [caller],
  });
}

/** A deployment without a vault, which every test changes in one place. */
const AZURE: Variables = {
  CLOUD: "public",
  TENANT_ID: TENANT,
  SERVICE_URL: "https://gte.example",
  CLIENT_ID: CLIENT,
  CLIENT_CREDENTIAL: "managed-identity",
  POLICY: policy(),
};

const VAULT: Variables = {
  ...AZURE,
  CLIENT_CREDENTIAL: "key-vault-secret",
  KEY_VAULT_URL: "https://kv.vault.azure.net",
};
const GRANTS: Variables = { ...VAULT, GRANT_STORE_URL: "https://st.table.core.windows.net" };

const LOCAL: Variables = {
  ...GRANTS,
  CLOUD: "local",
  TENANT_ID: LOCAL_TENANT_ID,
  SERVICE_URL: "http://localhost:7071",
  KEY_VAULT_URL: "https://localhost:7443",
  GRANT_STORE_URL: "http://127.0.0.1:10002/devstoreaccount1",
  LOCAL_TENANT_URL: "https://localhost:7443",
};

function problems(base: Variables, changes: Variables = {}): readonly string[] {
  try {
    configFrom({ ...base, ...changes });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("missing and malformed settings", () => {
  test("nothing at all: every required setting is named, in one go", () => {
    const required = (Object.entries(SETTINGS) as [SettingName, Setting][]).filter(([, s]) => s.required === "always");
    expect(problems({}).map((problem) => problem.split(" ")[0])).toEqual(required.map(([name]) => name));
  });

  test("the error lists them, one a line", () => {
    expect(() => configFrom({ ...AZURE, TENANT_ID: "x", CLIENT_ID: "" })).toThrow(
      [
        "The service does not start; 2 of its settings must be mended:",
        "- TENANT_ID must be a GUID",
        "- CLIENT_ID is missing: a GUID",
      ].join("\n"),
    );
  });

  test.each(["", " ", "\t\n"])("an empty setting (%j) is a missing one", (empty) => {
    expect(problems(AZURE, { TENANT_ID: empty })).toEqual(["TENANT_ID is missing: a GUID"]);
    expect(problems(AZURE, { ALLOW_GUESTS: empty, MANAGED_IDENTITY_CLIENT_ID: empty })).toEqual([]);
  });

  test("space around a value does not count", () => {
    expect(configFrom({ ...AZURE, TENANT_ID: ` ${TENANT}\n` }).tenantId).toBe(TENANT);
  });

  test.each<[string, Variables, string]>([
    ["CLOUD", { CLOUD: "azure" }, "one of public, usgov, china, local"],
    ["TENANT_ID", { TENANT_ID: "contoso.example" }, "a GUID"],
    [
      "CLIENT_CREDENTIAL",
      { CLIENT_CREDENTIAL: "secret" },
      "one of key-vault-secret, key-vault-certificate, managed-identity",
    ],
    ["POLICY", { POLICY: "x" }, "JSON of at most 256 KiB"],
    ["ALLOW_GUESTS", { ALLOW_GUESTS: "yes" }, "true or false"],
    ["CLIENT_SECRET_NAME", { CLIENT_SECRET_NAME: "a/b" }, "a Key Vault name: letters, digits, hyphens"],
    ["GRANT_TABLE_NAME", { GRANT_TABLE_NAME: "1grants" }, "a table name: 3 to 63 letters and digits"],
    ["GRANT_REAP", { GRANT_REAP: "true" }, "dry-run or delete"],
    ["TOKEN_CACHE_MAX_BYTES", { TOKEN_CACHE_MAX_BYTES: "64MB" }, "a number of bytes, at least 100000"],
    ["TOKEN_CACHE_MAX_BYTES", { TOKEN_CACHE_MAX_BYTES: "99999" }, "a number of bytes, at least 100000"],
    ["V1_TOKEN_AUDIENCES", { V1_TOKEN_AUDIENCES: "a,,b" }, "audiences separated by commas"],
  ])("%s", (name, changes, mustBe) => {
    expect(problems(AZURE, changes)).toEqual([`${name} must be ${mustBe}`]);
  });

  test.each([
    "https://gte.example/",
    "https://gte.example/path",
    "https://gte.example?x",
    "https://gte.example#x",
    "https://user@gte.example",
    "https://user:pass@gte.example",
    "https://gte.example\\evil",
    "https://:443",
    "https://[",
    "https://a:99999",
    "https://%zz",
    "ftp://gte.example",
    "//gte.example",
    "gte.example",
  ])("SERVICE_URL %j is no origin", (url) => {
    expect(problems(AZURE, { SERVICE_URL: url })).toEqual([`SERVICE_URL must be ${SETTINGS.SERVICE_URL.mustBe}`]);
  });

  test.each([
    "api://",
    "api://x/",
    "api://x//y",
    "api://x y",
    'api://x"y',
    "api://x?y",
    "api://x#y",
    "api://user@x",
    "https://tokens.example/",
    "http://tokens.example",
    "urn:x",
    "x",
  ])("APP_ID_URI %j is none", (uri) => {
    expect(problems(AZURE, { APP_ID_URI: uri })).toEqual([`APP_ID_URI must be ${SETTINGS.APP_ID_URI.mustBe}`]);
  });

  test.each(["api://gte", `api://${TENANT}/gte`, "https://tokens.example", "https://tokens.example/gte"])(
    "APP_ID_URI %j is one",
    (uri) => {
      expect(configFrom({ ...AZURE, APP_ID_URI: uri }).appIdUri).toBe(uri);
    },
  );

  test("problems of the policy say where it is", () => {
    expect(problems(AZURE, { POLICY: "{}" })).toEqual([
      "POLICY apis must be an object",
      "POLICY callers must be a list",
    ]);
    expect(problems(AZURE, { POLICY: "not json" })).toEqual(["POLICY is not JSON"]);
  });

  test("a policy that has problems of form is judged together with the other settings all the same", () => {
    const POLICY = policy({ offlineAccess: true, clientId: CLIENT, colour: "red", unattended: true });
    expect(problems(VAULT, { POLICY, ALLOW_GUESTS: "perhaps" })).toEqual([
      "ALLOW_GUESTS must be true or false",
      "POLICY callers.0 has unknown members: colour",
      expect.stringMatching(/^GRANT_STORE_URL is missing/),
      "POLICY names CLIENT_ID as a caller: the service never calls itself",
    ]);
  });

  test("property: no problem contains the value, whichever setting it stands in", () => {
    const marked = fc.string({ unit: "binary", maxLength: 30 }).map((text) => `MARKED${text}`);
    const names = Object.keys(SETTINGS) as SettingName[];
    const shapes: readonly ((value: string) => string)[] = [
      (value) => value,
      (value) => `https://${value}`,
      (value) => `https://${value}.vault.azure.net`,
      (value) => `rediss://${value}:1`,
      (value) => `{"apis":{},"callers":[{"name":${JSON.stringify(value)}}]}`,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.constantFrom(...shapes), marked, (name, shape, value) => {
        for (const base of [AZURE, LOCAL]) {
          expect(problems(base, { [name]: shape(value) }).join("\n")).not.toContain("MARKED");
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("what does not go together", () => {
  test.each<[string, Variables, Variables, string]>([
    ["a vault credential without a vault", VAULT, { KEY_VAULT_URL: undefined }, "KEY_VAULT_URL is missing"],
    [
      "grants without a vault",
      GRANTS,
      { CLIENT_CREDENTIAL: "managed-identity", KEY_VAULT_URL: undefined },
      "KEY_VAULT_URL is missing",
    ],
    [
      "kept permissions without a store",
      VAULT,
      { POLICY: policy({ offlineAccess: true, unattended: true }) },
      "GRANT_STORE_URL is missing",
    ],
    [
      "imports without a store",
      VAULT,
      { POLICY: policy({ importRefreshTokens: true, unattended: true }) },
      "GRANT_STORE_URL is missing",
    ],
    [
      "client credentials without a registration for them",
      AZURE,
      { POLICY: policy({ flows: ["client-credentials"], apis: { graph: [".default"] } }) },
      "APP_ONLY_CLIENT_ID is missing",
    ],
    [
      "one registration for both",
      AZURE,
      { APP_ONLY_CLIENT_ID: CLIENT.toUpperCase() },
      "APP_ONLY_CLIENT_ID must be a second registration",
    ],
    [
      "the service as its own caller",
      AZURE,
      { POLICY: policy({ clientId: CLIENT.toUpperCase() }) },
      "POLICY names CLIENT_ID as a caller",
    ],
    ["SEC-16: http outside the local cloud", AZURE, { SERVICE_URL: "http://gte.example" }, "SERVICE_URL must be https"],
    [
      "SEC-16: http, even on this machine",
      AZURE,
      { SERVICE_URL: "http://localhost:7071" },
      "SERVICE_URL must be https",
    ],
    [
      "SEC-16: the local cloud over http to others",
      LOCAL,
      { SERVICE_URL: "http://gte.example" },
      "SERVICE_URL must be https",
    ],
    [
      "SEC-16: a local tenant beside a real cloud",
      AZURE,
      { LOCAL_TENANT_URL: "https://localhost:7443" },
      "LOCAL_TENANT_URL goes with CLOUD=local",
    ],
    [
      "a local cloud without its tenant",
      LOCAL,
      { LOCAL_TENANT_URL: undefined },
      "LOCAL_TENANT_URL goes with CLOUD=local",
    ],
    [
      "SEC-16: the local tenant's id in a real cloud",
      AZURE,
      { TENANT_ID: LOCAL_TENANT_ID.toUpperCase() },
      "TENANT_ID is the local tenant's exactly when",
    ],
    [
      "a real tenant's id in the local cloud",
      LOCAL,
      { TENANT_ID: TENANT },
      "TENANT_ID is the local tenant's exactly when",
    ],
    [
      "SEC-16: certificates unchecked",
      AZURE,
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      "NODE_TLS_REJECT_UNAUTHORIZED must not be 0",
    ],
    [
      "SEC-16: certificates unchecked, locally",
      LOCAL,
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      "NODE_TLS_REJECT_UNAUTHORIZED must not be 0",
    ],
    [
      "SEC-16: local in Azure",
      LOCAL,
      { WEBSITE_INSTANCE_ID: "x" },
      "CLOUD must not be local where WEBSITE_INSTANCE_ID is set",
    ],
    [
      "SEC-16: local in Azure, by its name",
      LOCAL,
      { WEBSITE_SITE_NAME: "x" },
      "CLOUD must not be local where WEBSITE_SITE_NAME is set",
    ],
    [
      "SEC-16: local in Azure, by its pod",
      LOCAL,
      { WEBSITE_POD_NAME: "x" },
      "CLOUD must not be local where WEBSITE_POD_NAME is set",
    ],
  ])("%s", (_name, base, changes, problem) => {
    expect(problems(base)).toEqual([]);
    const found = problems(base, changes);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });

  test("a real cloud in Azure, certificates checked", () => {
    expect(problems(AZURE, { WEBSITE_INSTANCE_ID: "x", NODE_TLS_REJECT_UNAUTHORIZED: "1" })).toEqual([]);
  });

  test("without a cloud, hosts are not judged", () => {
    expect(problems(VAULT, { CLOUD: "" })).toEqual([`CLOUD is missing: ${SETTINGS.CLOUD.mustBe}`]);
  });
});

describe("hosts of Azure: one label below the cloud's suffix, over https", () => {
  const vaultProblem = "KEY_VAULT_URL must be https on a host below .vault.azure.net";
  test.each([
    "https://evil.vault.azure.net.evil.com",
    "https://evil.com",
    "https://vault.azure.net",
    "https://.vault.azure.net",
    "https://a.b.vault.azure.net",
    "https://evilvault.azure.net",
    "https://kv.vault.azure.net:8443",
    "http://kv.vault.azure.net",
    "https://kv.vault.azure.cn",
    "https://kv_x.vault.azure.net",
    "https://127.0.0.1",
  ])("KEY_VAULT_URL %s", (url) => {
    expect(problems(VAULT, { KEY_VAULT_URL: url })).toEqual([vaultProblem]);
  });

  test.each([
    "https://evil.table.core.windows.net.evil.com",
    "https://st.blob.core.windows.net",
    "https://st.table.core.windows.net:444",
    "https://st.table.core.windows.net/path",
    "http://st.table.core.windows.net",
    "http://127.0.0.1:10002/devstoreaccount1",
  ])("GRANT_STORE_URL %s", (url) => {
    expect(problems(GRANTS, { GRANT_STORE_URL: url })).toEqual([
      "GRANT_STORE_URL must be https on a host below .table.core.windows.net",
    ]);
  });

  test.each([
    "https://user@kv.vault.azure.net",
    "https://kv.vault.azure.net\\.evil.com",
    "https://evil.com\\.vault.azure.net",
  ])("KEY_VAULT_URL %s has not even the form", (url) => {
    expect(problems(VAULT, { KEY_VAULT_URL: url })).toEqual([`KEY_VAULT_URL must be ${SETTINGS.KEY_VAULT_URL.mustBe}`]);
  });

  test.each<[string, string, string]>([
    ["public", "https://kv.vault.azure.net", "https://st.table.core.windows.net"],
    ["usgov", "https://kv.vault.usgovcloudapi.net", "https://st.table.core.usgovcloudapi.net"],
    ["china", "https://kv.vault.azure.cn", "https://st.table.core.chinacloudapi.cn"],
  ])("%s has its own", (cloud, vaultUrl, storeUrl) => {
    const own = {
      KEY_VAULT_URL: vaultUrl,
      GRANT_STORE_URL: storeUrl,
      POLICY: policy({}, "https://api.contoso.example"),
    };
    expect(problems(GRANTS, { ...own, CLOUD: cloud })).toEqual([]);
    for (const other of ["public", "usgov", "china"].filter((name) => name !== cloud)) {
      expect(problems(GRANTS, { ...own, CLOUD: other })).toHaveLength(2);
    }
  });

  test.each<[Variables, string]>([
    [{ KEY_VAULT_URL: "https://kv.vault.azure.net" }, "KEY_VAULT_URL must be on this machine"],
    [{ KEY_VAULT_URL: "https://localhost.evil.example" }, "KEY_VAULT_URL must be on this machine"],
    [{ GRANT_STORE_URL: "http://10.0.0.1:10002/x" }, "GRANT_STORE_URL must be on this machine"],
  ])("in the local cloud they are on this machine: %j", (changes, problem) => {
    expect(problems(LOCAL, changes)).toEqual([problem]);
  });

  test.each([
    "http://localhost:7443",
    "https://localhost",
    "https://localhost:99999",
    "https://localhost:7443/",
    "https://localhost.evil.example:7443",
    "https://127.0.0.2:7443",
    "https://user@localhost:7443",
  ])("LOCAL_TENANT_URL %s is not the local tenant", (url) => {
    expect(problems(LOCAL, { LOCAL_TENANT_URL: url })[0]).toBe(
      `LOCAL_TENANT_URL must be ${SETTINGS.LOCAL_TENANT_URL.mustBe}`,
    );
  });
});

describe("Graph: the cloud's own, so that no token is asked for another", () => {
  const AT: Readonly<Record<string, Variables>> = {
    public: AZURE,
    usgov: { ...AZURE, CLOUD: "usgov" },
    china: { ...AZURE, CLOUD: "china" },
    local: LOCAL,
  };
  const OWN: Readonly<Record<string, readonly string[]>> = {
    public: ["https://graph.microsoft.com"],
    usgov: ["https://graph.microsoft.us", "https://dod-graph.microsoft.us"],
    china: ["https://microsoftgraph.chinacloudapi.cn"],
    local: ["https://graph.microsoft.com"],
  };
  const EVERY = [...new Set(Object.values(OWN).flat())];

  test.each(Object.keys(OWN))("%s", (cloud) => {
    const own = OWN[cloud] ?? [];
    const expected = `POLICY apis.graph.resource is the Graph of another cloud than CLOUD names: ${own.join(" or ")}`;
    for (const resource of EVERY) {
      expect(problems(AT[cloud] ?? {}, { POLICY: policy({}, resource) })).toEqual(
        own.includes(resource) ? [] : [expected],
      );
    }
  });

  test.each(["https://GRAPH.microsoft.us", "https://graph.microsoft.us/", "https://graph.microsoft.us:443/v1.0"])(
    "%s is the same one",
    (resource) => {
      expect(problems(AZURE, { POLICY: policy({}, resource) })).toHaveLength(1);
      expect(problems(AT["usgov"] ?? {}, { POLICY: policy({}, resource) })).toEqual([]);
    },
  );

  test.each([
    "https://graph.microsoft.us.contoso.example",
    "api://graph.microsoft.us",
    "https://orders.contoso.example",
  ])("%s is none", (resource) => {
    expect(problems(AZURE, { POLICY: policy({}, resource) })).toEqual([]);
  });

  test("an entry that is wrong otherwise hides nothing", () => {
    const POLICY = policy({ colour: "red" }, "https://graph.microsoft.us");
    expect(problems(AZURE, { POLICY })).toEqual([
      "POLICY callers.0 has unknown members: colour",
      expect.stringMatching(/^POLICY apis\.graph\.resource is the Graph of another cloud/),
    ]);
  });

  test("without a cloud, it is not judged", () => {
    const POLICY = policy({}, "https://graph.microsoft.us");
    expect(problems(AZURE, { POLICY, CLOUD: undefined })).toEqual([`CLOUD is missing: ${SETTINGS.CLOUD.mustBe}`]);
  });
});

describe("Redis: the cloud's own, by TLS, or on this machine", () => {
  const redisProblem = "REDIS_URL must be rediss on a host below .redis.azure.net";
  test.each([
    "redis://r.westeurope.redis.azure.net:10000",
    "rediss://r.westeurope.redis.azure.net.evil.com:10000",
    "rediss://redis.azure.net:10000",
    "rediss://.redis.azure.net:10000",
    "rediss://127.0.0.1:6379",
  ])("%s", (url) => {
    expect(problems(VAULT, { REDIS_URL: url })).toEqual([redisProblem]);
  });

  test("accepted, and told in the configuration", () => {
    const url = "rediss://r.westeurope.redis.azure.net:10000";
    expect(configFrom({ ...VAULT, REDIS_URL: url }).sharedCache).toEqual({ redisUrl: url, keyName: "cache-key" });
    expect(problems(AZURE, { REDIS_URL: url })).toEqual([expect.stringMatching(/^KEY_VAULT_URL is missing/)]);
  });

  test("locally", () => {
    expect(problems(LOCAL, { REDIS_URL: "redis://127.0.0.1:6379" })).toEqual([]);
    expect(problems(LOCAL, { REDIS_URL: "rediss://r.westeurope.redis.azure.net:10000" })).toEqual([
      "REDIS_URL must be on this machine",
    ]);
  });
});

describe("the configuration", () => {
  test("the least there is", () => {
    expect(configFrom(AZURE)).toMatchObject({
      cloud: { name: "public", authorityHost: "https://login.microsoftonline.com" },
      tenantId: TENANT,
      serviceUrl: "https://gte.example",
      appIdUri: `api://${CLIENT}`,
      delegated: { clientId: CLIENT, credential: { kind: "managed-identity" } },
      applicationOnly: undefined,
      vaultUrl: undefined,
      managedIdentityClientId: undefined,
      grants: undefined,
      sealingKeyName: "sealing-key",
      v1Audiences: [],
      allowGuests: false,
      tokenCacheMaxBytes: 67_108_864,
      sharedCache: undefined,
    } satisfies Partial<Record<keyof Config, unknown>>);
  });

  test("everything", () => {
    const everything: Variables = {
      ...GRANTS,
      TENANT_ID: TENANT.toUpperCase(),
      CLIENT_ID: CLIENT.toUpperCase(),
      APP_ID_URI: `api://${TENANT}/gte`,
      APP_ONLY_CLIENT_ID: APP_ONLY.toUpperCase(),
      CLIENT_SECRET_NAME: "mine",
      APP_ONLY_CLIENT_SECRET_NAME: "other",
      MANAGED_IDENTITY_CLIENT_ID: CALLER,
      GRANT_TABLE_NAME: "mygrants",
      GRANT_REAP: "delete",
      SEALING_KEY_NAME: "seal",
      V1_TOKEN_AUDIENCES: `api://${CLIENT},https://gte.example`,
      ALLOW_GUESTS: "true",
      TOKEN_CACHE_MAX_BYTES: "1000000",
      POLICY: policy({ flows: ["client-credentials"], apis: { graph: [".default"] } }),
    };
    expect(configFrom(everything)).toMatchObject({
      tenantId: TENANT,
      appIdUri: `api://${TENANT}/gte`,
      delegated: { clientId: CLIENT, credential: { kind: "key-vault-secret", secretName: "mine" } },
      applicationOnly: { clientId: APP_ONLY, credential: { kind: "key-vault-secret", secretName: "other" } },
      vaultUrl: "https://kv.vault.azure.net",
      managedIdentityClientId: CALLER,
      grants: { tableEndpoint: "https://st.table.core.windows.net", tableName: "mygrants", reapDryRun: false },
      sealingKeyName: "seal",
      v1Audiences: [`api://${CLIENT}`, "https://gte.example"],
      allowGuests: true,
      tokenCacheMaxBytes: 1_000_000,
    });
  });

  test("certificates by their names", () => {
    const config = configFrom({ ...VAULT, CLIENT_CREDENTIAL: "key-vault-certificate", APP_ONLY_CLIENT_ID: APP_ONLY });
    expect(config.delegated.credential).toEqual({
      kind: "key-vault-certificate",
      certificateName: "client-certificate",
    });
    expect(config.applicationOnly?.credential).toEqual({
      kind: "key-vault-certificate",
      certificateName: "app-only-client-certificate",
    });
  });

  test("grants are counted, not deleted, until the operator says so", () => {
    expect(configFrom(GRANTS).grants?.reapDryRun).toBe(true);
  });

  test("the local cloud is made from the local tenant's URL", () => {
    expect(configFrom(LOCAL).cloud).toMatchObject({
      name: "local",
      authorityHost: "https://localhost:7443",
      v1IssuerBase: "https://localhost:7443",
    });
  });

  test("it is read from the environment of the process", () => {
    for (const [name, value] of Object.entries(AZURE)) {
      vi.stubEnv(name, value);
    }
    expect(configFromEnvironment()).toEqual(configFrom(AZURE));
  });
});
