import { describe, expect, test } from "vitest";
import { problemsOf } from "./bicep/problems.ts";
import { altered, at, deployMain, deployWith, EVERYTHING, ofType, settingsOf, value } from "./scenarios.ts";
import { roleAssignments, secretLikeValues, securityProblems, vaultAndStorage } from "./security-rules.ts";

const plain = deployMain();
const everything = deployMain(EVERYTHING);
const PRINCIPAL = "«identity/identity.properties.principalId»";

describe("security of the deployment", () => {
  test.each([
    ["as the example tenant has it", plain],
    ["with private network, Redis and everything else", everything],
  ])("holds every rule, %s", (_, deployment) => {
    expect(securityProblems(deployment)).toEqual([]);
  });

  test.each([
    ["modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"],
    ["modules/storage.bicep", "    allowSharedKeyAccess: false\n", ""],
    ["modules/storage.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"],
    ["modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"],
    ["modules/storage.bicep", "'TLS1_2'", "'TLS1_1'"],
    ["modules/vault.bicep", "enableRbacAuthorization: true", "enableRbacAuthorization: false"],
    ["modules/vault.bicep", "    enablePurgeProtection: true\n", ""],
    ["modules/vault.bicep", "enabledForDeployment: false", "enabledForDeployment: true"],
    ["modules/function-app.bicep", "httpsOnly: true", "httpsOnly: false"],
    ["modules/function-app.bicep", "'Disabled'", "'FtpsOnly'"],
    ["modules/function-app.bicep", "allow: false", "allow: true"],
    ["modules/function-app.bicep", "http20Enabled: true", "http20Enabled: true\n      cors: { allowedOrigins: ['*'] }"],
    ["modules/monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"],
    ["modules/redis.bicep", "'Disabled'\n    clientProtocol", "'Enabled'\n    clientProtocol"],
    ["modules/redis.bicep", "rdbEnabled: false", "rdbEnabled: true"],
  ])("a change in %s is caught: %s", (file, from, to) => {
    expect(securityProblems(deployWith(file, from, to, EVERYTHING))).toHaveLength(1);
  });

  test("no secret stands in a setting, an output or a resource", () => {
    expect(secretLikeValues(plain)).toEqual([]);
    expect(secretLikeValues(everything)).toEqual([]);
  });

  test("a secret in a setting or an output is caught", () => {
    const connection = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=AAAA";
    expect(secretLikeValues(deployWith("modules/function-app.bicep", "'managedidentity'", `'${connection}'`))).toEqual([
      "app/settings.properties.AzureWebJobsStorage__credential",
    ]);
    expect(secretLikeValues(deployWith("modules/vault.bicep", "'https://", "'https://a/?sig="))).toEqual(
      expect.arrayContaining(["outputs.vaultUrl"]),
    );
  });

  test("both ways of basic publishing are closed", () => {
    const names = ofType(plain, "Microsoft.Web/sites/basicPublishingCredentialsPolicies").map(({ name }) =>
      name.split("/").at(-1),
    );
    expect(names.sort()).toEqual(["ftp", "scm"]);
  });
});

