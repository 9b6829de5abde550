/** Reading the settings: the error names all problems at once and contains no value. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LOCAL_TENANT_ID } from "../../../shared/config/clouds.ts";
import { type Config, ConfigurationError } from "../../../shared/config/config.ts";
import { configFrom, configurationFrom, configurationFromEnvironment } from "../../../shared/config/environment.ts";
import type { Setting } from "../../../shared/config/setting-forms.ts";
import { SETTINGS, type SettingName } from "../../../shared/config/settings.ts";

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

/** A deployment without a vault. Each test changes one part of it. */
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
  test("without any setting, the error names all required settings at once", () => {
    const required = (Object.entries(SETTINGS) as [SettingName, Setting][]).filter(([, s]) => s.required === "always");
    const names = problems({}).map((problem) => problem.split(" ")[0]);
    expect(names).toEqual([...required.map(([name]) => name), "POLICY"]);
  });

  test("the policy must be in exactly one of POLICY and POLICY_URL", () => {
    const POLICY_URL = "https://stgtecontoso.blob.core.windows.net/policy/policy.json";
    expect(problems(AZURE, { POLICY: undefined })).toEqual(["POLICY is missing: set POLICY or POLICY_URL"]);
    expect(problems(AZURE, { POLICY_URL })).toEqual([
      "POLICY_URL must not be set together with POLICY: remove one of them",
    ]);
    const { policy } = configurationFrom({ ...AZURE, POLICY: "", POLICY_URL });
    expect(policy).toMatchObject({ kind: "blob", url: POLICY_URL });
  });

  test.each([
    ["another host suffix", "https://stgtecontoso.blob.core.windows.example/policy/policy.json"],
    ["the suffix of another cloud", "https://stgtecontoso.blob.core.usgovcloudapi.net/policy/policy.json"],
    ["a label too many", "https://x.stgtecontoso.blob.core.windows.net/policy/policy.json"],
    ["http", "http://stgtecontoso.blob.core.windows.net/policy/policy.json"],
    ["a port", "https://stgtecontoso.blob.core.windows.net:8443/policy/policy.json"],
    ["this machine outside the local cloud", "https://localhost:7443/policy/policy.json"],
    ["a container without a blob", "https://stgtecontoso.blob.core.windows.net/policy"],
    ["a signature in the query", "https://stgtecontoso.blob.core.windows.net/policy/policy.json?sig=x"],
    ["user and password", "https://user:password@stgtecontoso.blob.core.windows.net/policy/policy.json"],
  ])("POLICY_URL with %s is refused", (_title, POLICY_URL) => {
    const found = problems(AZURE, { POLICY: undefined, POLICY_URL });
    expect(found).toEqual([expect.stringMatching(/^POLICY(_URL)? (must be|is missing)/)]);
  });

  test("a policy of a blob is checked together with the settings, and is named by the SHA-256 of its bytes", () => {
    const POLICY_URL = "https://stgtecontoso.blob.core.windows.net/policy/policy.json";
    const { policy: location } = configurationFrom({ ...AZURE, POLICY: "", POLICY_URL });
    if (location.kind !== "blob") throw new Error("not a blob");
    const text = `\ufeff${policy()}\n`;
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
    expect(location.configFor(text)).toMatchObject({ ok: true, value: { policyHash: hash, tenantId: TENANT } });
    expect(location.configFor("{")).toEqual({ ok: false, failure: ["POLICY is not JSON"] });
    expect(location.configFor(policy({ offlineAccess: true, unattended: true }))).toMatchObject({
      failure: [expect.stringContaining("GRANT_STORE_URL is missing"), expect.stringContaining("KEY_VAULT_URL")].slice(
        0,
        1,
      ),
    });
  });

  test("the error message lists one problem per line", () => {
    expect(() => configFrom({ ...AZURE, TENANT_ID: "x", CLIENT_ID: "" })).toThrow(
      [
        "The service does not start: 2 problems in its settings.",
        "- TENANT_ID must be a GUID",
        "- CLIENT_ID is missing: it must be a GUID",
      ].join("\n"),
    );
  });

  test.each(["", " ", "\t\n"])("an empty setting (%j) counts as missing", (empty) => {
    expect(problems(AZURE, { TENANT_ID: empty })).toEqual(["TENANT_ID is missing: it must be a GUID"]);
    expect(problems(AZURE, { ALLOW_GUESTS: empty, MANAGED_IDENTITY_CLIENT_ID: empty })).toEqual([]);
  });

  const REDIS = "r.westeurope.redis.azure.net:10000";
  test.each<[string, Variables]>([
    ["white space and a line end", { TENANT_ID: ` ${TENANT}\n`, POLICY: `\ufeff${policy()}\r\n` }],
    ["double quotes", { TENANT_ID: `"${TENANT}"`, KEY_VAULT_URL: '"https://kv.vault.azure.net"' }],
    ["single quotes", { CLIENT_ID: `'${CLIENT}'`, CLOUD: "'public'", POLICY: `'${policy()}'` }],
    ["typographic quotes", { CLIENT_ID: `\u201c${CLIENT}\u201d` }],
    ["quotes with white space inside", { CLIENT_ID: `" ${CLIENT} "` }],
    ["braces", { TENANT_ID: `{${TENANT}}`, CLIENT_ID: `{${CLIENT.toUpperCase()}}` }],
    ["upper case in GUIDs", { CLIENT_ID: CLIENT.toUpperCase(), MANAGED_IDENTITY_CLIENT_ID: CALLER.toUpperCase() }],
    ["upper case in words", { CLOUD: "Public", CLIENT_CREDENTIAL: "Key-Vault-Secret", ALLOW_GUESTS: "True" }],
    ["Vault URI, as the portal shows it", { KEY_VAULT_URL: "https://kv.vault.azure.net/" }],
    ["the table endpoint, as the portal shows it", { GRANT_STORE_URL: "https://st.table.core.windows.net/" }],
    ["SERVICE_URL with a trailing slash", { SERVICE_URL: "https://gte.example/" }],
    ["the default domain, as the portal shows it", { SERVICE_URL: "gte.example" }],
    ["APP_ID_URI with a trailing slash", { APP_ID_URI: `api://${CLIENT}/` }],
    ["the endpoint of Redis, as the portal shows it", { REDIS_URL: REDIS }],
    ["REDIS_URL with a trailing slash", { REDIS_URL: `rediss://${REDIS}/` }],
    ["blanks after the commas of a list", { V1_TOKEN_AUDIENCES: "api://a, https://b" }],
    ["line ends in a list", { V1_TOKEN_AUDIENCES: " api://a ,\n https://b " }],
  ])("%s: the setting counts as the value that was meant", (_title, copied) => {
    const meant: Variables = {
      ...GRANTS,
      MANAGED_IDENTITY_CLIENT_ID: CALLER,
      ALLOW_GUESTS: "true",
      APP_ID_URI: `api://${CLIENT}`,
      REDIS_URL: `rediss://${REDIS}`,
      V1_TOKEN_AUDIENCES: "api://a,https://b",
    };
    expect(configFrom({ ...meant, ...copied })).toEqual(configFrom(meant));
  });

  test.each<[Variables, string]>([
    [{ TENANT_ID: `https://login.microsoftonline.com/${TENANT}` }, "TENANT_ID must be a GUID"],
    [{ CLIENT_ID: `api://${CLIENT}` }, "CLIENT_ID must be a GUID"],
    [{ CLIENT_ID: `"${CLIENT}` }, "CLIENT_ID must be a GUID"],
    [
      { CLIENT_SECRET_NAME: "https://kv.vault.azure.net/secrets/client-secret/0f0e" },
      "CLIENT_SECRET_NAME must be a name in Key Vault: letters, digits and hyphens",
    ],
  ])("%j is not harmless and is refused", (copied, problem) => {
    expect(problems(VAULT, copied)).toEqual([problem]);
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
    ["CLIENT_SECRET_NAME", { CLIENT_SECRET_NAME: "a/b" }, "a name in Key Vault: letters, digits and hyphens"],
    ["GRANT_TABLE_NAME", { GRANT_TABLE_NAME: "1grants" }, "a table name: a letter, then 2 to 62 letters and digits"],
    ["GRANT_REAP", { GRANT_REAP: "true" }, "dry-run or delete"],
    ["TOKEN_CACHE_MAX_BYTES", { TOKEN_CACHE_MAX_BYTES: "64MB" }, "a number of bytes, at least 100000"],
    ["TOKEN_CACHE_MAX_BYTES", { TOKEN_CACHE_MAX_BYTES: "99999" }, "a number of bytes, at least 100000"],
    ["V1_TOKEN_AUDIENCES", { V1_TOKEN_AUDIENCES: "a,,b" }, "audiences separated by commas"],
    ...["a\nb", "a\u202eb", "a\u200bb", "a\u2028b", "x".repeat(101)].map((name): [string, Variables, string] => [
      "TENANT_DISPLAY_NAME",
      { TENANT_DISPLAY_NAME: name },
      "a name of at most 100 characters on one line",
    ]),
  ])("a malformed %s is refused with its allowed form: %j", (name, changes, mustBe) => {
    expect(problems(AZURE, changes)).toEqual([`${name} must be ${mustBe}`]);
  });

  test.each([
    "https://gte.example//",
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
    "gte.example:7071",
    "gte",
  ])("SERVICE_URL %j is refused: it is not an origin", (url) => {
    expect(problems(AZURE, { SERVICE_URL: url })).toEqual([`SERVICE_URL must be ${SETTINGS.SERVICE_URL.mustBe}`]);
  });

  test.each([
    "api://",
    "api://x//",
    "api://x//y",
    "api://x y",
    'api://x"y',
    "api://x?y",
    "api://x#y",
    "api://user@x",
    "http://tokens.example",
    "urn:x",
    "x",
  ])("APP_ID_URI %j is refused: it is not an App ID URI", (uri) => {
    expect(problems(AZURE, { APP_ID_URI: uri })).toEqual([`APP_ID_URI must be ${SETTINGS.APP_ID_URI.mustBe}`]);
  });

  test.each(["api://gte", `api://${TENANT}/gte`, "https://tokens.example", "https://tokens.example/gte"])(
    "APP_ID_URI %j is accepted",
    (uri) => {
      expect(configFrom({ ...AZURE, APP_ID_URI: uri }).registrations[0].appIdUri).toBe(uri);
    },
  );

  test("a problem of the policy names its position", () => {
    expect(problems(AZURE, { POLICY: "{}" })).toEqual([
      "POLICY apis is missing; it must be an object",
      "POLICY callers is missing; it must be a list",
    ]);
    expect(problems(AZURE, { POLICY: "not json" })).toEqual(["POLICY is not JSON"]);
  });

  test("the contradictions of a malformed policy with other settings are reported, too", () => {
    const POLICY = policy({ offlineAccess: true, clientId: CLIENT, colour: "red", unattended: true });
    expect(problems(VAULT, { POLICY, ALLOW_GUESTS: "perhaps" })).toEqual([
      "ALLOW_GUESTS must be true or false",
      "POLICY callers.0 has an unknown member: colour",
      expect.stringMatching(/^GRANT_STORE_URL is missing/),
      "POLICY must not list CLIENT_ID as a caller: the service refuses tokens that were issued to itself",
    ]);
  });

  test("property: no problem contains the value of any setting", () => {
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

describe("contradictions between settings", () => {
  test.each<[string, Variables, Variables, string]>([
    [
      "a credential in Key Vault without KEY_VAULT_URL",
      VAULT,
      { KEY_VAULT_URL: undefined },
      "KEY_VAULT_URL is missing",
    ],
    [
      "a grant store without KEY_VAULT_URL",
      GRANTS,
      { CLIENT_CREDENTIAL: "managed-identity", KEY_VAULT_URL: undefined },
      "KEY_VAULT_URL is missing",
    ],
    [
      "offlineAccess without a grant store",
      VAULT,
      { POLICY: policy({ offlineAccess: true, unattended: true }) },
      "GRANT_STORE_URL is missing",
    ],
    [
      "importRefreshTokens without a grant store",
      VAULT,
      { POLICY: policy({ importRefreshTokens: true, unattended: true }) },
      "GRANT_STORE_URL is missing",
    ],
    [
      "client-credentials without the app-only registration",
      AZURE,
      { POLICY: policy({ flows: ["client-credentials"], apis: { graph: [".default"] } }) },
      "APP_ONLY_CLIENT_ID is missing",
    ],
    [
      "one registration for delegated and application tokens",
      AZURE,
      { APP_ONLY_CLIENT_ID: CLIENT.toUpperCase() },
      "APP_ONLY_CLIENT_ID must differ from CLIENT_ID",
    ],
    [
      "a policy that lists the service as a caller",
      AZURE,
      { POLICY: policy({ clientId: CLIENT.toUpperCase() }) },
      "POLICY must not list CLIENT_ID as a caller",
    ],
    [
      "SEC-16: an http SERVICE_URL in Azure",
      AZURE,
      { SERVICE_URL: "http://gte.example" },
      "SERVICE_URL must use https",
    ],
    [
      "SEC-16: an http SERVICE_URL on this machine outside the local cloud",
      AZURE,
      { SERVICE_URL: "http://localhost:7071" },
      "SERVICE_URL must use https",
    ],
    [
      "SEC-16: an http SERVICE_URL on another host in the local cloud",
      LOCAL,
      { SERVICE_URL: "http://gte.example" },
      "SERVICE_URL must use https",
    ],
    [
      "SEC-16: LOCAL_TENANT_URL in a real cloud",
      AZURE,
      { LOCAL_TENANT_URL: "https://localhost:7443" },
      "LOCAL_TENANT_URL must not be set: it is allowed only with CLOUD=local",
    ],
    [
      "the local cloud without LOCAL_TENANT_URL",
      LOCAL,
      { LOCAL_TENANT_URL: undefined },
      "LOCAL_TENANT_URL is missing: CLOUD=local requires it",
    ],
    [
      "SEC-16: the id of the local tenant in a real cloud",
      AZURE,
      { TENANT_ID: LOCAL_TENANT_ID.toUpperCase() },
      "TENANT_ID must not be the local tenant",
    ],
    [
      "the id of a real tenant in the local cloud",
      LOCAL,
      { TENANT_ID: TENANT },
      `TENANT_ID must be ${LOCAL_TENANT_ID}`,
    ],
    [
      "SEC-16: certificate verification turned off in Azure",
      AZURE,
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      "NODE_TLS_REJECT_UNAUTHORIZED must not be 0",
    ],
    [
      "SEC-16: certificate verification turned off in the local cloud",
      LOCAL,
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
      "NODE_TLS_REJECT_UNAUTHORIZED must not be 0",
    ],
    [
      "SEC-16: the local cloud in Azure, recognized by WEBSITE_INSTANCE_ID",
      LOCAL,
      { WEBSITE_INSTANCE_ID: "x" },
      "CLOUD must not be local in Azure: WEBSITE_INSTANCE_ID is set",
    ],
    [
      "SEC-16: the local cloud in Azure, recognized by WEBSITE_SITE_NAME",
      LOCAL,
      { WEBSITE_SITE_NAME: "x" },
      "CLOUD must not be local in Azure: WEBSITE_SITE_NAME is set",
    ],
    [
      "SEC-16: the local cloud in Azure, recognized by WEBSITE_POD_NAME",
      LOCAL,
      { WEBSITE_POD_NAME: "x" },
      "CLOUD must not be local in Azure: WEBSITE_POD_NAME is set",
    ],
  ])("%s is one problem", (_name, base, changes, problem) => {
    expect(problems(base)).toEqual([]);
    const found = problems(base, changes);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });

  test("a real cloud in Azure with certificate verification is no problem", () => {
    expect(problems(AZURE, { WEBSITE_INSTANCE_ID: "x", NODE_TLS_REJECT_UNAUTHORIZED: "1" })).toEqual([]);
  });

  test("without CLOUD, the hosts of Azure services are not checked", () => {
    expect(problems(VAULT, { CLOUD: "" })).toEqual([`CLOUD is missing: it must be ${SETTINGS.CLOUD.mustBe}`]);
  });
});

describe("hosts of Azure services: https and one label before the suffix of the cloud", () => {
  const vaultProblem = "KEY_VAULT_URL must be https://<name>.vault.azure.net in the cloud that CLOUD names";
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
  ])("KEY_VAULT_URL %s is refused: it is not a vault of the cloud", (url) => {
    expect(problems(VAULT, { KEY_VAULT_URL: url })).toEqual([vaultProblem]);
  });

  test.each([
    "https://evil.table.core.windows.net.evil.com",
    "https://st.blob.core.windows.net",
    "https://st.table.core.windows.net:444",
    "https://st.table.core.windows.net/path",
    "http://st.table.core.windows.net",
    "http://127.0.0.1:10002/devstoreaccount1",
  ])("GRANT_STORE_URL %s is refused: it is not a table service of the cloud", (url) => {
    expect(problems(GRANTS, { GRANT_STORE_URL: url })).toEqual([
      "GRANT_STORE_URL must be https://<name>.table.core.windows.net in the cloud that CLOUD names",
    ]);
  });

  test.each([
    "https://user@kv.vault.azure.net",
    "https://kv.vault.azure.net\\.evil.com",
    "https://evil.com\\.vault.azure.net",
  ])("KEY_VAULT_URL %s is refused: it is malformed", (url) => {
    expect(problems(VAULT, { KEY_VAULT_URL: url })).toEqual([`KEY_VAULT_URL must be ${SETTINGS.KEY_VAULT_URL.mustBe}`]);
  });

  test.each<[string, string, string]>([
    ["public", "https://kv.vault.azure.net", "https://st.table.core.windows.net"],
    ["usgov", "https://kv.vault.usgovcloudapi.net", "https://st.table.core.usgovcloudapi.net"],
    ["china", "https://kv.vault.azure.cn", "https://st.table.core.chinacloudapi.cn"],
  ])("cloud %s accepts only its own vaults and table services", (cloud, vaultUrl, storeUrl) => {
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
    [
      { KEY_VAULT_URL: "https://kv.vault.azure.net" },
      "KEY_VAULT_URL must have the host 127.0.0.1, [::1] or localhost with CLOUD=local",
    ],
    [
      { KEY_VAULT_URL: "https://localhost.evil.example" },
      "KEY_VAULT_URL must have the host 127.0.0.1, [::1] or localhost with CLOUD=local",
    ],
    [
      { GRANT_STORE_URL: "http://10.0.0.1:10002/x" },
      "GRANT_STORE_URL must have the host 127.0.0.1, [::1] or localhost with CLOUD=local",
    ],
  ])("the local cloud refuses a host on another machine: %j", (changes, problem) => {
    expect(problems(LOCAL, changes)).toEqual([problem]);
  });

  test.each([
    "http://localhost:7443",
    "https://localhost",
    "https://localhost:99999",
    "https://localhost:7443//",
    "https://localhost.evil.example:7443",
    "https://127.0.0.2:7443",
    "https://user@localhost:7443",
  ])("LOCAL_TENANT_URL %s is refused: it is not an https URL with a port on this machine", (url) => {
    expect(problems(LOCAL, { LOCAL_TENANT_URL: url })[0]).toBe(
      `LOCAL_TENANT_URL must be ${SETTINGS.LOCAL_TENANT_URL.mustBe}`,
    );
  });
});

