/** Parses the command line into a command, its operands and its options. No I/O. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { usageFailure } from "./cli-failure.ts";

const COMMANDS = ["login", "header", "token", "call", "grants", "whoami", "logout"] as const;
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

const COMMON_OPTIONS = ["help", "json", "service", "tenant", "client-id", "ca-file", "home", "local", "timeout"];
const SIGN_IN_OPTIONS = ["browser", "sign-in"];
const COMMAND_OPTIONS: Readonly<Record<CommandName, readonly string[]>> = {
  login: ["browser", "claims", "replace"],
  header: [...SIGN_IN_OPTIONS, "claims", "scope", "force-refresh"],
  token: [...SIGN_IN_OPTIONS, "claims", "scope", "force-refresh"],
  call: [...SIGN_IN_OPTIONS, "api", "request", "data", "header"],
  grants: SIGN_IN_OPTIONS,
  whoami: SIGN_IN_OPTIONS,
  logout: [],
};

export type Options = ReturnType<typeof parse>["values"];

export interface CommandLine {
  readonly command: CommandName;
  readonly operands: readonly string[];
  readonly options: Options;
}

export function readCommandLine(args: readonly string[]): CommandLine | "help" {
  const { values, positionals } = parseOrExplain(args);
  const [name, ...operands] = positionals;
  if (values.help === true) return "help";
  if (name === undefined) throw usageFailure(`No command was given. The commands are ${COMMANDS.join(", ")}.`);
  const command = COMMANDS.find((one) => one === name);
  if (command === undefined) throw usageFailure(`"${name}" is not a command. The commands are ${COMMANDS.join(", ")}.`);
  const allowed = [...COMMON_OPTIONS, ...COMMAND_OPTIONS[command]];
  const unsupported = Object.keys(values).find((option) => !allowed.includes(option));
  if (unsupported !== undefined) throw usageFailure(`"${command}" does not support --${unsupported}.`);
  return { command, operands, options: values };
}

/** The help text. It says what to type instead of `gte` if this program was started with another command. */
export function help(startedAs: string): string {
  return startedAs === "gte" ? HELP : `In this text, gte stands for: ${startedAs}\n\n${HELP}`;
}

const HELP = `gte: Microsoft Graph (and other APIs) for scripts, without a secret

  gte login --service https://…   sign in with a code on any device, or with --browser on this one
  gte header <api>                the headers for a request to the API, as a JSON object
  gte token <api>                 only the access token
  gte call <url>                  call the API (-X METHOD, -d DATA or -d @FILE, -H 'Name: value', --api NAME)
  gte grants list | revoke <id>   list your grants, or revoke one
  gte whoami                      show the identity that the service reads from your token
  gte logout                      delete the tokens on this machine (for one --service, or for all)

Options
  --service URL, --client-id ID, --tenant ID   or GTE_SERVICE, GTE_CLIENT_ID, GTE_TENANT; login saves them
                    (the other commands use only services that you logged in to)
  --replace         the service has moved: delete the service that was saved for the same API (login)
  --local           use the local stack of this repository (npm start)
  --json            results and errors as JSON
  --sign-in         sign in when it is required, even without a terminal (--no-sign-in: exit with code 3 instead)
  --browser         sign in with this machine's browser instead of a code
  --claims CLAIMS   the claims of a claims challenge, as JSON or base64 (login, header, token)
  --scope SCOPE     request only this scope (header, token); repeatable
  --force-refresh   bypass the service's token cache (header, token)
  --timeout SECONDS timeout of one request (default 30)
  --ca-file FILE    additional trusted certificates (GTE_CA_FILE)
  --home FOLDER     folder for settings and tokens (GTE_HOME)

Exit codes: 0 success, 1 bug, 2 wrong usage or settings, 3 sign-in required (the message says how), 4 refused,
            5 temporary failure: try again later
`;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, allowNegative: true, strict: true });
}

function parseOrExplain(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw usageFailure(error instanceof Error ? error.message : String(error));
  }
}
