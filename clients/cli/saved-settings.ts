/** The settings files: one for each service that somebody logged in to, and one that names the last of them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { settingsProblem } from "./cli-failure.ts";
import { serviceFolder, servicesFolder, settingsPath } from "./home.ts";
import { readPrivateFile, removePrivateFolder, writePrivateFile } from "./private-file.ts";
import { jsonObject } from "./send.ts";

/** What `login` keeps, so that later commands need no options. No secret is among it. */
export interface SavedSettings {
  readonly service?: string;
  readonly clientId?: string;
  /** `https://login.microsoftonline.com/{tenant id}` */
  readonly authority?: string;
  /** `api://{service's client id}/access_as_user`, or under an App ID URI with https. */
  readonly scope?: string;
  /** Whom Entra made the token for: a second App ID URI of the same registration does not change it. */
  readonly audience?: string;
  readonly caFile?: string;
  /** API names of the service by origin, where `call` could not know them otherwise. */
  readonly apis?: Readonly<Record<string, string>>;
}

const TEXTS = ["service", "clientId", "authority", "scope", "audience", "caFile"];

/** Nothing is kept for a service under another one's name. */
export function readSavedSettings(home: string, service: string): SavedSettings {
  const saved = readFolder(serviceFolder(home, service));
  if (saved === undefined) return {};
  if (saved.service !== service) {
    throw settingsProblem(`${settingsPath(serviceFolder(home, service))} is not about ${service}. Remove it.`);
  }
  return saved;
}

/** With this the service is also the one that commands mean when they name none. */
export function writeSavedSettings(home: string, settings: SavedSettings & { readonly service: string }): void {
  const { service } = settings;
  writePrivateFile(settingsPath(serviceFolder(home, service)), `${JSON.stringify(settings, undefined, 2)}\n`);
  writePrivateFile(settingsPath(home), `${JSON.stringify({ service }, undefined, 2)}\n`);
}

export function readLastService(home: string): string | undefined {
  const path = settingsPath(home);
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  const service = jsonObject(text)?.["service"];
  if (typeof service !== "string") throw settingsProblem(`${path} does not name a service. Remove it.`);
  return service;
}

export function listFolders(home: string): string[] {
  const all = servicesFolder(home);
  return existsSync(all) ? readdirSync(all).map((name) => join(all, name)) : [];
}

export function listSavedSettings(home: string): SavedSettings[] {
  return listFolders(home).flatMap((folder) => readFolder(folder) ?? []);
}

/** Settings and tokens. */
export function forgetService(home: string, service: string): void {
  removePrivateFolder(serviceFolder(home, service));
}

function readFolder(folder: string): SavedSettings | undefined {
  const path = settingsPath(folder);
  const text = readPrivateFile(path);
  if (text === undefined) return undefined;
  const value = jsonObject(text);
  if (isSavedSettings(value)) return value;
  throw settingsProblem(
    `${path} is not a settings file: an object of ${TEXTS.join(", ")} and apis. Remove it, or mend it.`,
  );
}

function isSavedSettings(value: Record<string, unknown> | undefined): value is SavedSettings & Record<string, unknown> {
  if (value === undefined) return false;
  return Object.entries(value).every(([name, member]) =>
    name === "apis" ? isTexts(member) : TEXTS.includes(name) && typeof member === "string",
  );
}

function isTexts(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}
