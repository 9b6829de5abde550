/** Reads the exported files of a connector: `pac connector download` and `paconn download` name them differently. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject, type JsonObject, member } from "../../shared/core/json-object.ts";
import { parseJson } from "../../shared/core/json-text.ts";
import { settingsFailure } from "../cli/cli-failure.ts";

const DEFINITION = ["apiDefinition.swagger.json", "apiDefinition.json"];
const PROPERTIES = ["apiProperties.json"];

export interface ConnectorFiles {
  readonly folder: string;
  readonly definition: JsonObject;
  /** Of the file, in bytes. */
  readonly definitionBytes: number;
  readonly signIn: SignIn;
}

/** The settings of the sign-in, from `connectionParameters`. Members that the file lacks are undefined. */
export interface SignIn {
  readonly identityProvider: string | undefined;
  readonly clientId: string | undefined;
  readonly hasSecret: boolean;
  readonly scopes: unknown;
  readonly redirectMode: string | undefined;
  readonly redirectUrl: string | undefined;
  /** `AzureActiveDirectoryResourceId`. */
  readonly resourceId: string | undefined;
  readonly resourceUri: string | undefined;
  readonly tenantId: string | undefined;
  /** Both switches are on. */
  readonly onBehalfOf: boolean;
  /** Every text of the file. */
  readonly texts: readonly string[];
}

export function readConnector(folder: string): ConnectorFiles {
  const definition = readFile(folder, DEFINITION);
  const properties = readFile(folder, PROPERTIES);
  return {
    folder,
    definition: definition.value,
    definitionBytes: definition.bytes,
    signIn: readSignIn(properties.value),
  };
}

export function readJson(path: string): JsonObject {
  const value = parseJson(readFileSync(path, "utf8").replace(/^\ufeff/, ""));
  if (!isJsonObject(value)) throw settingsFailure(`${path} is not a JSON object.`);
  return value;
}

/** The object under these names, one below the other, without case: exports differ in it. */
export function objectAt(value: unknown, ...names: readonly string[]): JsonObject {
  let at: unknown = value;
  for (const name of names) at = anyCase(at, name);
  return isJsonObject(at) ? at : {};
}

export function textAt(value: unknown, ...names: readonly string[]): string | undefined {
  const last = names.at(-1) ?? "";
  const found = anyCase(objectAt(value, ...names.slice(0, -1)), last);
  return typeof found === "string" ? found : undefined;
}

export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

// ---------------------------------------------------------------------------------------------------------------

function readFile(folder: string, names: readonly string[]): { readonly value: JsonObject; readonly bytes: number } {
  const path = names.map((name) => join(folder, name)).find((one) => existsSync(one));
  if (path === undefined) throw settingsFailure(`${folder} has no ${names.join(" or ")}. Export the connector first.`);
  return { value: readJson(path), bytes: readFileSync(path).byteLength };
}

function readSignIn(file: JsonObject): SignIn {
  const settings = objectAt(file, "properties", "connectionParameters", "token", "oAuthSettings");
  const custom = (name: string) => textAt(settings, "customParameters", name, "value");
  const supported = anyCase(objectAt(settings, "properties"), "IsOnbehalfofLoginSupported") === true;
  return {
    identityProvider: textAt(settings, "identityProvider"),
    clientId: textAt(settings, "clientId"),
    hasSecret: (textAt(settings, "clientSecret") ?? "") !== "",
    scopes: anyCase(settings, "scopes"),
    redirectMode: textAt(settings, "redirectMode"),
    redirectUrl: textAt(settings, "redirectUrl"),
    resourceId: textAt(settings, "properties", "AzureActiveDirectoryResourceId"),
    resourceUri: custom("resourceUri"),
    tenantId: custom("tenantId"),
    onBehalfOf: supported && custom("enableOnbehalfOfLogin")?.toLowerCase() === "true",
    texts: textsIn(file),
  };
}

function anyCase(value: unknown, name: string): unknown {
  if (!isJsonObject(value)) return undefined;
  const found = Object.keys(value).find((one) => one.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : member(value, found);
}
