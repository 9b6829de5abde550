/**
 * Contradictions between settings that are each valid alone, and the `Config` of settings without contradictions. Pure.
 */
import { isLoopbackUrl } from "../core/loopback.ts";
import { APP_ONLY_REGISTRATION } from "../core/registration-names.ts";
import type { Policy } from "../policy/rules.ts";
import { type Cloud, type CloudName, cloudNamed, isGraphOfAnotherCloud } from "./clouds.ts";
import type { Config, FixedConfig } from "./config.ts";
import { eventProblems, toEventConfig } from "./event-config.ts";
import {
  credentialMode,
  type Draft,
  registrationProblems,
  toDefaultRegistration,
  toRegistrations,
} from "./registrations.ts";
import type { SettingName } from "./settings.ts";
import { telemetryProblems, toTelemetryConfig } from "./telemetry-config.ts";

/** The contradictions. Each begins with the name of the setting to change. */
export function contradictions(draft: Draft): string[] {
  return [
    ...urlProblems(draft),
    ...placeholderProblems(draft),
    ...policySourceProblems(draft),
    ...policyProblems(draft),
    ...graphProblems(draft),
    ...registrationProblems(draft),
    ...telemetryProblems(draft.values),
    ...eventProblems(draft.values, draft.values.has("CLOUD") ? cloudOf(draft.values) : undefined),
  ];
}

/** The configuration under one policy. Call it only for settings and a policy without contradictions. */
export function toConfig(values: Draft["values"], policy: Policy, policyHash: string): Config {
  const fixed = toFixedConfig(values);
  return { ...fixed, registrations: toRegistrations(fixed.delegated, policy), policy, policyHash };
}

