/** The resources that main.bicep deploys, as the compiler evaluates it. */
import { expect, test } from "vitest";
import { refusedSiteConfig, roleAssignments, secretLikeValues, securityProblems } from "./security-rules.ts";
import { describeWithBicep } from "./support/compiler.ts";
import { type Deployment, deploy, TENANT_ID } from "./support/deploy.ts";
import { isKnown, ofType, reference, the, value } from "./support/look.ts";
import { deployChanged, deployMain, EVERYTHING, refusalsOfMain, settingsOf } from "./support/scenarios.ts";

const WRITER = "0b1ec700-0000-4000-8000-0000000000aa";
const SITE = "Microsoft.Web/sites";
const plain = () => deployMain();
const everything = () => deployMain(EVERYTHING);
const identityOf = (deployment: Deployment) => the(deployment, "Microsoft.ManagedIdentity/userAssignedIdentities");
const principalOf = (deployment: Deployment) => `[${reference(identityOf(deployment), "principalId")}]`;

describeWithBicep("security of the deployment", () => {
  test.for([
    ["with the example parameters", plain],
    ["with private network, Redis and all other options", everything],
  ] as const)("follows every security rule %s", async ([, deployment]) => {
    expect(securityProblems(await deployment())).toEqual([]);
  });

  test.for([
    ["modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"],
    ["modules/storage.bicep", "    allowSharedKeyAccess: false\n", ""],
    ["modules/storage.bicep", "allowBlobPublicAccess: false", "allowBlobPublicAccess: true"],
    ["modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"],
    ["modules/storage.bicep", "'TLS1_2'", "'TLS1_1'"],
    ["modules/vault.bicep", "enableRbacAuthorization: true", "enableRbacAuthorization: false"],
    ["modules/vault.bicep", "    enablePurgeProtection: true\n", ""],
    ["modules/vault.bicep", "enabledForDeployment: false", "enabledForDeployment: true"],
    ["modules/function-app.bicep", "httpsOnly: true", "httpsOnly: false"],
    ["modules/function-app.bicep", "allow: false", "allow: true"],
    ["modules/function-app.bicep", "http20Enabled: true", "http20Enabled: true\n      cors: { allowedOrigins: ['*'] }"],
    ["modules/monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"],
    ["modules/redis.bicep", "'Disabled'\n    clientProtocol", "'Enabled'\n    clientProtocol"],
    ["modules/redis.bicep", "rdbEnabled: false", "rdbEnabled: true"],
    ["modules/event-topic.bicep", "disableLocalAuth: true", "disableLocalAuth: false"],
    ["modules/event-topic.bicep", "'1.2'", "'1.1'"],
  ] as const)("a change in %s is detected: %s", async ([file, from, to]) => {
    expect(securityProblems(await deployChanged(file, from, to))).toHaveLength(1);
  });

  test("no secret stands in a setting, an output or a resource", async () => {
    expect(secretLikeValues(await plain())).toEqual([]);
    expect(secretLikeValues(await everything())).toEqual([]);
  });

  test("a secret in a setting or an output is detected", async () => {
    const connection = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=AAAA";
    const inSetting = await deployChanged("modules/function-app.bicep", "'managedidentity'", `'${connection}'`);
    expect(secretLikeValues(inSetting)).toEqual([
      "Microsoft.Web/sites/config.properties.AzureWebJobsStorage__credential",
    ]);
    const inOutput = await deployChanged("modules/vault.bicep", "'https://", "'https://a/?sig=");
    expect(secretLikeValues(inOutput)).toEqual(expect.arrayContaining(["outputs.vaultUrl"]));
  });

  test("basic publishing over FTP and SCM is disabled", async () => {
    const policies = ofType(await plain(), "Microsoft.Web/sites/basicPublishingCredentialsPolicies");
    expect(policies.map(({ name }) => name.split("/").at(-1)).sort()).toEqual(["ftp", "scm"]);
  });
});

