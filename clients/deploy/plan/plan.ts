/** Everything that follows from the parameter file and the account. Pure. */
import * as z from "zod/mini";
import type { Snapshot } from "../../../infra/compiler/bicep-process.ts";
import { settingsFailure } from "../../cli/cli-failure.ts";
import type { Options } from "../command-line.ts";

export interface Account {
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Name of the signed-in person, or client id of an application. */
  readonly name: string;
  readonly isPerson: boolean;
}

/** A client id in the parameter file. `registration` is empty for the one of CLIENT_ID. */
export interface WrittenClientId {
  readonly registration: string;
  readonly clientId: string;
}

export interface Plan {
  readonly file: string;
  readonly tenant: string;
  readonly group: string;
  readonly groupExists: boolean;
  readonly location: string;
  readonly account: Account;
  /** The Entra tenant of the callers. */
  readonly servedTenantId: string;
  readonly identityName: string;
  /** The identity of the app, which the registrations trust. */
  readonly identityId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly appName: string;
  readonly serviceUrl: string;
  readonly vaultName: string;
  readonly recoversVault: boolean;
  readonly storageNames: readonly string[];
  readonly nodeVersion: string;
  readonly usesFederation: boolean;
  /** Names in the vault of the keys that this command makes. */
  readonly keyNames: readonly string[];
  readonly policyInBlob: boolean;
  readonly usesNetwork: boolean;
  readonly uniqueName: string;
  readonly clientIds: readonly WrittenClientId[];
  /** Resource providers. */
  readonly namespaces: readonly string[];
}

export interface PlanInput {
  readonly options: Options;
  readonly account: Account;
  readonly group: { readonly name: string; readonly exists: boolean; readonly location: string };
  readonly snapshot: Snapshot;
}

export function toPlan({ options, account, group, snapshot }: PlanInput): Plan {
  const resources = z.parse(resourcesSchema, snapshot.predictedResources);
  const named = (type: string) => resources.filter((one) => one.type === type).map(({ name }) => name);
  const site = z.parse(siteSchema, only(snapshot, "Microsoft.Web/sites"));
  const { properties: settings } = z.parse(settingsSchema, only(snapshot, "Microsoft.Web/sites/config"));
  const identityId = Object.keys(site.identity.userAssignedIdentities)[0] ?? "";
  const tags = withoutAzd(site.tags ?? {});
  return {
    file: options.file,
    tenant: options.tenant,
    group: group.name,
    groupExists: group.exists,
    location: group.location,
    account,
    servedTenantId: settings.TENANT_ID,
    identityName: identityId.split("/").at(-1) ?? "",
    identityId,
    tags,
    appName: site.name,
    serviceUrl: settings.SERVICE_URL.startsWith("https://")
      ? settings.SERVICE_URL
      : `https://${site.name}.azurewebsites.net`,
    vaultName: named("Microsoft.KeyVault/vaults")[0] ?? "",
    recoversVault: resources.some(({ properties }) => properties?.createMode === "recover"),
    storageNames: named("Microsoft.Storage/storageAccounts"),
    nodeVersion: site.properties.functionAppConfig.runtime.version,
    usesFederation: settings.CLIENT_CREDENTIAL === "managed-identity",
    keyNames: [settings.SEALING_KEY_NAME, ...(settings.REDIS_URL === "" ? [] : [settings.CACHE_KEY_NAME])],
    policyInBlob: settings.POLICY_URL !== "",
    usesNetwork: resources.some(({ type }) => type === "Microsoft.Network/privateEndpoints"),
    uniqueName: options.uniqueName ?? settings.APP_ID_URI.split("/").at(-1) ?? "",
    clientIds: [{ registration: "", clientId: settings.CLIENT_ID }, ...policyClientIds(settings.POLICY)],
    namespaces: namespacesOf(resources.map(({ type }) => type)),
  };
}

// ---------------------------------------------------------------------------------------------------------------

const resourcesSchema = z.array(
  z.object({
    type: z.string(),
    name: z._default(z.string(), ""),
    properties: z.optional(z.object({ createMode: z.optional(z.unknown()) })),
  }),
);
const siteSchema = z.object({
  name: z.string(),
  tags: z.optional(z.record(z.string(), z.string())),
  identity: z.object({ userAssignedIdentities: z.record(z.string(), z.unknown()) }),
  properties: z.object({
    functionAppConfig: z.object({ runtime: z.object({ version: z.string() }) }),
  }),
});
const settingsSchema = z.object({
  properties: z.object({
    TENANT_ID: z.string(),
    CLIENT_ID: z.string(),
    APP_ID_URI: z.string(),
    CLIENT_CREDENTIAL: z.string(),
    SEALING_KEY_NAME: z.string(),
    CACHE_KEY_NAME: z.string(),
    REDIS_URL: z.string(),
    POLICY: z.string(),
    POLICY_URL: z.string(),
    SERVICE_URL: z.string(),
  }),
});
const policySchema = z.object({
  registrations: z._default(z.record(z.string(), z.object({ clientId: z.string() })), {}),
});

function only({ predictedResources }: Snapshot, type: string): unknown {
  const found = predictedResources.filter((resource) => resource["type"] === type);
  if (found.length === 1) return found[0];
  throw settingsFailure(`The template deploys ${found.length} resources of the type ${type} instead of one.`);
}

/** The tag with which azd finds the app is not one of the person. */
function withoutAzd({ "azd-service-name": _, ...tags }: Record<string, string>): Record<string, string> {
  return tags;
}

function policyClientIds(policy: string): readonly WrittenClientId[] {
  if (policy === "") return [];
  const { registrations } = z.parse(policySchema, JSON.parse(policy));
  return Object.entries(registrations).map(([registration, { clientId }]) => ({ registration, clientId }));
}

/** Flex Consumption runs on Microsoft.App, of which the template has no resource. Every subscription has Authorization. */
function namespacesOf(types: readonly string[]): readonly string[] {
  const namespaces = types.map((type) => type.split("/", 1)[0] ?? "");
  return [...new Set([...namespaces, "Microsoft.App"])].filter((name) => name !== "Microsoft.Authorization").sort();
}