describe("Microsoft Graph in the policy", () => {
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

  test.each(Object.keys(OWN))("cloud %s accepts its own Graph and refuses Graph of other clouds", (cloud) => {
    const own = OWN[cloud] ?? [];
    const expected = `POLICY apis.graph.resource is Microsoft Graph in another cloud: CLOUD allows ${own.join(" or ")}`;
    for (const resource of EVERY) {
      expect(problems(AT[cloud] ?? {}, { POLICY: policy({}, resource) })).toEqual(
        own.includes(resource) ? [] : [expected],
      );
    }
  });

  test.each(["https://GRAPH.microsoft.us", "https://graph.microsoft.us/", "https://graph.microsoft.us:443/v1.0"])(
    "%s is recognized as Graph in the US Government cloud",
    (resource) => {
      const spelling = expect.stringMatching(/^POLICY apis\.graph\.resource .*; write https:\/\/graph\.microsoft\.us$/);
      const cloud = expect.stringMatching(/^POLICY apis\.graph\.resource is Microsoft Graph in another cloud/);
      expect(problems(AZURE, { POLICY: policy({}, resource) })).toEqual([spelling, cloud]);
      expect(problems(AT["usgov"] ?? {}, { POLICY: policy({}, resource) })).toEqual([spelling]);
    },
  );

  test.each([
    "https://graph.microsoft.us.contoso.example",
    "api://graph.microsoft.us",
    "https://orders.contoso.example",
  ])("%s is not Microsoft Graph and is accepted", (resource) => {
    expect(problems(AZURE, { POLICY: policy({}, resource) })).toEqual([]);
  });

  test("Graph of another cloud is reported although the policy has a malformed entry", () => {
    const POLICY = policy({ colour: "red" }, "https://graph.microsoft.us");
    expect(problems(AZURE, { POLICY })).toEqual([
      "POLICY callers.0 has an unknown member: colour",
      expect.stringMatching(/^POLICY apis\.graph\.resource is Microsoft Graph in another cloud/),
    ]);
  });

  test("without CLOUD, the resource of Graph is not checked", () => {
    const POLICY = policy({}, "https://graph.microsoft.us");
    expect(problems(AZURE, { POLICY, CLOUD: undefined })).toEqual([
      `CLOUD is missing: it must be ${SETTINGS.CLOUD.mustBe}`,
    ]);
  });
});