describeWithBicep("roles", () => {
  test("the identity gets exactly six with all options, each on one resource", async () => {
    const deployment = await deployMain({ ...EVERYTHING, policySource: "blob" });
    const principal = principalOf(deployment);
    expect(roleAssignments(deployment).sort()).toEqual(
      [
        `4633458b-17de-408a-b874-0445c86b69e6 on Microsoft.KeyVault/vaults for ${principal}`,
        `b7e6dc6d-f1e8-4753-8033-0f276bb0955b on Microsoft.Storage/storageAccounts for ${principal}`,
        `0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3 on Microsoft.Storage/storageAccounts/tableServices/tables for ${principal}`,
        `2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 on Microsoft.Storage/storageAccounts/blobServices/containers for ${principal}`,
        `3913510d-42f4-4e42-8a64-420c390055eb on Microsoft.Insights/components for ${principal}`,
        `d5a91429-5739-47e2-a06b-3470a27159e7 on Microsoft.EventGrid/topics for ${principal}`,
      ].sort(),
    );
  });

  test("each assignment has the principal type ServicePrincipal and a stable name", async () => {
    const assignments = ofType(await plain(), "Microsoft.Authorization/roleAssignments");
    expect(assignments).toHaveLength(4);
    for (const assignment of assignments) {
      expect(value(assignment, "properties.principalType")).toBe("ServicePrincipal");
      expect(isKnown(assignment.name)).toBe(true);
    }
    expect(new Set(assignments.map(({ name }) => name)).size).toBe(assignments.length);
  });

  test("with policySource blob it may read the container of the policy, and only the writers may change it", async () => {
    const deployment = await deployMain({ policySource: "blob", policyWriterIds: [WRITER] });
    const container = "Microsoft.Storage/storageAccounts/blobServices/containers";
    const [accounts, added] = [ofType(deployment, "Microsoft.Storage/storageAccounts"), roleAssignments(deployment)];
    expect(accounts).toHaveLength(2);
    expect(added.filter((one) => one.includes(container)).sort()).toEqual([
      `2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 on ${container} for ${principalOf(deployment)}`,
      `ba92f5b4-2d11-453d-a403-e96b0029c9fe on ${container} for ${WRITER}`,
    ]);
    expect(added).toHaveLength(6);
    expect(securityProblems(deployment)).toEqual([]);
    expect(secretLikeValues(deployment)).toEqual([]);
    const { POLICY, POLICY_URL } = settingsOf(deployment);
    expect(POLICY).toBe("");
    expect(POLICY_URL).toContain("policy.json");
  });

  test("with policySource blob and a private network the policy has an endpoint in the zone of the blobs", async () => {
    const deployment = await deployMain({ ...EVERYTHING, policySource: "blob" });
    expect(securityProblems(deployment)).toEqual([]);
    for (const account of ofType(deployment, "Microsoft.Storage/storageAccounts")) {
      expect(value(account, "properties.publicNetworkAccess")).toBe("Disabled");
    }
    const endpoints = ofType(deployment, "Microsoft.Network/privateEndpoints").map(({ name }) => name);
    expect(endpoints).toContain("pe-example-policy");
  });

  test("a wider role is detected", async () => {
    const owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    const wider = await deployChanged(
      "modules/vault.bicep",
      "'Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser",
      `'Microsoft.Authorization/roleDefinitions', '${owner}'`,
    );
    expect(roleAssignments(wider)).toContain(`${owner} on Microsoft.KeyVault/vaults for ${principalOf(wider)}`);
  });

  test("the same identity has the data access policy of Redis", async () => {
    const deployment = await everything();
    const access = the(deployment, "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments");
    expect(access.body["properties"]).toEqual({
      accessPolicyName: "default",
      user: { objectId: principalOf(deployment) },
    });
    expect(access.name.split("/").at(-1)).toMatch(/^[A-Za-z0-9]{1,60}$/);
  });
});

describeWithBicep("an identity that exists", () => {
  const ID =
    "/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/rg-identities/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-given";

  test("is the identity of the app and of every role, and the deployment makes none", async () => {
    const deployment = await deployMain({ identityId: ID });
    expect(ofType(deployment, "Microsoft.ManagedIdentity/userAssignedIdentities")).toEqual([]);
    const site = the(deployment, "Microsoft.Web/sites");
    expect(value(site, "identity.userAssignedIdentities")).toEqual({ [ID]: {} });
    const principals = ofType(deployment, "Microsoft.Authorization/roleAssignments").map((one) =>
      value(one, "properties.principalId"),
    );
    expect(principals.length).toBeGreaterThan(0);
    for (const principal of principals) expect(principal).toContain(`reference('${ID}'`);
  });
});

describeWithBicep("the role of a pull request", () => {
  test("can evaluate a deployment to its resource group, and nothing else", async () => {
    const { resources } = await deploy("what-if-role.bicep", {});
    expect(resources).toHaveLength(1);
    const role = the({ resources, outputs: {} }, "Microsoft.Authorization/roleDefinitions");
    expect(value(role, "properties.permissions")).toEqual([
      {
        actions: ["Microsoft.Resources/deployments/validate/action", "Microsoft.Resources/deployments/whatIf/action"],
        notActions: [],
      },
    ]);
    expect(value(role, "properties.assignableScopes")).toEqual([expect.stringMatching(/\/resourceGroups\/rg-test$/)]);
  });
});