describe("roles", () => {
  test("the identity gets exactly four, each on one resource", () => {
    expect(roleAssignments(everything).sort()).toEqual(
      [
        `4633458b-17de-408a-b874-0445c86b69e6 on Microsoft.KeyVault/vaults for ${PRINCIPAL}`,
        `b7e6dc6d-f1e8-4753-8033-0f276bb0955b on Microsoft.Storage/storageAccounts for ${PRINCIPAL}`,
        `0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3 on Microsoft.Storage/storageAccounts/tableServices/tables for ${PRINCIPAL}`,
        `3913510d-42f4-4e42-8a64-420c390055eb on Microsoft.Insights/components for ${PRINCIPAL}`,
      ].sort(),
    );
  });

  test("each says that it is for a service principal and has a stable name", () => {
    const assignments = ofType(plain, "Microsoft.Authorization/roleAssignments");
    for (const assignment of assignments) {
      expect(value(assignment, "properties.principalType")).toBe("ServicePrincipal");
      expect(assignment.name).not.toContain("«");
    }
    expect(new Set(assignments.map(({ name }) => name)).size).toBe(assignments.length);
  });

  test("a wider role is seen", () => {
    const owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    const wider = deployWith(
      "modules/vault.bicep",
      "'Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser",
      `'Microsoft.Authorization/roleDefinitions', '${owner}'`,
    );
    expect(roleAssignments(wider)).toContain(`${owner} on Microsoft.KeyVault/vaults for ${PRINCIPAL}`);
  });

  test("Redis knows the same identity, by its data access policy", () => {
    const access = at(everything, "redis/access");
    expect(access.body["properties"]).toEqual({ accessPolicyName: "default", user: { objectId: PRINCIPAL } });
    expect(access.name.split("/").at(-1)).toMatch(/^[A-Za-z0-9]{1,60}$/);
  });
});

describe("what is logged", () => {
  test("vault, blobs and the grant table write audit logs to the workspace", () => {
    const workspace = at(plain, "monitoring/workspace").id;
    const audited = ofType(plain, "Microsoft.Insights/diagnosticSettings").map((setting) => [
      setting.path,
      value(setting, "properties.workspaceId"),
      (value(setting, "properties.logs") as { category: string; enabled: boolean }[])
        .filter(({ enabled }) => enabled)
        .map(({ category }) => category),
    ]);
    expect(audited).toEqual([
      ["storage/blobAudit", workspace, ["StorageWrite", "StorageDelete"]],
      ["storage/tableAudit", workspace, ["StorageRead", "StorageWrite", "StorageDelete"]],
      ["vault/audit", workspace, ["AuditEvent"]],
    ]);
  });
});

describe("the app", () => {
  const site = at(plain, "app/site");

  test("runs on Flex Consumption with the identity as its only key to the package", () => {
    expect(at(plain, "app/plan").body["sku"]).toEqual({ name: "FC1", tier: "FlexConsumption" });
    expect(site.body["kind"]).toBe("functionapp,linux");
    expect(value(site, "properties.functionAppConfig.runtime")).toEqual({ name: "node", version: "24" });
    expect(value(site, "properties.functionAppConfig.deployment.storage")).toEqual({
      type: "blobContainer",
      value: "«storage/account.properties.primaryEndpoints.blob»app-package",
      authentication: {
        type: "UserAssignedIdentity",
        userAssignedIdentityResourceId: at(plain, "identity/identity").id,
      },
    });
    expect(Object.keys(value(site, "identity.userAssignedIdentities") as object)).toEqual([
      at(plain, "identity/identity").id,
    ]);
  });

  test("scales as asked", () => {
    expect(value(at(everything, "app/site"), "properties.functionAppConfig.scaleAndConcurrency")).toEqual({
      instanceMemoryMB: 4096,
      maximumInstanceCount: 200,
      alwaysReady: [{ name: "http", instanceCount: 2 }],
      triggers: { http: { perInstanceConcurrency: 64 } },
    });
    expect(value(site, "properties.functionAppConfig.scaleAndConcurrency.alwaysReady")).toEqual([]);
  });

  test.each([
    ["memoryMegabytes", 1024],
    ["maximumInstances", 39],
    ["maximumInstances", 1001],
    ["concurrency", 0],
    ["alwaysReadyInstances", -1],
  ])("does not deploy with %s %d", (name, wrong) => {
    const scale = { memoryMegabytes: 2048, maximumInstances: 100, alwaysReadyInstances: 0, concurrency: 10 };
    expect(() => deployMain({ scale: { ...scale, [name]: wrong } })).toThrow(`scale.${name}`);
  });

  test("takes another version of Node.js or of TLS", () => {
    const other = at(deployMain({ nodeVersion: "22", minimumTlsVersion: "1.3" }), "app/site");
    expect(value(other, "properties.functionAppConfig.runtime.version")).toBe("22");
    expect(value(other, "properties.siteConfig.minTlsVersion")).toBe("1.3");
    expect(() => deployMain({ nodeVersion: "20" })).toThrow("nodeVersion");
    expect(() => deployMain({ minimumTlsVersion: "1.1" })).toThrow("minimumTlsVersion");
  });

  test("is found by azd", () => {
    expect(value(site, "tags.azd-service-name")).toBe("api");
  });
});

