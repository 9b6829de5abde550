/** The private network, and the differences between clouds. */
import { expect, test } from "vitest";
import { vaultAndStorage } from "./security-rules.ts";
import { describeWithBicep } from "./support/compiler.ts";
import { ofType, reference, the, value } from "./support/look.ts";
import { deployMain, EVERYTHING, settingsOf } from "./support/scenarios.ts";

const plain = () => deployMain();
const everything = () => deployMain(EVERYTHING);
const NETWORK = "Microsoft.Network/virtualNetworks";
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
    const open = await deployMain({ ...EVERYTHING, allowedIpRanges: ["203.0.113.7/32"] });
    expect(vaultAndStorage(open)).toHaveLength(2);
    for (const resource of vaultAndStorage(open)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Enabled");
      expect(value(resource, "properties.networkAcls.defaultAction")).toBe("Deny");
      expect(value(resource, "properties.networkAcls.ipRules")).toEqual([
        expect.objectContaining({ value: "203.0.113.7/32" }),
      ]);
    }
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
    const network = the(deployment, NETWORK);
    expect(value(site, "properties.virtualNetworkSubnetId")).toBe(`${network.id}/subnets/app`);
    expect(value(site, "properties.outboundVnetRouting")).toEqual({ allTraffic: true });
    const [app] = value(network, "properties.subnets") as {
      properties: { delegations: unknown; natGateway: unknown };
    }[];
    expect(app?.properties.delegations).toEqual([
      { name: "flex", properties: { serviceName: "Microsoft.App/environments" } },
    ]);
    const gateway = the(deployment, "Microsoft.Network/natGateways");
    const address = the(deployment, "Microsoft.Network/publicIPAddresses");
    expect(app?.properties.natGateway).toEqual({ id: gateway.id });
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
  });
});

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
