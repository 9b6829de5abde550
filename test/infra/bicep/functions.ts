/**
 * The functions of Bicep that infra/ uses. Those that ask Azure answer with fixed stand-ins; hashes are stable but
 * not Azure's. A function of a value that only Azure knows is such a value itself.
 */
import { createHash } from "node:crypto";
import { type Closure, isRecord, isResource, Runtime, toJson } from "./values.ts";

export const SUBSCRIPTION_ID = "/subscriptions/00000000-0000-4000-8000-00000000000a";
export const RESOURCE_GROUP_ID = `${SUBSCRIPTION_ID}/resourceGroups/rg-test`;
export const TENANT_ID = "00000000-0000-4000-8000-00000000000b";

export type AzureEnvironment = "AzureCloud" | "AzureUSGovernment" | "AzureChinaCloud";

const SUFFIXES: Readonly<Record<AzureEnvironment, { login: string; keyvaultDns: string; storage: string }>> = {
  AzureCloud: {
    login: "https://login.microsoftonline.com/",
    keyvaultDns: ".vault.azure.net",
    storage: "core.windows.net",
  },
  AzureUSGovernment: {
    login: "https://login.microsoftonline.us/",
    keyvaultDns: ".vault.usgovcloudapi.net",
    storage: "core.usgovcloudapi.net",
  },
  AzureChinaCloud: {
    login: "https://login.chinacloudapi.cn/",
    keyvaultDns: ".vault.azure.cn",
    storage: "core.chinacloudapi.cn",
  },
};

export interface Surroundings {
  readonly environment: AzureEnvironment;
  /** Text of a file beside the template. */
  readonly readText: (path: string) => string;
}

/** Functions that may be given values only Azure knows, inside other values. */
const TAKES_RUNTIME = new Set(["guid", "string", "uniqueString"]);

export function builtIns(surroundings: Surroundings): ReadonlyMap<string, Closure> {
  const suffixes = SUFFIXES[surroundings.environment];
  const functions: Record<string, Closure> = {
    ...PURE,
    environment: () => ({
      name: surroundings.environment,
      authentication: { loginEndpoint: suffixes.login },
      suffixes: { keyvaultDns: suffixes.keyvaultDns, storage: suffixes.storage },
    }),
    loadTextContent: (path) => surroundings.readText(String(path)),
    resourceGroup: () => ({ id: RESOURCE_GROUP_ID, location: "westeurope", name: "rg-test" }),
    tenant: () => ({ tenantId: TENANT_ID }),
    subscriptionResourceId: (type, name) => `${SUBSCRIPTION_ID}/providers/${type}/${name}`,
  };
  return new Map(Object.entries(functions).map(([name, run]) => [name, lifted(name, run)]));
}

function lifted(name: string, run: Closure): Closure {
  return (...args) =>
    args.some((arg) => arg instanceof Runtime) && !TAKES_RUNTIME.has(name)
      ? new Runtime(`${name}(${args.map((arg) => (typeof arg === "function" ? "…" : String(arg))).join(", ")})`)
      : run(...args);
}

const PURE: Record<string, Closure> = {
  concat: (...lists) => lists.flatMap((list) => asArray(list)),
  contains: (within, wanted) => {
    if (Array.isArray(within)) {
      return within.includes(wanted);
    }
    return isRecord(within) ? Object.hasOwn(within, String(wanted)) : String(within).includes(String(wanted));
  },
  description: () => undefined,
  empty: (value) => {
    if (value === null || value === undefined || value === "") {
      return true;
    }
    return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
  },
  filter: (list, test) => asArray(list).filter((item) => call(test, item)),
  flatten: (list) => asArray(list).flatMap((item) => asArray(item)),
  guid: (...parts) => {
    const hash = digest(parts);
    return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  },
  join: (list, separator) => asArray(list).join(String(separator)),
  map: (list, change) => asArray(list).map((item) => call(change, item)),
  replace: (text, from, to) => String(text).replaceAll(String(from), String(to)),
  string: (value) => (typeof value === "string" ? value : JSON.stringify(toJson(value))),
  take: (text, count) => String(text).slice(0, Number(count)),
  union: (...objects) => Object.assign({}, ...objects),
  uniqueString: (...parts) =>
    BigInt(`0x${digest(parts)}`)
      .toString(36)
      .slice(0, 13),
};

function digest(parts: readonly unknown[]): string {
  const texts = parts.map((part) => (isResource(part) ? part.id() : String(part)));
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`expected an array, found ${JSON.stringify(value)}`);
  }
  return value;
}

function call(closure: unknown, ...args: readonly unknown[]): unknown {
  if (typeof closure !== "function") {
    throw new TypeError("expected a lambda");
  }
  return (closure as Closure)(...args);
}