describeWithBicep("diagnostic settings", () => {
  test("vault, blobs and the grant table write audit logs to the workspace", async () => {
    const deployment = await plain();
    const workspace = the(deployment, "Microsoft.OperationalInsights/workspaces").id;
    const audited = ofType(deployment, "Microsoft.Insights/diagnosticSettings").map((setting) => [
      setting.id.split("/").at(-6),
      value(setting, "properties.workspaceId"),
      (value(setting, "properties.logs") as { category: string; enabled: boolean }[])
        .filter(({ enabled }) => enabled)
        .map(({ category }) => category),
    ]);
    expect(audited).toEqual([
      ["blobServices", workspace, ["StorageWrite", "StorageDelete"]],
      ["tableServices", workspace, ["StorageRead", "StorageWrite", "StorageDelete"]],
      ["vaults", workspace, ["AuditEvent"]],
    ]);
  });
});

describeWithBicep("the vault", () => {
  test("trusts the tenant of the subscription, also if the callers are in another tenant", async () => {
    const served = "77777777-7777-4777-8777-777777777777";
    const deployment = await deployMain({ tenantId: served });
    expect(value(the(deployment, "Microsoft.KeyVault/vaults"), "properties.tenantId")).toBe(TENANT_ID);
    expect(settingsOf(deployment)["TENANT_ID"]).toBe(served);
    expect(settingsOf(deployment)["APP_ID_URI"]).toBe(`api://${served}/graph-token-exchange`);
  });

  test.for([
    [false, "default"],
    [true, "recover"],
  ] as const)("with recoverDeletedVault %s is made with createMode %s", async ([recoverDeletedVault, mode]) => {
    const vault = the(await deployMain({ recoverDeletedVault }), "Microsoft.KeyVault/vaults");
    expect(value(vault, "properties.createMode")).toBe(mode);
  });
});

describeWithBicep("the Event Grid topic", () => {
  test("exists only with useEventGrid, takes CloudEvents, and has no keys", async () => {
    expect(ofType(await plain(), "Microsoft.EventGrid/topics")).toEqual([]);
    const deployment = await everything();
    const topic = the(deployment, "Microsoft.EventGrid/topics");
    expect(value(topic, "properties.inputSchema")).toBe("CloudEventSchemaV1_0");
    expect(topic.name).toMatch(/^[a-z0-9-]{3,50}$/);
    expect(settingsOf(deployment)["EVENT_GRID_TOPIC_ENDPOINT"]).toBe(`[${reference(topic, "endpoint")}]`);
    expect(deployment.outputs["eventTopicName"]).toEqual(topic.name);
  });

  test("writes failed publications and deliveries to the workspace", async () => {
    const deployment = await everything();
    const setting = ofType(deployment, "Microsoft.Insights/diagnosticSettings").find(({ id }) =>
      id.includes("/Microsoft.EventGrid/topics/"),
    );
    if (setting === undefined) throw new Error("no diagnostic setting");
    expect(value(setting, "properties.workspaceId")).toBe(
      the(deployment, "Microsoft.OperationalInsights/workspaces").id,
    );
    const logs = value(setting, "properties.logs") as { category: string; enabled: boolean }[];
    expect(logs.filter(({ enabled }) => enabled).map(({ category }) => category)).toEqual([
      "PublishFailures",
      "DeliveryFailures",
      "DataPlaneRequests",
    ]);
  });
});

