/** The command line, taken apart: which command, its words, its options. No I/O. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { usage } from "./cli-failure.ts";

export const COMMANDS = ["login", "header", "token", "call", "grants", "whoami", "logout"] as const;
export type CommandName = (typeof COMMANDS)[number];

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  service: { type: "string" },
  tenant: { type: "string" },
  "client-id": { type: "string" },
  "ca-file": { type: "string" },
  home: { type: "string" },
  replace: { type: "boolean" },
  local: { type: "boolean" },
  browser: { type: "boolean" },
  "sign-in": { type: "boolean" },
  claims: { type: "string" },
  timeout: { type: "string" },
  scope: { type: "string", multiple: true },
  "force-refresh": { type: "boolean" },
  api: { type: "string" },
  request: { type: "string", short: "X" },
  data: { type: "string", short: "d" },
  header: { type: "string", short: "H", multiple: true },
} as const satisfies ParseArgsConfig["options"];

const EVERYWHERE = ["help", "json", "service", "tenant", "client-id", "ca-file", "home", "local", "timeout"];
const SIGNING_IN = ["browser", "sign-in"];
const ALLOWED: Readonly<Record<CommandName, readonly string[]>> = {
  login: ["browser", "claims", "replace"],
  header: [...SIGNING_IN, "claims", "scope", "force-refresh"],
  token: [...SIGNING_IN, "claims", "scope", "force-refresh"],
  call: [...SIGNING_IN, "api", "request", "data", "header"],
  grants: SIGNING_IN,
  whoami: SIGNING_IN,
  logout: [],
};

export type Options = ReturnType<typeof parse>["values"];

export interface CommandLine {
  readonly command: CommandName;
  readonly words: readonly string[];
  readonly options: Options;
}

export function readCommandLine(args: readonly string[]): CommandLine | "help" {
  const { values, positionals } = parseOrExplain(args);
  const [name, ...words] = positionals;
  if (values.help === true) return "help";
  if (name === undefined) throw usage("Which command?");
  const command = COMMANDS.find((one) => one === name);
  if (command === undefined) throw usage(`There is no command "${name}": ${COMMANDS.join(", ")}.`);
  const stray = Object.keys(values).find((option) => ![...EVERYWHERE, ...ALLOWED[command]].includes(option));
  if (stray !== undefined) throw usage(`"${command}" takes no --${stray}.`);
  return { command, words, options: values };
}

/** The commands; before them, what one types in place of `gte` where it was started otherwise. */
export function help(startedAs: string): string {
  return startedAs === "gte" ? HELP : `Below, gte stands for: ${startedAs}\n\n${HELP}`;
}

const HELP = `gte: Microsoft Graph (and other APIs) for scripts, without a secret

  gte login --service https://…   sign in: with a code on any device, or --browser on this one
  gte header <api>                the header object for the next request, as JSON
  gte token <api>                 the access token alone
  gte call <url>                  call the API (-X METHOD, -d DATA or -d @FILE, -H 'Name: value', --api NAME)
  gte grants list | revoke <id>   permissions kept for later
  gte whoami                      who the service takes you for
  gte logout                      forget the tokens on this machine (of one --service, or of all)

Options
  --service URL, --client-id ID, --tenant ID   or GTE_SERVICE, GTE_CLIENT_ID, GTE_TENANT; kept by login
                    (other commands: only a service that login has been run for)
  --replace         the service has moved here: forget the one that was saved for the same API (login)
  --local           the local stack of this repository (npm start)
  --json            results and errors as JSON
  --sign-in         sign in when needed, even without a terminal (--no-sign-in: never, exit code 3)
  --browser         sign in with this machine's browser instead of a code
  --claims CLAIMS   a claims challenge to meet, JSON or base64 (login, header, token)
  --scope SCOPE     only these scopes (header, token); repeatable
  --force-refresh   do not answer from the service's cache (header, token)
  --timeout SECONDS for one request; 30
  --ca-file FILE    certificates to trust in addition (GTE_CA_FILE)
  --home FOLDER     where settings and tokens are kept (GTE_HOME)

Exit codes: 0 done, 1 bug, 2 wrong usage or settings, 3 sign in (the message says how), 4 refused, 5 try again later
`;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, allowNegative: true, strict: true });
}

function parseOrExplain(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}
