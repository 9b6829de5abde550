/** Settings from the command line, the environment, the local stack and the saved settings of the service, in this order. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CliFailure, settingsFailure, usageFailure } from "./cli-failure.ts";
import type { Options } from "./command-line.ts";
import { type DiscoveredService, discoverService } from "./discover-service.ts";
import { EXIT } from "./exit-codes.ts";
import { findHome, localHome, serviceFolder, settingsPath } from "./home.ts";
import { isLoopback } from "./loopback.ts";
import { type Network, networkFrom } from "./network.ts";
import { readLastService, readSavedSettings, type SavedSettings } from "./saved-settings.ts";
import type { Terminal } from "./terminal.ts";
import { trustCertificates } from "./trust-certificates.ts";

export interface Settings {
  readonly home: string;
  /** The folder with the settings and tokens of this service only. */
  readonly folder: string;
  readonly service: string;
  readonly clientId: string;
  readonly authority: string;
  readonly scope: string;
  readonly caFile: string | undefined;
  readonly apis: Readonly<Record<string, string>>;
  readonly network: Network;
  /** The command that signs in to this service again. */
  readonly login: string;
}

/** More than the service's own deadline of 10 s, so that its error response arrives. */
const DEFAULT_TIMEOUT_SECONDS = 30;
const MAX_TIMEOUT_SECONDS = 600;
/** Messages contain commands with this URL: it must have no characters that are special in a shell. */
const PLAIN_PATH = /^[\w./~%-]*$/;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** For every command except `login`: the settings that `login` saved for this service. No network request. */
export function savedSettings(options: Options, terminal: Terminal): Settings {
  const choice = choose(options, terminal);
  const { authority, scope } = choice.saved;
  if (authority === undefined || scope === undefined) throw notLoggedIn(choice, options);
  return complete(choice, checkClientId(choice.clientId), { authority, scope });
}

/** Only for `login`: reads the metadata of the service. */
export async function discoverSettings(options: Options, terminal: Terminal): Promise<Settings> {
  const choice = choose(options, terminal);
  const clientId = checkClientId(choice.clientId);
  const scopes = { required: options.scope?.[0], preferred: choice.saved.scope };
  return complete(choice, clientId, await discoverService(choice.service, choice.network, scopes));
}

interface Choice extends Omit<Settings, "clientId" | "authority" | "scope"> {
  readonly clientId: string | undefined;
  readonly tenant: string | undefined;
  readonly saved: SavedSettings;
}

/** An empty variable counts as not set. Settings of other services are not read. */
function choose(options: Options, terminal: Terminal): Choice {
  const { env } = terminal;
  const home = findHome(options, terminal);
  const local = options.local === true ? readLocalStack(env) : {};
  const implied = local.service ?? readLastService(home);
  const service = chooseService(options, terminal, implied);
  const saved = readSavedSettings(home, service);
  const caFile = options["ca-file"] ?? (env["GTE_CA_FILE"] || local.caFile || saved.caFile);
  if (caFile !== undefined) trustCertificates(caFile);
  return {
    home,
    folder: serviceFolder(home, service),
    service,
    saved,
    clientId: options["client-id"] ?? (env["GTE_CLIENT_ID"] || local.clientId || saved.clientId),
    tenant: options.tenant ?? env["GTE_TENANT"],
    caFile,
    apis: { ...saved.apis, ...local.apis },
    network: networkFrom(env, readTimeout(options.timeout)),
    login: `gte login${options.local === true ? " --local" : ""}${service === implied ? "" : ` --service ${service}`}`,
  };
}

function complete(
  { saved: _, tenant, ...choice }: Choice,
  clientId: string,
  { authority, scope }: DiscoveredService,
): Settings {
  checkTenant(tenant, authority);
  return { ...choice, clientId, authority, scope };
}

/** The URL may come from an untrusted source, such as a variable. Nothing is sent to it before a person logs in. */
function notLoggedIn({ service, login, clientId }: Choice, { local }: Options): CliFailure {
  const client = clientId === undefined || local === true ? "" : ` --client-id ${checkClientId(clientId)}`;
  return new CliFailure(
    EXIT.signIn,
    "sign_in_required",
    `You have not logged in to ${service}. Log in only if your administrator gave you this URL.`,
    { run: `${login}${client}` },
  );
}

function chooseService(options: Options, { env }: Terminal, implied: string | undefined): string {
  const chosen = options.service ?? (env["GTE_SERVICE"] || implied);
  if (chosen !== undefined) return checkService(chosen);
  const locally = existsSync(settingsPath(localHome(env)));
  const hint = locally ? " You logged in with --local: add --local to use the local stack." : "";
  throw settingsFailure(`No service is configured.${hint}`, { run: "gte login --service https://… --client-id …" });
}

export function checkService(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== "" ||
    !PLAIN_PATH.test(url.pathname)
  ) {
    throw usageFailure(`"${text}" is not the URL of a service.`);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))) {
    throw usageFailure("The service must have an https URL, because gte sends your token to it.");
  }
  return url.href.replace(/\/$/, "");
}

function checkClientId(text: string | undefined): string {
  if (text === undefined) {
    throw settingsFailure("No client id is configured. Ask the administrator of the service for the --client-id.");
  }
  if (!GUID.test(text))
    throw usageFailure("--client-id must be a GUID: the client id of the command line's registration.");
  return text;
}

/** `--tenant` must match the tenant that the service names. */
function checkTenant(tenant: string | undefined, authority: string): void {
  if (!tenant || authority.toLowerCase().endsWith(`/${tenant.toLowerCase()}`)) return;
  throw settingsFailure(`The service uses the authority ${authority}, not the tenant ${tenant}.`);
}

function readTimeout(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIMEOUT_SECONDS : Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS)) {
    throw usageFailure(`--timeout must be a number of seconds, at most ${MAX_TIMEOUT_SECONDS}.`);
  }
  return seconds * 1000;
}

interface LocalStackFile {
  serviceUrl: string;
  graphUrl: string;
  caCertPath: string;
  callers: { cli: { clientId: string } };
}

/** Reads the file that `npm start` writes. */
function readLocalStack(env: Terminal["env"]): SavedSettings {
  const path = resolve(env["LOCAL_FOLDER"] || ".local", "environment.json");
  if (!existsSync(path))
    throw settingsFailure(`The local stack is not running: ${path} does not exist. Run npm start.`);
  const stack = JSON.parse(readFileSync(path, "utf8")) as LocalStackFile;
  return {
    service: stack.serviceUrl,
    clientId: stack.callers.cli.clientId,
    caFile: stack.caCertPath,
    apis: { [new URL(stack.graphUrl).origin]: "graph" },
  };
}
