/** Where settings and tokens are kept, and the settings file itself. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { settingsProblem } from "./cli-failure.ts";
import type { Options } from "./command-line.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";
import type { Terminal } from "./terminal.ts";

/** What `login` keeps, so that later commands need no options. No secret is among it. */
export interface SavedSettings {
  readonly service?: string;
  readonly clientId?: string;
  /** `https://login.microsoftonline.com/{tenant id}` */
  readonly authority?: string;
  /** `api://{service's client id}/access_as_user` */
  readonly scope?: string;
  readonly caFile?: string;
  /** API names of the service by origin, where `call` could not know them otherwise. */
  readonly apis?: Readonly<Record<string, string>>;
}

const TEXTS = ["service", "clientId", "authority", "scope", "caFile"];

export function findHome(options: Options, { env }: Terminal): string {
  const chosen = options.home ?? env["GTE_HOME"];
  if (chosen) return resolve(chosen);
  if (options.local === true) return resolve(env["LOCAL_FOLDER"] || ".local", "gte");
  if (process.platform === "win32") return join(env["APPDATA"] || join(homedir(), "AppData", "Roaming"), "gte");
  return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "gte");
}

export const tokensPath = (home: string) => join(home, "tokens.json");
export const settingsPath = (home: string) => join(home, "config.json");

export function readSavedSettings(home: string): SavedSettings {
  const path = settingsPath(home);
  const text = readPrivateFile(path);
  if (text === undefined) return {};
  const value = parse(text);
  if (!isSavedSettings(value)) {
    throw settingsProblem(
      `${path} is not a settings file: an object of ${TEXTS.join(", ")} and apis. Remove it, or mend it.`,
    );
  }
  return value;
}

export function writeSavedSettings(home: string, settings: SavedSettings): void {
  writePrivateFile(settingsPath(home), `${JSON.stringify(settings, undefined, 2)}\n`);
}

function isSavedSettings(value: unknown): value is SavedSettings {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([name, member]) =>
    name === "apis" ? isTexts(member) : TEXTS.includes(name) && typeof member === "string",
  );
}

function isTexts(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
