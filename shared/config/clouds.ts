/**
 * The clouds, one frozen record each: every host that the service talks to comes from here, never from a setting, so
 * that a wrong setting cannot send a secret elsewhere. The local tenant is the fourth cloud; its record is made from
 * `LOCAL_TENANT_URL`. No I/O.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
export const CLOUD_NAMES = ["public", "usgov", "china", "local"] as const;
export type CloudName = (typeof CLOUD_NAMES)[number];

/** The tenant of the local stand-in. The other clouds refuse it, so local settings cannot be deployed by mistake. */
export const LOCAL_TENANT_ID = "10ca1000-7e57-4000-8000-000000000000";

export interface Cloud {
  readonly name: CloudName;
  /** Entra's origin, without a trailing slash. */
  readonly authorityHost: string;
  /** Issuer of v1 tokens, up to the tenant id. */
  readonly v1IssuerBase: string;
  /** Microsoft Graph's resource URIs: more than one where a cloud has several. */
  readonly graphResources: readonly string[];
  /** Host suffix that a Key Vault URL must have. */
  readonly vaultSuffix: string;
  /** Host suffix that a table storage URL must have. */
  readonly tableSuffix: string;
  /** Audience of a managed identity token used as a federated credential. */
  readonly federationAudience: string;
  /** Host suffix that a URL of Azure Managed Redis must have. */
  readonly redisSuffix: string;
  /** Azure Managed Redis with Entra authentication. */
  readonly redisScope: string;
}

const PUBLIC: Cloud = Object.freeze({
  name: "public",
  authorityHost: "https://login.microsoftonline.com",
  v1IssuerBase: "https://sts.windows.net",
  graphResources: ["https://graph.microsoft.com"],
  vaultSuffix: ".vault.azure.net",
  tableSuffix: ".table.core.windows.net",
  federationAudience: "api://AzureADTokenExchange",
  redisSuffix: ".redis.azure.net",
  redisScope: "https://redis.azure.com/.default",
});

const US_GOVERNMENT: Cloud = Object.freeze({
  name: "usgov",
  authorityHost: "https://login.microsoftonline.us",
  v1IssuerBase: "https://sts.windows.net",
  // For the department of defense, the second.
  graphResources: ["https://graph.microsoft.us", "https://dod-graph.microsoft.us"],
  vaultSuffix: ".vault.usgovcloudapi.net",
  tableSuffix: ".table.core.usgovcloudapi.net",
  federationAudience: "api://AzureADTokenExchangeUSGov",
  redisSuffix: ".redis.azure.us",
  redisScope: "https://redis.azure.us/.default",
});

const CHINA: Cloud = Object.freeze({
  name: "china",
  authorityHost: "https://login.partner.microsoftonline.cn",
  v1IssuerBase: "https://sts.chinacloudapi.cn",
  graphResources: ["https://microsoftgraph.chinacloudapi.cn"],
  vaultSuffix: ".vault.azure.cn",
  tableSuffix: ".table.core.chinacloudapi.cn",
  federationAudience: "api://AzureADTokenExchangeChina",
  redisSuffix: ".redis.azure.cn",
  redisScope: "https://redis.azure.cn/.default",
});

/** The record of a cloud; `localTenantUrl` (an origin) is needed for `local` and unused otherwise. */
export function cloudNamed(name: CloudName, localTenantUrl: string): Cloud {
  switch (name) {
    case "public":
      return PUBLIC;
    case "usgov":
      return US_GOVERNMENT;
    case "china":
      return CHINA;
    case "local":
      return localCloud(localTenantUrl);
  }
}

/** Microsoft Graph, but of another cloud than this one: its tokens are none of this cloud's Entra to give. */
export function isGraphElsewhere({ graphResources }: Cloud, resource: string): boolean {
  const host = hostOf(resource);
  const everywhere = [PUBLIC, US_GOVERNMENT, CHINA].flatMap((cloud) => cloud.graphResources);
  return everywhere.some((one) => hostOf(one) === host) && !graphResources.some((one) => hostOf(one) === host);
}

function hostOf(uri: string): string | undefined {
  const { protocol, hostname } = URL.canParse(uri) ? new URL(uri) : { protocol: "", hostname: "" };
  return protocol === "https:" ? hostname : undefined;
}

function localCloud(origin: string): Cloud {
  return Object.freeze({
    name: "local",
    authorityHost: origin,
    v1IssuerBase: origin,
    graphResources: PUBLIC.graphResources,
    vaultSuffix: "",
    tableSuffix: "",
    federationAudience: "api://AzureADTokenExchange",
    redisSuffix: "",
    redisScope: "https://redis.azure.com/.default",
  });
}