describe("REDIS_URL", () => {
  const redisProblem = "REDIS_URL must be rediss://<name>.redis.azure.net:<port> in the cloud that CLOUD names";
  test.each([
    "redis://r.westeurope.redis.azure.net:10000",
    "rediss://r.westeurope.redis.azure.net.evil.com:10000",
    "rediss://redis.azure.net:10000",
    "rediss://.redis.azure.net:10000",
    "rediss://127.0.0.1:6379",
  ])("%s is refused: it is not Azure Managed Redis of the cloud with TLS", (url) => {
    expect(problems(VAULT, { REDIS_URL: url })).toEqual([redisProblem]);
  });

  test("is accepted for Azure Managed Redis with a vault, and is part of the configuration", () => {
    const url = "rediss://r.westeurope.redis.azure.net:10000";
    expect(configFrom({ ...VAULT, REDIS_URL: url }).sharedCache).toEqual({ redisUrl: url, keyName: "cache-key" });
    expect(problems(AZURE, { REDIS_URL: url })).toEqual([expect.stringMatching(/^KEY_VAULT_URL is missing/)]);
  });

  test("must be on this machine in the local cloud", () => {
    expect(problems(LOCAL, { REDIS_URL: "redis://127.0.0.1:6379" })).toEqual([]);
    expect(problems(LOCAL, { REDIS_URL: "rediss://r.westeurope.redis.azure.net:10000" })).toEqual([
      "REDIS_URL must have the host 127.0.0.1, [::1] or localhost with CLOUD=local",
    ]);
  });
});