describe("the grant table", () => {
  test("is made by the template, under the name that the service is told", () => {
    const named = deployMain({ grantTableName: "tokens" });
    expect(at(named, "storage/grantTable").name).toMatch(/^stexample[a-z0-9]+\/default\/tokens$/);
    expect(settingsOf(named)["GRANT_TABLE_NAME"]).toBe("tokens");
  });
});

describe("private network", () => {
  test("is not there unless asked for", () => {
    expect(plain.resources.filter(({ type }) => type.startsWith("Microsoft.Network/"))).toEqual([]);
    for (const resource of vaultAndStorage(plain)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Enabled");
      expect(value(resource, "properties.networkAcls.defaultAction")).toBe("Allow");
    }
  });

  test("closes vault, storage and Redis to the public", () => {
    for (const resource of vaultAndStorage(everything)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Disabled");
      expect(value(resource, "properties.networkAcls")).toEqual({ bypass: "None", defaultAction: "Deny", ipRules: [] });
    }
    expect(value(at(everything, "redis/cluster"), "properties.publicNetworkAccess")).toBe("Disabled");
  });

  test("lets named addresses in, and only these", () => {
    const open = deployMain({ ...EVERYTHING, allowedIpRanges: ["203.0.113.7/32"] });
    for (const resource of vaultAndStorage(open)) {
      expect(value(resource, "properties.publicNetworkAccess")).toBe("Enabled");
      expect(value(resource, "properties.networkAcls.defaultAction")).toBe("Deny");
      expect(value(resource, "properties.networkAcls.ipRules")).toEqual([
        expect.objectContaining({ value: "203.0.113.7/32" }),
      ]);
    }
  });

  test("has an endpoint and a zone for each of them, in the subnet of the endpoints", () => {
    const endpoints = ofType(everything, "Microsoft.Network/privateEndpoints");
    const connections = endpoints.map((endpoint) => {
      const [connection] = value(endpoint, "properties.privateLinkServiceConnections") as {
        properties: { groupIds: string[]; privateLinkServiceId: string };
      }[];
      expect(value(endpoint, "properties.subnet.id")).toBe(
        `${at(everything, "privateNetwork/virtualNetwork").id}/subnets/endpoints`,
      );
      return [connection?.properties.groupIds.join(), connection?.properties.privateLinkServiceId];
    });
    expect(connections).toEqual([
      ["vault", at(everything, "vault/vault").id],
      ["blob", at(everything, "storage/account").id],
      ["table", at(everything, "storage/account").id],
      ["redisEnterprise", at(everything, "redis/cluster").id],
    ]);
    expect(ofType(everything, "Microsoft.Network/privateDnsZones").map(({ name }) => name)).toEqual([
      "privatelink.vaultcore.azure.net",
      "privatelink.blob.core.windows.net",
      "privatelink.table.core.windows.net",
      "privatelink.redis.azure.net",
    ]);
  });

  test("has no endpoint for a Redis that is not there", () => {
    const without = deployMain({ ...EVERYTHING, useRedis: false });
    expect(ofType(without, "Microsoft.Network/privateEndpoints")).toHaveLength(3);
    expect(settingsOf(without)["REDIS_URL"]).toBe("");
  });

  test("sends the app's traffic through its subnet and out by one address", () => {
    const site = at(everything, "app/site");
    const subnet = `${at(everything, "privateNetwork/virtualNetwork").id}/subnets/app`;
    expect(value(site, "properties.virtualNetworkSubnetId")).toBe(subnet);
    expect(value(site, "properties.outboundVnetRouting")).toEqual({ allTraffic: true });
    const [app] = value(at(everything, "privateNetwork/virtualNetwork"), "properties.subnets") as {
      properties: { delegations: unknown; natGateway: unknown };
    }[];
    expect(app?.properties.delegations).toEqual([
      { name: "flex", properties: { serviceName: "Microsoft.App/environments" } },
    ]);
    expect(app?.properties.natGateway).toEqual({ id: at(everything, "privateNetwork/natGateway").id });
    expect(everything.outputs["outboundAddress"]).toBe("«privateNetwork/outboundAddress.properties.ipAddress»");
  });

  test("does without the static address when told so", () => {
    const network = {
      addressPrefix: "10.0.0.0/24",
      appSubnetPrefix: "10.0.0.0/26",
      endpointSubnetPrefix: "10.0.0.64/27",
    };
    const dynamic = deployMain({ ...EVERYTHING, network: { ...network, staticOutboundAddress: false } });
    expect(ofType(dynamic, "Microsoft.Network/natGateways")).toEqual([]);
    expect(ofType(dynamic, "Microsoft.Network/publicIPAddresses")).toEqual([]);
    expect(dynamic.outputs["outboundAddress"]).toBe("");
  });
});

