/** The deployments that the tests look at: the example tenant as it stands, and with everything switched on. */
import { fileURLToPath } from "node:url";
import { type Deployed, type Deployment, type DeployOptions, deploy, readParameters } from "./bicep/deploy.ts";
import { readTemplate, type Template, templateFrom } from "./bicep/template.ts";

export const INFRA = fileURLToPath(new URL("../../infra/", import.meta.url));
export const infraFile = (path: string): string => `${INFRA}${path}`;

export const EXAMPLE = readParameters(infraFile("tenants/example.bicepparam"));

export const EVERYTHING = {
  usePrivateNetwork: true,
  useRedis: true,
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

export function deployMain(changes: Readonly<Record<string, unknown>> = {}, options: DeployOptions = {}): Deployment {
  return deploy(readTemplate(EXAMPLE.template), { ...EXAMPLE.values, ...changes }, options);
}

/** The main template deployed with one line of one module changed: for showing that a check can fail. */
export function deployWith(
  file: string,
  from: string,
  to: string,
  changes: Readonly<Record<string, unknown>> = {},
): Deployment {
  return deployMain(changes, { replace: altered(file, from, to) });
}

export function altered(file: string, from: string, to: string): Template {
  const path = infraFile(file);
  const text = readTemplate(path).text;
  if (!text.includes(from)) {
    throw new Error(`${file} does not say ${from}`);
  }
  return templateFrom(path, text.replace(from, to));
}

export function ofType(deployment: Deployment, type: string): Deployed[] {
  return deployment.resources.filter((resource) => resource.type === type);
}

export function at(deployment: Deployment, path: string): Deployed {
  const found = deployment.resources.find((resource) => resource.path === path);
  if (found === undefined) {
    throw new Error(`nothing is deployed as ${path}`);
  }
  return found;
}

/** A value inside a resource, by a dotted path; undefined where there is none. */
export function value(resource: Deployed, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (holder, key) =>
        typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[key] : undefined,
      resource.body,
    );
}

export function settingsOf(deployment: Deployment): Record<string, string> {
  return value(at(deployment, "app/settings"), "properties") as Record<string, string>;
}
