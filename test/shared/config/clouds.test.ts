/** The records of the clouds, from Microsoft's list of national clouds. */
import { expect, test } from "vitest";
import { CLOUD_NAMES, cloudNamed, LOCAL_TENANT_ID } from "../../../shared/config/clouds.ts";

test.each<[(typeof CLOUD_NAMES)[number], string, string, string, string]>([
  [
    "public",
    "https://login.microsoftonline.com",
    "https://sts.windows.net",
    "https://graph.microsoft.com",
    "api://AzureADTokenExchange",
  ],
  [
    "usgov",
    "https://login.microsoftonline.us",
    "https://sts.windows.net",
    "https://graph.microsoft.us",
    "api://AzureADTokenExchangeUSGov",
  ],
  [
    "china",
    "https://login.partner.microsoftonline.cn",
    "https://sts.chinacloudapi.cn",
    "https://microsoftgraph.chinacloudapi.cn",
    "api://AzureADTokenExchangeChina",
  ],
  [
    "local",
    "https://localhost:7443",
    "https://localhost:7443",
    "https://graph.microsoft.com",
    "api://AzureADTokenExchange",
  ],
])(
  "cloud %s has the hosts of Entra and Graph and the federation audience that Microsoft documents",
  (name, authorityHost, v1IssuerBase, graphResource, federationAudience) => {
    expect(cloudNamed(name, "https://localhost:7443")).toMatchObject({
      name,
      authorityHost,
      v1IssuerBase,
      graphResources: expect.arrayContaining([graphResource]),
      federationAudience,
    });
  },
);

test.each(CLOUD_NAMES)("the record of cloud %s is frozen and contains only origins and host suffixes", (name) => {
  const cloud = cloudNamed(name, "https://localhost:7443");
  expect(Object.isFrozen(cloud)).toBe(true);
  for (const origin of [cloud.authorityHost, cloud.v1IssuerBase, ...cloud.graphResources]) {
    expect(new URL(origin).origin).toBe(origin);
  }
  for (const suffix of [cloud.vaultSuffix, cloud.tableSuffix, cloud.redisSuffix]) {
    expect(suffix).toMatch(name === "local" ? /^$/ : /^(\.[a-z0-9]+){3,}$/);
  }
});

test("the URL of the local tenant does not change the record of another cloud", () => {
  expect(cloudNamed("public", "https://evil.example")).toBe(cloudNamed("public", ""));
});

test("the id of the local tenant is recognizable", () => {
  expect(LOCAL_TENANT_ID).toBe("10ca1000-7e57-4000-8000-000000000000");
});