describe("the configuration", () => {
  test("has defaults for all optional settings", () => {
    expect(configFrom(AZURE)).toMatchObject({
      cloud: { name: "public", authorityHost: "https://login.microsoftonline.com" },
      tenantId: TENANT,
      serviceUrl: "https://gte.example",
      registrations: [
        {
          name: "default",
          clientId: CLIENT,
          appIdUri: `api://${CLIENT}`,
          credential: { kind: "managed-identity" },
        },
      ],
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

  test("contains all settings, with GUIDs in lower case", () => {
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
      registrations: [
        {
          name: "default",
          clientId: CLIENT,
          appIdUri: `api://${TENANT}/gte`,
          credential: { kind: "key-vault-secret", secretName: "mine" },
        },
      ],
      applicationOnly: {
        name: "app-only",
        clientId: APP_ONLY,
        credential: { kind: "key-vault-secret", secretName: "other" },
      },
      vaultUrl: "https://kv.vault.azure.net",
      managedIdentityClientId: CALLER,
      grants: { tableEndpoint: "https://st.table.core.windows.net", tableName: "mygrants", reapDryRun: false },
      sealingKeyName: "seal",
      v1Audiences: [`api://${CLIENT}`, "https://gte.example"],
      allowGuests: true,
      tokenCacheMaxBytes: 1_000_000,
    });
  });

  test("contains the certificate names of both registrations", () => {
    const config = configFrom({ ...VAULT, CLIENT_CREDENTIAL: "key-vault-certificate", APP_ONLY_CLIENT_ID: APP_ONLY });
    expect(config.registrations[0].credential).toEqual({
      kind: "key-vault-certificate",
      certificateName: "client-certificate",
    });
    expect(config.applicationOnly?.credential).toEqual({
      kind: "key-vault-certificate",
      certificateName: "app-only-client-certificate",
    });
  });

  test("counts expired grants and does not delete them by default", () => {
    expect(configFrom(GRANTS).grants?.reapDryRun).toBe(true);
  });

  test("has the hosts of the local cloud from LOCAL_TENANT_URL", () => {
    expect(configFrom(LOCAL).cloud).toMatchObject({
      name: "local",
      authorityHost: "https://localhost:7443",
      v1IssuerBase: "https://localhost:7443",
    });
  });

  test("is read from the environment of the process", () => {
    for (const [name, value] of Object.entries(AZURE)) {
      vi.stubEnv(name, value);
    }
    expect(configurationFromEnvironment().policy).toEqual({ kind: "setting", config: configFrom(AZURE) });
  });
});
