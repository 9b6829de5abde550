/**
 * Security rules for every deployment: a resource type, a path and the allowed values. A missing value breaks the rule,
 * because not all defaults of Azure are secure.
 */
import type { Deployed, Deployment } from "./support/deploy.ts";
import { ofType, value } from "./support/look.ts";

interface Rule {
  readonly type: string;
  readonly path: string;
  readonly allowed: readonly unknown[];
}

const rule = (type: string, path: string, ...allowed: readonly unknown[]): Rule => ({ type, path, allowed });

const SECURITY_RULES: readonly Rule[] = [
  rule("Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess", false),
  rule("Microsoft.Storage/storageAccounts", "properties.allowBlobPublicAccess", false),
  rule("Microsoft.Storage/storageAccounts", "properties.allowCrossTenantReplication", false),
  rule("Microsoft.Storage/storageAccounts", "properties.defaultToOAuthAuthentication", true),
  rule("Microsoft.Storage/storageAccounts", "properties.isLocalUserEnabled", false),
  rule("Microsoft.Storage/storageAccounts", "properties.minimumTlsVersion", "TLS1_2", "TLS1_3"),
  rule("Microsoft.Storage/storageAccounts", "properties.supportsHttpsTrafficOnly", true),
  rule("Microsoft.Storage/storageAccounts", "properties.encryption.requireInfrastructureEncryption", true),
  rule("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess", "None"),
  rule("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", true),
  rule("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection", true),
  rule("Microsoft.KeyVault/vaults", "properties.enableSoftDelete", true),
  rule("Microsoft.KeyVault/vaults", "properties.softDeleteRetentionInDays", 90),
  rule("Microsoft.KeyVault/vaults", "properties.enabledForDeployment", false),
  rule("Microsoft.KeyVault/vaults", "properties.enabledForTemplateDeployment", false),
  rule("Microsoft.KeyVault/vaults", "properties.enabledForDiskEncryption", false),
  rule("Microsoft.KeyVault/vaults", "properties.accessPolicies", undefined),
  rule("Microsoft.EventGrid/topics", "properties.disableLocalAuth", true),
  rule("Microsoft.EventGrid/topics", "properties.minimumTlsVersionAllowed", "1.2"),
  rule("Microsoft.Web/sites", "properties.httpsOnly", true),
  rule("Microsoft.Web/sites", "properties.clientAffinityEnabled", false),
  rule("Microsoft.Web/sites", "properties.siteConfig.minTlsVersion", "1.2", "1.3"),
  rule("Microsoft.Web/sites", "properties.siteConfig.scmMinTlsVersion", "1.2", "1.3"),
  rule("Microsoft.Web/sites", "properties.siteConfig.http20Enabled", true),
  rule("Microsoft.Web/sites", "properties.siteConfig.cors", undefined),
  rule("Microsoft.Web/sites", "properties.siteConfig.appSettings", undefined),
  rule("Microsoft.Web/sites", "identity.type", "UserAssigned"),
  rule("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", false),
  rule("Microsoft.Insights/components", "properties.DisableLocalAuth", true),
  rule("Microsoft.Insights/components", "properties.DisableIpMasking", false),
  rule("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", true),
  rule("Microsoft.Cache/redisEnterprise", "properties.minimumTlsVersion", "1.2"),
  rule("Microsoft.Cache/redisEnterprise/databases", "properties.accessKeysAuthentication", "Disabled"),
  rule("Microsoft.Cache/redisEnterprise/databases", "properties.clientProtocol", "Encrypted"),
  rule("Microsoft.Cache/redisEnterprise/databases", "properties.persistence.aofEnabled", false),
  rule("Microsoft.Cache/redisEnterprise/databases", "properties.persistence.rdbEnabled", false),
];

/**
 * What Flex Consumption supports of `siteConfig`. Azure refuses others with error 51021, even with their default values,
 * in the regions that check them (terraform-azurerm-avm-res-web-site#345, azure-pipelines-tasks#21032).
 */
const FLEX_SITE_CONFIG = [
  "cors",
  "http20Enabled",
  "ipSecurityRestrictions",
  "ipSecurityRestrictionsDefaultAction",
  "minTlsVersion",
  "scmIpSecurityRestrictionsDefaultAction",
  "scmMinTlsVersion",
];

/** Lists every member of the app's `siteConfig` that Flex Consumption may refuse. */
export function refusedSiteConfig(deployment: Deployment): string[] {
  return ofType(deployment, "Microsoft.Web/sites")
    .flatMap((site) => Object.keys(value(site, "properties.siteConfig") ?? {}))
    .filter((member) => !FLEX_SITE_CONFIG.includes(member));
}

/** Lists every value that breaks a rule. */
export function securityProblems(deployment: Deployment): string[] {
  return SECURITY_RULES.flatMap(({ type, path, allowed }) =>
    ofType(deployment, type)
      .filter((resource) => !allowed.includes(value(resource, path)))
      .map((resource) => `${resource.type} ${path} is ${JSON.stringify(value(resource, path))}`),
  );
}

const ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments";

/** Role assignments as `role id on resource type for principal`. */
export function roleAssignments(deployment: Deployment): string[] {
  return ofType(deployment, ROLE_ASSIGNMENT).map((assignment) => {
    const [scope = ""] = assignment.id.split(`/providers/${ROLE_ASSIGNMENT}/`);
    const role = String(value(assignment, "properties.roleDefinitionId")).split("/").at(-1);
    return `${role} on ${typeOfId(scope)} for ${value(assignment, "properties.principalId")}`;
  });
}

/** Lists every value that looks like a secret: in a setting, an output or any other property. */
export function secretLikeValues(deployment: Deployment): string[] {
  const found: string[] = [];
  const look = (holder: unknown, path: string) => {
    if (typeof holder === "string" && SECRET_LIKE.test(holder)) {
      found.push(path);
    }
    if (typeof holder === "object" && holder !== null) {
      for (const [key, member] of Object.entries(holder)) {
        look(member, `${path}.${key}`);
      }
    }
  };
  for (const resource of deployment.resources) {
    look(resource.body, resource.type);
  }
  look(deployment.outputs, "outputs");
  return found;
}

/** Key functions of Azure, connection strings with keys, SAS signatures, private keys, client secrets of Entra. */
const SECRET_LIKE =
  /listKeys|listAccountSas|AccountKey=|SharedAccessSignature|[?&]sig=|-----BEGIN|\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}\b/;

function typeOfId(id: string): string {
  const [provider = "", ...typesAndNames] = id.split("/providers/").at(-1)?.split("/") ?? [];
  return [provider, ...typesAndNames.filter((_, index) => index % 2 === 0)].join("/");
}

export function vaultAndStorage(deployment: Deployment): Deployed[] {
  return [
    ...ofType(deployment, "Microsoft.KeyVault/vaults"),
    ...ofType(deployment, "Microsoft.Storage/storageAccounts"),
  ];
}
