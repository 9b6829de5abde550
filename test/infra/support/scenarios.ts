/** The deployments of the tests: the example tenant, and the example tenant with all options. */
import { join } from "node:path";
import { openBicepWorkspace } from "./compiler.ts";
import { type Deployment, type DeployOptions, deploy, type Parameters, refusals } from "./deploy.ts";
import { the, value } from "./look.ts";

export const EVERYTHING = {
  usePrivateNetwork: true,
  useRedis: true,
  useEventGrid: true,
  eventWebhookUrl: "https://hooks.example.com/grants?tenant=example",
  clientCredential: "key-vault-secret",
  serviceUrl: "https://tokens.example.com",
  v1TokenAudiences: ["api://one", "api://two"],
  allowGuests: true,
  appOnly: { clientId: "44444444-4444-4444-8444-444444444444", clientSecretName: "app-only-client-secret" },
  appIdUri: "https://tokens.example.com/gte",
  openTelemetry: {
    endpoint: "https://otlp.example.com",
    headersSecretName: "otlp-headers",
    serviceName: "gte-example",
    sampler: "parentbased_traceidratio",
    samplerRatio: "0.25",
  },
  scale: { memoryMegabytes: 4096, maximumInstances: 200, alwaysReadyInstances: 2, concurrency: 64 },
} as const;

let example: Promise<Parameters> | undefined;

/** The parameters of the example tenant. */
export function exampleParameters(): Promise<Parameters> {
  example ??= readExample();
  return example;
}

async function readExample(): Promise<Parameters> {
  const { bicep, infra } = openBicepWorkspace();
  const { contents } = await bicep.compile(join(infra, "tenants/example.bicepparam"));
  const { parameters } = JSON.parse(contents ?? "{}") as { parameters: Record<string, { value: unknown }> };
  return Object.fromEntries(Object.entries(parameters).map(([name, { value: given }]) => [name, given]));
}

/** The example tenant with some parameters changed. */
export async function deployMain(changes: Parameters = {}, options: DeployOptions = {}): Promise<Deployment> {
  return deploy("main.bicep", { ...(await exampleParameters()), ...changes }, options);
}

/** Deploys with all options and one changed text in one file. */
export function deployChanged(file: string, from: string, to: string): Promise<Deployment> {
  return deployMain(EVERYTHING, { change: { file, from, to } });
}

export async function refusalsOfMain(changes: Parameters): Promise<string> {
  return (await refusals("main.bicep", { ...(await exampleParameters()), ...changes })).join("\n");
}

export function settingsOf(deployment: Deployment): Record<string, string> {
  return value(the(deployment, "Microsoft.Web/sites/config", "/appsettings"), "properties") as Record<string, string>;
}
