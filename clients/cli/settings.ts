/** Settings from the command line, the environment, the local stack and what `login` kept; in this order. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { settingsProblem, usage } from "./cli-failure.ts";
import type { Options } from "./command-line.ts";
import { type DiscoveredService, discoverService } from "./discover-service.ts";
import { findHome, readSavedSettings, type SavedSettings } from "./home.ts";
import { isLoopback } from "./loopback.ts";
import type { Terminal } from "./terminal.ts";
import { trustCertificates } from "./trust-certificates.ts";

export interface Settings {
  readonly home: string;
  readonly service: string;
  readonly clientId: string;
  readonly authority: string;
  readonly scope: string;
  readonly caFile: string | undefined;
  readonly apis: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Above the service's own 10 s, so that its answer is heard and not cut off. */
const DEFAULT_TIMEOUT_SECONDS = 30;
const LONGEST_TIMEOUT_SECONDS = 600;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `anew` is for `login`: ask the service again even when the answer is known. */
export async function resolveSettings(
  options: Options,
  terminal: Terminal,
  asking: "known" | "anew",
): Promise<Settings> {
  const home = findHome(options, terminal);
  const saved = readSavedSettings(home);
  const { service: address, clientId: client, caFile, apis = {} } = chosenSettings(options, terminal.env, saved);
  const service = checkService(address);
  const clientId = checkClientId(client);
  if (caFile !== undefined) trustCertificates(caFile);
  const timeoutMs = readTimeout(options.timeout);
  const known = asking === "known" && service === saved.service ? discovered(saved) : undefined;
  const { authority, scope } = known ?? (await discoverService(service, timeoutMs));
  pinTenant(options.tenant ?? terminal.env["GTE_TENANT"], authority);
  return { home, service, clientId, authority, scope, caFile, apis, timeoutMs };
}

/** An empty variable is one that is not set. */
function chosenSettings(options: Options, env: Terminal["env"], saved: SavedSettings): SavedSettings {
  const local = options.local === true ? readLocalStack(env) : {};
  const service = options.service ?? (env["GTE_SERVICE"] || local.service || saved.service);
  const clientId = options["client-id"] ?? (env["GTE_CLIENT_ID"] || local.clientId || saved.clientId);
  const caFile = options["ca-file"] ?? (env["GTE_CA_FILE"] || local.caFile || saved.caFile);
  return {
    apis: { ...saved.apis, ...local.apis },
    ...(service === undefined ? {} : { service }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

function discovered({ authority, scope }: SavedSettings): DiscoveredService | undefined {
  return authority === undefined || scope === undefined ? undefined : { authority, scope };
}

function checkService(text: string | undefined): string {
  if (text === undefined) throw settingsProblem("Which service? Run: gte login --service https://… --client-id …");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw usage(`The service is not a URL: "${text}".`);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))) {
    throw usage("The service must be an https URL: your token goes there.");
  }
  return url.href.replace(/\/$/, "");
}

function checkClientId(text: string | undefined): string {
  if (text === undefined)
    throw settingsProblem("Which client? The administrator of the service knows its --client-id.");
  if (!GUID.test(text)) throw usage("--client-id must be the GUID of the command line's registration.");
  return text;
}

/** Who names a tenant wants that one, whatever the service says. */
function pinTenant(tenant: string | undefined, authority: string): void {
  if (!tenant || authority.toLowerCase().endsWith(`/${tenant.toLowerCase()}`)) return;
  throw settingsProblem(`The service belongs to ${authority}, not to the tenant ${tenant}.`);
}

function readTimeout(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIMEOUT_SECONDS : Number(text);
  if (!(seconds > 0 && seconds <= LONGEST_TIMEOUT_SECONDS)) {
    throw usage(`--timeout is a number of seconds up to ${LONGEST_TIMEOUT_SECONDS}.`);
  }
  return seconds * 1000;
}

interface LocalStackFile {
  serviceUrl: string;
  graphUrl: string;
  caCertPath: string;
  callers: { cli: { clientId: string } };
}

/** What `npm start` wrote about the stack that runs. */
function readLocalStack(env: Terminal["env"]): SavedSettings {
  const path = resolve(env["LOCAL_FOLDER"] || ".local", "environment.json");
  if (!existsSync(path)) throw settingsProblem(`No local stack is running here: there is no ${path}. Run npm start.`);
  const stack = JSON.parse(readFileSync(path, "utf8")) as LocalStackFile;
  return {
    service: stack.serviceUrl,
    clientId: stack.callers.cli.clientId,
    caFile: stack.caCertPath,
    apis: { [new URL(stack.graphUrl).origin]: "graph" },
  };
}