/** The configuration without a policy. Call it only for settings without contradictions. */
export function toFixedConfig(values: Draft["values"]): FixedConfig {
  const get = (name: SettingName) => values.get(name) ?? "";
  const applicationOnly = values.get("APP_ONLY_CLIENT_ID")?.toLowerCase();
  return {
    cloud: cloudOf(values),
    tenantId: get("TENANT_ID").toLowerCase(),
    serviceUrl: get("SERVICE_URL"),
    tenantDisplayName: values.get("TENANT_DISPLAY_NAME"),
    documentationUrl: values.get("DOCUMENTATION_URL"),
    delegated: toDefaultRegistration(values),
    applicationOnly:
      applicationOnly === undefined
        ? undefined
        : {
            name: APP_ONLY_REGISTRATION,
            clientId: applicationOnly,
            credential: credentialMode(get, "APP_ONLY_CLIENT_SECRET_NAME", "APP_ONLY_CLIENT_CERTIFICATE_NAME"),
          },
    vaultUrl: values.get("KEY_VAULT_URL"),
    managedIdentityClientId: values.get("MANAGED_IDENTITY_CLIENT_ID"),
    grants: values.has("GRANT_STORE_URL")
      ? {
          tableEndpoint: get("GRANT_STORE_URL"),
          tableName: get("GRANT_TABLE_NAME"),
          reapDryRun: get("GRANT_REAP") === "dry-run",
        }
      : undefined,
    events: toEventConfig(values),
    sealingKeyName: get("SEALING_KEY_NAME"),
    v1Audiences: values.get("V1_TOKEN_AUDIENCES")?.split(",") ?? [],
    allowGuests: get("ALLOW_GUESTS") === "true",
    tokenCacheMaxBytes: Number(get("TOKEN_CACHE_MAX_BYTES")),
    sharedCache: values.has("REDIS_URL") ? { redisUrl: get("REDIS_URL"), keyName: get("CACHE_KEY_NAME") } : undefined,
    telemetry: toTelemetryConfig(values),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function urlProblems({ values }: Draft): string[] {
  const problems: string[] = [];
  const local = values.get("CLOUD") === "local";
  if (local && !values.has("LOCAL_TENANT_URL")) {
    problems.push("LOCAL_TENANT_URL is missing: CLOUD=local requires it");
  }
  if (!local && values.has("LOCAL_TENANT_URL")) {
    problems.push("LOCAL_TENANT_URL must not be set: it is allowed only with CLOUD=local");
  }
  const serviceUrl = values.get("SERVICE_URL");
  if (serviceUrl !== undefined && !(serviceUrl.startsWith("https://") || (local && isLoopbackUrl(serviceUrl)))) {
    problems.push("SERVICE_URL must use https: http is allowed only with CLOUD=local and a host on this machine");
  }
  return values.has("CLOUD")
    ? [...problems, ...azureUrlProblems(values, local), ...redisProblems(values, local)]
    : problems;
}

const IDS = ["TENANT_ID", "CLIENT_ID", "APP_ONLY_CLIENT_ID", "MANAGED_IDENTITY_CLIENT_ID"] as const;

/** Entra's ids are random, and documentation writes its examples so: 00000000-…, 11111111-2222-…, aaaaaaaa-bbbb-…. */
const PLACEHOLDER = /^([0-9a-f])\1{7}-/i;

function placeholderProblems({ values }: Draft): string[] {
  const placeholders = IDS.filter((name) => PLACEHOLDER.test(values.get(name) ?? ""));
  return placeholders.map((name) => `${name} must be an id of your tenant: it is an example of the documentation`);
}

/** The policy is in exactly one place. */
function policySourceProblems({ values }: Draft): string[] {
  const url = values.get("POLICY_URL");
  if (url === undefined) return values.has("POLICY") ? [] : ["POLICY is missing: set POLICY or POLICY_URL"];
  if (values.has("POLICY")) return ["POLICY_URL must not be set together with POLICY: remove one of them"];
  if (!values.has("CLOUD")) return [];
  if (values.get("CLOUD") === "local") return isLoopbackUrl(url) ? [] : [mustBeLocal("POLICY_URL")];
  const { blobSuffix } = cloudOf(values);
  const { origin, pathname } = new URL(url);
  return belongsTo(origin, blobSuffix, false) && /^(\/[^/]+){2,}$/.test(pathname)
    ? []
    : [`POLICY_URL must be https://<name>${blobSuffix}/<container>/<blob> in the cloud that CLOUD names`];
}

function azureUrlProblems(values: Draft["values"], local: boolean): string[] {
  const { vaultSuffix, tableSuffix } = cloudOf(values);
  const suffixes: readonly (readonly [SettingName, string])[] = [
    ["KEY_VAULT_URL", vaultSuffix],
    ["GRANT_STORE_URL", tableSuffix],
  ];
  return suffixes.flatMap(([name, suffix]) => {
    const url = values.get(name);
    if (url === undefined || belongsTo(url, suffix, local)) return [];
    return [local ? mustBeLocal(name) : `${name} must be https://<name>${suffix} in the cloud that CLOUD names`];
  });
}

/** Azure Managed Redis puts the region between name and suffix. */
function redisProblems(values: Draft["values"], local: boolean): string[] {
  const url = values.get("REDIS_URL");
  if (url === undefined || (local && isLoopbackUrl(url))) return [];
  if (local) return [mustBeLocal("REDIS_URL")];
  const { redisSuffix } = cloudOf(values);
  const { protocol, hostname } = new URL(url);
  const labels = hostname.slice(0, -redisSuffix.length);
  const valid = protocol === "rediss:" && hostname.endsWith(redisSuffix) && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(labels);
  return valid ? [] : [`REDIS_URL must be rediss://<name>${redisSuffix}:<port> in the cloud that CLOUD names`];
}

function mustBeLocal(name: SettingName): string {
  return `${name} must have the host 127.0.0.1, [::1] or localhost with CLOUD=local`;
}

/** In Azure: https and exactly one label before the suffix of the cloud. In the local cloud: this machine. */
function belongsTo(url: string, suffix: string, local: boolean): boolean {
  if (local) return isLoopbackUrl(url);
  const { protocol, hostname, port, pathname } = new URL(url);
  const label = hostname.slice(0, -suffix.length);
  const bare = port === "" && pathname === "/";
  return protocol === "https:" && bare && hostname.endsWith(suffix) && /^[a-z0-9-]+$/.test(label);
}

function policyProblems({ values, policy }: Draft): string[] {
  const problems: string[] = [];
  const callers = policy.callers;
  if (callers.some((entry) => entry.offlineAccess || entry.importRefreshTokens) && !values.has("GRANT_STORE_URL")) {
    problems.push(
      "GRANT_STORE_URL is missing: POLICY allows offlineAccess or importRefreshTokens, and grants need a store",
    );
  }
  if (callers.some((entry) => entry.flows?.includes("client-credentials")) && !values.has("APP_ONLY_CLIENT_ID")) {
    problems.push(
      "APP_ONLY_CLIENT_ID is missing: POLICY allows client-credentials, which needs the app-only registration",
    );
  }
  const needVault = [
    ...(values.get("CLIENT_CREDENTIAL")?.startsWith("key-vault-") ? ["CLIENT_CREDENTIAL"] : []),
    ...(values.has("GRANT_STORE_URL") ? ["GRANT_STORE_URL"] : []),
    ...(values.has("REDIS_URL") ? ["REDIS_URL"] : []),
    ...(callers.some((entry) => entry.flows?.includes("authorization-code")) ? ["POLICY (authorization-code)"] : []),
  ];
  if (needVault.length > 0 && !values.has("KEY_VAULT_URL")) {
    problems.push(`KEY_VAULT_URL is missing: it is required for ${needVault.join(", ")}`);
  }
  return problems;
}

/** Entra refuses tokens for Graph in another cloud, and a caller would send its token to that cloud. */
function graphProblems({ values, policy }: Draft): string[] {
  if (!values.has("CLOUD")) return [];
  const cloud = cloudOf(values);
  const allowed = cloud.graphResources.join(" or ");
  return Object.entries(policy.apis ?? {}).flatMap(([name, { resource }]) =>
    resource !== undefined && isGraphOfAnotherCloud(cloud, resource)
      ? [`POLICY apis.${name}.resource is Microsoft Graph in another cloud: CLOUD allows ${allowed}`]
      : [],
  );
}

function cloudOf(values: ReadonlyMap<SettingName, string>): Cloud {
  return cloudNamed(values.get("CLOUD") as CloudName, values.get("LOCAL_TENANT_URL") ?? "");
}