describeWithBicep("the app", () => {
  test("runs on Flex Consumption and reads its package with the managed identity", async () => {
    const deployment = await plain();
    const site = the(deployment, SITE);
    const identity = identityOf(deployment).id;
    const account = the(deployment, "Microsoft.Storage/storageAccounts");
    expect(the(deployment, "Microsoft.Web/serverfarms").body["sku"]).toEqual({ name: "FC1", tier: "FlexConsumption" });
    expect(site.body["kind"]).toBe("functionapp,linux");
    expect(value(site, "properties.functionAppConfig.runtime")).toEqual({ name: "node", version: "24" });
    expect(value(site, "properties.functionAppConfig.deployment.storage")).toEqual({
      type: "blobContainer",
      value: `[format('{0}{1}', ${reference(account, "primaryEndpoints.blob")}, 'app-package')]`,
      authentication: { type: "UserAssignedIdentity", userAssignedIdentityResourceId: identity },
    });
    expect(Object.keys(value(site, "identity.userAssignedIdentities") as object)).toEqual([identity]);
  });

  test("has no member of siteConfig that Flex Consumption refuses", async () => {
    expect(refusedSiteConfig(await plain())).toEqual([]);
    expect(refusedSiteConfig(await everything())).toEqual([]);
    const ftps = "      http20Enabled: true\n      ftpsState: 'Disabled'\n      alwaysOn: false\n";
    expect(
      refusedSiteConfig(await deployChanged("modules/function-app.bicep", "      http20Enabled: true\n", ftps)),
    ).toEqual(["ftpsState", "alwaysOn"]);
  });

  test("scales according to the parameters", async () => {
    const path = "properties.functionAppConfig.scaleAndConcurrency";
    expect(value(the(await everything(), SITE), path)).toEqual({
      instanceMemoryMB: 4096,
      maximumInstanceCount: 200,
      alwaysReady: [{ name: "http", instanceCount: 2 }],
      triggers: { http: { perInstanceConcurrency: 64 } },
    });
    expect(value(the(await plain(), SITE), `${path}.alwaysReady`)).toEqual([]);
  });

  test.for([
    ["memoryMegabytes", 1024, 'BCP036 1024: The property "memoryMegabytes"'],
    ["maximumInstances", 39, "BCP328 39:"],
    ["maximumInstances", 1001, "BCP327 1001:"],
    ["concurrency", 0, "BCP328 0:"],
    ["alwaysReadyInstances", -1, "BCP328 -1:"],
  ] as const)("is not deployed with %s %d", async ([name, wrong, problem]) => {
    const scale = { memoryMegabytes: 2048, maximumInstances: 100, alwaysReadyInstances: 0, concurrency: 10 };
    expect(await refusalsOfMain({ scale })).toBe("");
    expect(await refusalsOfMain({ scale: { ...scale, [name]: wrong } })).toContain(problem);
  });

  test("supports another version of Node.js and TLS", async () => {
    const other = the(await deployMain({ nodeVersion: "22", minimumTlsVersion: "1.3" }), SITE);
    expect(value(other, "properties.functionAppConfig.runtime.version")).toBe("22");
    expect(value(other, "properties.siteConfig.minTlsVersion")).toBe("1.3");
    expect(await refusalsOfMain({ nodeVersion: "20" })).toContain("BCP033 '20':");
    expect(await refusalsOfMain({ minimumTlsVersion: "1.1" })).toContain("BCP033 '1.1':");
  });

  test("has the tag that azd requires", async () => {
    expect(value(the(await plain(), SITE), "tags.azd-service-name")).toBe("api");
  });
});

describeWithBicep("the grant table", () => {
  test("has the name in the setting GRANT_TABLE_NAME", async () => {
    const named = await deployMain({ grantTableName: "tokens" });
    const table = the(named, "Microsoft.Storage/storageAccounts/tableServices/tables");
    expect(table.name).toMatch(/^stexample[a-z0-9]+\/default\/tokens$/);
    expect(settingsOf(named)["GRANT_TABLE_NAME"]).toBe("tokens");
  });
});

describeWithBicep("resource names", () => {
  test.for(["ab", "abcdefghijkl", "contoso-read", "a-b-c-d-e-f", "x1", "a1-2-3-4-5-6"])(
    "follow the limits of Azure for the name %s",
    async (name) => {
      const deployment = await deployMain({ ...EVERYTHING, name, policySource: "blob" });
      expect(the(deployment, "Microsoft.KeyVault/vaults").name).toMatch(/^(?!.*--)[a-z][a-z0-9-]{1,22}[a-z0-9]$/);
      const accounts = ofType(deployment, "Microsoft.Storage/storageAccounts").map((account) => account.name);
      expect(accounts).toHaveLength(2);
      for (const account of accounts) expect(account).toMatch(/^[a-z0-9]{3,24}$/);
      expect(the(deployment, "Microsoft.Cache/redisEnterprise").name).toMatch(
        /^(?=.{1,60}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/,
      );
      expect(the(deployment, SITE).name).toMatch(/^[a-z0-9-]{2,60}$/);
    },
  );

  test.for(["Contoso", "con_toso", "-contoso", "contoso-", "con--toso", "1contoso", "con toso", "köln"])(
    "a name with characters that Azure does not take is refused with the reason: %s",
    async (name) => {
      await expect(deployMain({ name })).rejects.toThrow(`The name "${name}" is not valid.`);
    },
  );

  test.for([
    ["a", "BCP333 'a':"],
    ["abcdefghijklm", "BCP332 'abcdefghijklm':"],
  ] as const)("a name of another length is refused: %s", async ([name, problem]) => {
    expect(await refusalsOfMain({ name })).toContain(problem);
  });
});
