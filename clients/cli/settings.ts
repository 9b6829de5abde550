/** Settings from the command line, the environment, the local stack and what `login` kept for the service; in this order. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CliFailure, settingsProblem, usage } from "./cli-failure.ts";
import type { Options } from "./command-line.ts";
import { type DiscoveredService, discoverService } from "./discover-service.ts";
import { EXIT } from "./exit-codes.ts";
import { findHome, serviceFolder } from "./home.ts";
import { isLoopback } from "./loopback.ts";
import { readLastService, readSavedSettings, type SavedSettings } from "./saved-settings.ts";
import type { Terminal } from "./terminal.ts";
import { trustCertificates } from "./trust-certificates.ts";

export interface Settings {
  readonly home: string;
  /** Of this service alone: its settings and its tokens. */
  readonly folder: string;
  readonly service: string;
  readonly clientId: string;
  readonly authority: string;
  readonly scope: string;
  readonly caFile: string | undefined;
  readonly apis: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The command line that signs in to this service again. */
  readonly login: string;
}

/** Above the service's own 10 s, so that its answer is heard and not cut off. */
const DEFAULT_TIMEOUT_SECONDS = 30;
const LONGEST_TIMEOUT_SECONDS = 600;
/** The URL is repeated in commands to run: nothing in it may mean something to a shell. */
const PLAIN_PATH = /^[\w./~%-]*$/;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** For every command but `login`: exactly the service that somebody logged in to. Nothing is asked on the network. */
export function savedSettings(options: Options, terminal: Terminal): Settings {
  const choice = choose(options, terminal);
  const { authority, scope } = choice.saved;
  if (authority === undefined || scope === undefined) throw notLoggedIn(choice, options);
  return complete(choice, checkClientId(choice.clientId), { authority, scope });
}

/** For `login` alone: asks the service anew. */
export async function discoverSettings(options: Options, terminal: Terminal): Promise<Settings> {
  const choice = choose(options, terminal);
  const clientId = checkClientId(choice.clientId);
  return complete(choice, clientId, await discoverService(choice.service, choice.timeoutMs));
}

interface Choice extends Omit<Settings, "clientId" | "authority" | "scope"> {
  readonly clientId: string | undefined;
  readonly tenant: string | undefined;
  readonly saved: SavedSettings;
}

/** An empty variable is one that is not set. What is kept for another service is not looked at. */
function choose(options: Options, terminal: Terminal): Choice {
  const { env } = terminal;
  const home = findHome(options, terminal);
  const local = options.local === true ? readLocalStack(env) : {};
  const implied = local.service ?? readLastService(home);
  const service = checkService(options.service ?? (env["GTE_SERVICE"] || implied));
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
    timeoutMs: readTimeout(options.timeout),
    login: `gte login${options.local === true ? " --local" : ""}${service === implied ? "" : ` --service ${service}`}`,
  };
}

function complete(
  { saved: _, tenant, ...choice }: Choice,
  clientId: string,
  { authority, scope }: DiscoveredService,
): Settings {
  pinTenant(tenant, authority);
  return { ...choice, clientId, authority, scope };
}

/** The address may come from anywhere, a variable for example: nothing goes there before a person says so. */
function notLoggedIn({ service, login, clientId }: Choice, { local }: Options): CliFailure {
  const client = clientId === undefined || local === true ? "" : ` --client-id ${checkClientId(clientId)}`;
  return new CliFailure(
    EXIT.signIn,
    "sign_in_required",
    `Nobody has logged in to ${service} here. Log in only if this is the URL that your administrator gave you.`,
    { run: `${login}${client}` },
  );
}

export function checkService(text: string | undefined): string {
  if (text === undefined) {
    throw settingsProblem("Which service?", { run: "gte login --service https://… --client-id …" });
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== "" ||
    !PLAIN_PATH.test(url.pathname)
  ) {
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
