/** The private network, and the differences between clouds. */
import { expect, test } from "vitest";
import { vaultAndStorage } from "./security-rules.ts";
import { describeWithBicep } from "./support/compiler.ts";
import type { Deployed } from "./support/deploy.ts";
import { ofType, reference, the, value } from "./support/look.ts";
import { deployMain, EVERYTHING, settingsOf } from "./support/scenarios.ts";

const plain = () => deployMain();
const everything = () => deployMain(EVERYTHING);
const NETWORK = "Microsoft.Network/virtualNetworks";
const SUBNET = "Microsoft.Network/virtualNetworks/subnets";
const ZONE = "Microsoft.Network/privateDnsZones";

describeWithBicep("the private network", () => {
  test("is not deployed by default", async () => {
    const deployment = await plain();
    expect(deployment.resources.filter(({ type }) => type.startsWith("Microsoft.Network/"))).toEqual([]);
    for (const resource of vaultAndStorage(deployment)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Enabled");
      expect(value(resource, "properties.networkAcls.defaultAction")).toBe("Allow");
    }
  });

  test("disables public access to vault, storage and Redis", async () => {
    const deployment = await everything();
    for (const resource of vaultAndStorage(deployment)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Disabled");
      expect(value(resource, "properties.networkAcls")).toEqual({ bypass: "None", defaultAction: "Deny", ipRules: [] });
    }
    const redis = the(deployment, "Microsoft.Cache/redisEnterprise");
    expect(value(redis, "properties.publicNetworkAccess")).toBe("Disabled");
  });

  test("allows only the public addresses in allowedIpRanges", async () => {
    const allowedIpRanges = ["203.0.113.7/32", "203.0.113.9", "198.51.100.0/24"];
    const open = await deployMain({ ...EVERYTHING, allowedIpRanges });
    expect(vaultAndStorage(open)).toHaveLength(2);
    for (const resource of vaultAndStorage(open)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Enabled");
      expect(value(resource, "properties.networkAcls.defaultAction")).toBe("Deny");
    }
  });

  test("writes one address without a prefix for storage, which refuses /32", async () => {
    const allowedIpRanges = ["203.0.113.7/32", "203.0.113.9", "198.51.100.0/24"];
    const open = await deployMain({ ...EVERYTHING, allowedIpRanges });
    expect(value(the(open, "Microsoft.Storage/storageAccounts"), "properties.networkAcls.ipRules")).toEqual(
      ["203.0.113.7", "203.0.113.9", "198.51.100.0/24"].map((range) => ({ value: range, action: "Allow" })),
    );
    expect(value(the(open, "Microsoft.KeyVault/vaults"), "properties.networkAcls.ipRules")).toEqual(
      allowedIpRanges.map((range) => ({ value: range })),
    );
  });

  test("refuses a range of two addresses, which storage does not take", async () => {
    await expect(deployMain({ ...EVERYTHING, allowedIpRanges: ["203.0.113.8/31"] })).rejects.toThrow(
      "The firewall of a storage account refuses 203.0.113.8/31. Give both addresses without a prefix.",
    );
  });

  test("has a private endpoint and a DNS zone for vault, blobs, tables and Redis", async () => {
    const deployment = await everything();
    const subnet = `${the(deployment, NETWORK).id}/subnets/endpoints`;
    const connections = ofType(deployment, "Microsoft.Network/privateEndpoints").map((endpoint) => {
      const [connection] = value(endpoint, "properties.privateLinkServiceConnections") as {
        properties: { groupIds: string[]; privateLinkServiceId: string };
      }[];
      expect(value(endpoint, "properties.subnet.id")).toBe(subnet);
      return [connection?.properties.groupIds.join(), connection?.properties.privateLinkServiceId];
    });
    expect(connections).toEqual([
      ["vault", the(deployment, "Microsoft.KeyVault/vaults").id],
      ["blob", the(deployment, "Microsoft.Storage/storageAccounts").id],
      ["table", the(deployment, "Microsoft.Storage/storageAccounts").id],
      ["redisEnterprise", the(deployment, "Microsoft.Cache/redisEnterprise").id],
    ]);
    expect(ofType(deployment, ZONE).map(({ name }) => name)).toEqual([
      "privatelink.vaultcore.azure.net",
      "privatelink.blob.core.windows.net",
      "privatelink.table.core.windows.net",
      "privatelink.redis.azure.net",
    ]);
  });

  test("has no endpoint for Redis without Redis", async () => {
    const without = await deployMain({ ...EVERYTHING, useRedis: false });
    expect(ofType(without, "Microsoft.Network/privateEndpoints")).toHaveLength(3);
    expect(settingsOf(without)["REDIS_URL"]).toBe("");
  });

  test("routes outbound traffic of the app through its subnet and one static IP address", async () => {
    const deployment = await everything();
    const site = the(deployment, "Microsoft.Web/sites");
    const app = the(deployment, SUBNET, "/app");
    expect(value(site, "properties.virtualNetworkSubnetId")).toBe(app.id);
    expect(value(site, "properties.outboundVnetRouting")).toEqual({ allTraffic: true });
    expect(value(app, "properties.delegations")).toEqual([
      { name: "flex", properties: { serviceName: "Microsoft.App/environments" } },
    ]);
    expect(value(app, "properties.defaultOutboundAccess")).toBe(false);
    const gateway = the(deployment, "Microsoft.Network/natGateways");
    const address = the(deployment, "Microsoft.Network/publicIPAddresses");
    expect(value(app, "properties.natGateway")).toEqual({ id: gateway.id });
    expect([gateway, address].map((resource) => value(resource, "sku.name"))).toEqual(["StandardV2", "StandardV2"]);
    expect(value(gateway, "properties.publicIpAddresses")).toEqual([{ id: address.id }]);
    expect(deployment.outputs["outboundAddress"]).toBe(`[${reference(address, "ipAddress")}]`);
  });

  test("has no static IP address with staticOutboundAddress false", async () => {
    const network = {
      addressPrefix: "10.0.0.0/24",
      appSubnetPrefix: "10.0.0.0/26",
      endpointSubnetPrefix: "10.0.0.64/27",
    };
    const dynamic = await deployMain({ ...EVERYTHING, network: { ...network, staticOutboundAddress: false } });
    expect(ofType(dynamic, "Microsoft.Network/natGateways")).toEqual([]);
    expect(ofType(dynamic, "Microsoft.Network/publicIPAddresses")).toEqual([]);
    expect(dynamic.outputs["outboundAddress"]).toBe("");
    expect(value(the(dynamic, SUBNET, "/app"), "properties.defaultOutboundAccess")).toBe(true);
  });

  test("leaves other subnets of the network as they are, because its own are separate resources", async () => {
    const deployment = await everything();
    expect(value(the(deployment, NETWORK), "properties.subnets")).toBeUndefined();
    expect(ofType(deployment, SUBNET).map(({ name }) => name)).toEqual(["vnet-example/app", "vnet-example/endpoints"]);
  });

  test("admits administrators and runners from a subnet of their own", async () => {
    const network = {
      addressPrefix: "10.0.0.0/24",
      appSubnetPrefix: "10.0.0.0/26",
      endpointSubnetPrefix: "10.0.0.64/27",
      adminSubnetPrefix: "10.0.0.96/27",
      staticOutboundAddress: true,
    };
    const deployment = await deployMain({ ...EVERYTHING, network });
    const [allowed] = value(
      the(deployment, "Microsoft.Network/networkSecurityGroups", "-endpoints"),
      "properties.securityRules",
    ) as { properties: { sourceAddressPrefixes: string[] } }[];
    expect(allowed?.properties.sourceAddressPrefixes).toEqual(["10.0.0.0/26", "10.0.0.96/27"]);
    expect(value(the(deployment, SUBNET, "/admin"), "properties.addressPrefix")).toBe("10.0.0.96/27");
  });

  const hub = "/subscriptions/00000000-0000-4000-8000-00000000000c/resourceGroups/rg-hub/providers/Microsoft.Network";
  const appSubnetId = `${hub}/virtualNetworks/hub/subnets/gte-app`;
  const endpointSubnetId = `${hub}/virtualNetworks/hub/subnets/gte-endpoints`;
  const zone = (name: string) => `${hub}/privateDnsZones/${name}`;
  const zoneIds = { vault: zone("vault"), blob: zone("blob"), table: zone("table"), redis: zone("redis") };

  test("uses existing subnets and DNS zones, and makes none", async () => {
    const existingNetwork = { appSubnetId, endpointSubnetId, zoneIds };
    const deployment = await deployMain({ ...EVERYTHING, policySource: "blob", existingNetwork });
    for (const type of [NETWORK, SUBNET, ZONE, "Microsoft.Network/natGateways"]) {
      expect(ofType(deployment, type)).toEqual([]);
    }
    expect(value(the(deployment, "Microsoft.Web/sites"), "properties.virtualNetworkSubnetId")).toBe(appSubnetId);
    const endpoints = ofType(deployment, "Microsoft.Network/privateEndpoints");
    expect(endpoints.map((endpoint) => value(endpoint, "properties.subnet.id"))).toEqual(
      endpoints.map(() => endpointSubnetId),
    );
    const groups = ofType(deployment, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups");
    expect(groups.map((group) => zoneOf(group))).toEqual([
      zoneIds.vault,
      zoneIds.blob,
      zoneIds.blob,
      zoneIds.table,
      zoneIds.redis,
    ]);
  });

  test("leaves the DNS records to Azure Policy without zones of an existing network", async () => {
    const deployment = await deployMain({ ...EVERYTHING, existingNetwork: { appSubnetId, endpointSubnetId } });
    expect(ofType(deployment, "Microsoft.Network/privateEndpoints")).toHaveLength(4);
    expect(ofType(deployment, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups")).toEqual([]);
  });
});

function zoneOf(group: Deployed): unknown {
  const [config] = value(group, "properties.privateDnsZoneConfigs") as { properties: { privateDnsZoneId: string } }[];
  return config?.properties.privateDnsZoneId;
}

describeWithBicep("other clouds", () => {
  test.for([
    ["AzureUSGovernment", "usgov", ".vault.usgovcloudapi.net", "privatelink.vaultcore.usgovcloudapi.net"],
    ["AzureChinaCloud", "china", ".vault.azure.cn", "privatelink.vaultcore.azure.cn"],
  ] as const)("%s has CLOUD %s and the host names of that cloud", async ([environment, cloud, vaultSuffix, zone]) => {
    const deployment = await deployMain(EVERYTHING, { environment });
    const settings = settingsOf(deployment);
    expect(settings["CLOUD"]).toBe(cloud);
    expect(settings["KEY_VAULT_URL"]).toMatch(
      new RegExp(`^https://kv-[a-z0-9-]+${vaultSuffix.replaceAll(".", "\\.")}$`),
    );
    expect(ofType(deployment, ZONE).map(({ name }) => name)).toContain(zone);
    expect(JSON.stringify(deployment)).not.toMatch(/core\.windows\.net|vault\.azure\.net|redis\.azure\.net/);
  });
});