describe("other clouds", () => {
  test.each([
    ["AzureUSGovernment", "usgov", ".vault.usgovcloudapi.net", "privatelink.vaultcore.usgovcloudapi.net"],
    ["AzureChinaCloud", "china", ".vault.azure.cn", "privatelink.vaultcore.azure.cn"],
  ] as const)("%s is %s everywhere", (environment, cloud, vaultSuffix, zone) => {
    const deployment = deployMain(EVERYTHING, { environment });
    const settings = settingsOf(deployment);
    expect(settings["CLOUD"]).toBe(cloud);
    expect(settings["KEY_VAULT_URL"]).toMatch(
      new RegExp(`^https://kv-[a-z0-9-]+${vaultSuffix.replaceAll(".", "\\.")}$`),
    );
    expect(at(deployment, "vaultEndpoint/zone").name).toBe(zone);
    expect(JSON.stringify(deployment)).not.toMatch(/core\.windows\.net|vault\.azure\.net/);
  });
});

describe("names", () => {
  test.each(["ab", "abcdefghijkl"])("fit into Azure's limits for the name %s", (name) => {
    const deployment = deployMain({ ...EVERYTHING, name });
    expect(at(deployment, "vault/vault").name).toMatch(/^[a-z][a-z0-9-]{1,22}[a-z0-9]$/);
    expect(at(deployment, "storage/account").name).toMatch(/^[a-z0-9]{3,24}$/);
    expect(at(deployment, "redis/cluster").name).toMatch(/^(?=.{1,60}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/);
    expect(at(deployment, "app/site").name).toMatch(/^[a-z0-9-]{2,60}$/);
  });

  test.each(["a", "abcdefghijklm"])("of another length are refused: %s", (name) => {
    expect(() => deployMain({ name })).toThrow("name");
  });
});

describe("the reader finds", () => {
  test.each([
    ["a parameter that nothing uses", "modules/redis.bicep", "name: sku\n", "name: 'Balanced_B0'\n", "sku is not used"],
    ["a name that is not declared", "modules/redis.bicep", "port: port\n", "port: ports\n", "ports is not declared"],
    [
      "a parameter that a module lacks",
      "main.bicep",
      "sku: redisSku",
      "size: redisSku",
      "module redis needs the parameter sku",
    ],
    [
      "a parameter without a description",
      "main.bicep",
      "@description('Size of Redis.')\n",
      "",
      "param redisSku has no description",
    ],
  ])("%s", (_, file, from, to, problem) => {
    expect(problemsOf(altered(file, from, to)).join("; ")).toContain(problem);
  });
});
