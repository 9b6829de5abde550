/** The settings files: one for each service with a login, and one with the URL of the last service. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { settingsFailure } from "./cli-failure.ts";
import { serviceFolder, servicesFolder, settingsPath } from "./home.ts";
import { readPrivateFile, removePrivateFolder, writePrivateFile } from "./private-file.ts";
import { parseJsonObject } from "./send.ts";

/** What `login` saves, so that later commands need no options. It contains no secret. */
export interface SavedSettings {
  readonly service?: string;
  readonly clientId?: string;
  /** `https://login.microsoftonline.com/{tenant id}` */
  readonly authority?: string;
  /** `api://{service's client id}/access_as_user`, or the same under an https App ID URI. */
  readonly scope?: string;
  /** The audience of the token. All App ID URIs of one registration have the same audience. */
  readonly audience?: string;
  readonly caFile?: string;
  /** Names of APIs by origin, for origins that `call` does not know. */
  readonly apis?: Readonly<Record<string, string>>;
}

const STRING_MEMBERS = ["service", "clientId", "authority", "scope", "audience", "caFile"];

/** Rejects a file that is about another service. */
export function readSavedSettings(home: string, service: string): SavedSettings {
  const saved = readFolder(serviceFolder(home, service));
  if (saved === undefined) return {};
  if (saved.service !== service) {
    throw settingsFailure(`${settingsPath(serviceFolder(home, service))} is not about ${service}. Remove it.`);
  }
  return saved;
}

export function writeServiceSettings(home: string, settings: SavedSettings & { readonly service: string }): void {
  writePrivateFile(settingsPath(serviceFolder(home, settings.service)), `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** Makes this service the default of commands without `--service`. */
export function writeLastService(home: string, service: string): void {
  writePrivateFile(settingsPath(home), `${JSON.stringify({ service }, undefined, 2)}\n`);
}

export function readLastService(home: string): string | undefined {
  const path = settingsPath(home);
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  const service = parseJsonObject(text)?.["service"];
  if (typeof service !== "string") throw settingsFailure(`${path} does not name a service. Remove it.`);
  return service;
}

export function listFolders(home: string): string[] {
  const all = servicesFolder(home);
  return existsSync(all) ? readdirSync(all).map((name) => join(all, name)) : [];
}

export function listSavedSettings(home: string): SavedSettings[] {
  return listFolders(home).flatMap((folder) => readFolder(folder) ?? []);
}

/** Deletes settings and tokens. */
export function forgetService(home: string, service: string): void {
  removePrivateFolder(serviceFolder(home, service));
}

function readFolder(folder: string): SavedSettings | undefined {
  const path = settingsPath(folder);
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  const value = parseJsonObject(text);
  if (isSavedSettings(value)) return value;
  throw settingsFailure(
    `${path} is not a settings file. Its members are ${STRING_MEMBERS.join(", ")} and apis. Remove or correct it.`,
  );
}

function isSavedSettings(value: Record<string, unknown> | undefined): value is SavedSettings & Record<string, unknown> {
  if (value === undefined) return false;
  return Object.entries(value).every(([name, member]) =>
    name === "apis" ? isStringRecord(member) : STRING_MEMBERS.includes(name) && typeof member === "string",
  );
}

function isStringRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}
