/** The folders of settings and tokens. Each service has its own folder, so that no token is sent to another service. */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Options } from "./command-line.ts";
import type { Terminal } from "./terminal.ts";

export function findHome(options: Options, { env }: Terminal): string {
  const chosen = options.home ?? env["GTE_HOME"];
  if (chosen) return resolve(chosen);
  if (options.local === true) return localHome(env);
  if (process.platform === "win32") return join(env["APPDATA"] || join(homedir(), "AppData", "Roaming"), "gte");
  return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "gte");
}

/** The folder of `--local`, below the working directory. */
export const localHome = (env: Terminal["env"]) => resolve(env["LOCAL_FOLDER"] || ".local", "gte");

export const servicesFolder = (home: string) => join(home, "services");

/** The host makes the name readable. The hash makes it unique, because scheme, port and path count too. */
export function serviceFolder(home: string, service: string): string {
  const host = new URL(service).host.replace(/[^\w.-]/g, "_").slice(0, 100);
  const hash = createHash("sha256").update(service).digest("hex").slice(0, 32);
  return join(servicesFolder(home), `${host}-${hash}`);
}

export const tokensPath = (folder: string) => join(folder, "tokens.json");
export const settingsPath = (folder: string) => join(folder, "config.json");
