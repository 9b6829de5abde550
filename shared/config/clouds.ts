/**
 * One frozen record for each cloud. The hosts of Entra come from here, and the hosts in settings must match the suffixes
 * here, so that a wrong setting cannot send a secret to another host. The local tenant is the fourth cloud; its record is
 * made from `LOCAL_TENANT_URL`. No I/O.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
import { GRAPH_RESOURCES } from "../core/graph-resource.ts";

export const CLOUD_NAMES = ["public", "usgov", "china", "local"] as const;
export type CloudName = (typeof CLOUD_NAMES)[number];

/** The id of the local tenant. The other clouds refuse it, so that local settings cannot be deployed by mistake. */
export const LOCAL_TENANT_ID = "10ca1000-7e57-4000-8000-000000000000";

export interface Cloud {
  readonly name: CloudName;
  /** Entra's origin, without a trailing slash. */
  readonly authorityHost: string;
  /** Issuer of v1 tokens, up to the tenant id. */
  readonly v1IssuerBase: string;
  /** Microsoft Graph's resource URIs in this cloud. */
  readonly graphResources: readonly string[];
  /** Graph's address, if it is not its resource URI. */
  readonly graphUrl?: string;
  /** Host suffix that a Key Vault URL must have. */
  readonly vaultSuffix: string;
  /** Host suffix that a table storage URL must have. */
  readonly tableSuffix: string;
  /** Host suffix that a blob URL must have. */
  readonly blobSuffix: string;
  /** Audience of a managed identity token that serves as federated credential. */
  readonly federationAudience: string;
  /** Host suffix that the endpoint of an Event Grid topic must have. */
  readonly eventGridSuffix: string;
  /** Host suffix that a URL of Azure Managed Redis must have. */
  readonly redisSuffix: string;
  /** Scope of Entra tokens for Azure Managed Redis. */
  readonly redisScope: string;
}

const PUBLIC: Cloud = Object.freeze({
  name: "public",
  authorityHost: "https://login.microsoftonline.com",
  v1IssuerBase: "https://sts.windows.net",
  graphResources: GRAPH_RESOURCES.public,
  vaultSuffix: ".vault.azure.net",
  tableSuffix: ".table.core.windows.net",
  blobSuffix: ".blob.core.windows.net",
  federationAudience: "api://AzureADTokenExchange",
  eventGridSuffix: ".eventgrid.azure.net",
  redisSuffix: ".redis.azure.net",
  redisScope: "https://redis.azure.com/.default",
});

const US_GOVERNMENT: Cloud = Object.freeze({
  name: "usgov",
  authorityHost: "https://login.microsoftonline.us",
  v1IssuerBase: "https://sts.windows.net",
  graphResources: GRAPH_RESOURCES.usgov,
  vaultSuffix: ".vault.usgovcloudapi.net",
  tableSuffix: ".table.core.usgovcloudapi.net",
  blobSuffix: ".blob.core.usgovcloudapi.net",
  federationAudience: "api://AzureADTokenExchangeUSGov",
  eventGridSuffix: ".eventgrid.azure.us",
  redisSuffix: ".redis.azure.us",
  redisScope: "https://redis.azure.us/.default",
});

const CHINA: Cloud = Object.freeze({
  name: "china",
  authorityHost: "https://login.partner.microsoftonline.cn",
  v1IssuerBase: "https://sts.chinacloudapi.cn",
  graphResources: GRAPH_RESOURCES.china,
  vaultSuffix: ".vault.azure.cn",
  tableSuffix: ".table.core.chinacloudapi.cn",
  blobSuffix: ".blob.core.chinacloudapi.cn",
  federationAudience: "api://AzureADTokenExchangeChina",
  eventGridSuffix: ".eventgrid.azure.cn",
  redisSuffix: ".redis.azure.cn",
  redisScope: "https://redis.azure.cn/.default",
});

/** The record of a cloud. Only `local` uses `localTenantUrl` (an origin). */
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

/** True for Microsoft Graph in another cloud. Entra in this cloud cannot issue tokens for it. */
export function isGraphOfAnotherCloud({ graphResources }: Cloud, resource: string): boolean {
  const host = hostOf(resource);
  const ofAllClouds = [PUBLIC, US_GOVERNMENT, CHINA].flatMap((cloud) => cloud.graphResources);
  const isAmong = (resources: readonly string[]) => resources.some((graph) => hostOf(graph) === host);
  return isAmong(ofAllClouds) && !isAmong(graphResources);
}

// ---------------------------------------------------------------------------------------------------------------

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
    graphUrl: origin,
    vaultSuffix: "",
    tableSuffix: "",
    blobSuffix: "",
    federationAudience: "api://AzureADTokenExchange",
    eventGridSuffix: "",
    redisSuffix: "",
    redisScope: "https://redis.azure.com/.default",
  });
}
