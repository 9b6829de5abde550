/** The help texts: one of all commands, and one of each command with its options and examples. No I/O. */
import { COMMAND_OPTIONS, COMMON_OPTIONS, type CommandName, type OptionName } from "./command-line.ts";

/** The text says what to type instead of `gte` if this program was started with another command. */
export function help(startedAs: string, about: CommandName | undefined): string {
  const text = about === undefined ? ALL_COMMANDS : helpAbout(about);
  return startedAs === "gte" ? text : `In this text, gte stands for: ${startedAs}\n\n${text}`;
}

const ALL_COMMANDS = `gte: Microsoft Graph (and other APIs) for scripts, without a secret

  gte login --service https://…   sign in with a code on any device, or with --browser on this one
  gte header <api>                the headers for a request to the API, as a JSON object
  gte token <api>                 only the access token
  gte call <url>                  call the API (-X METHOD, -d DATA or -d @FILE, -H 'Name: value', --api NAME)
  gte grants list | revoke <id>   list your grants, or revoke one
  gte admin grants | revoke       list or revoke the grants of others (app role Grant.Admin)
  gte whoami                      show the identity that the service reads from your token
  gte logout                      delete the tokens on this machine (for one --service, or for all)
  gte policy <command>            tools for administrators: check, init, diff, explain and test a policy
  gte help <command>              the options of a command, with examples
  gte --version                   the version of gte

Options
  --service URL, --client-id ID, --tenant ID   or GTE_SERVICE, GTE_CLIENT_ID, GTE_TENANT; login saves them
                    (the other commands use only services that you logged in to)
  --local           use the local stack of this repository (npm start)
  --json            results and errors as JSON
  --sign-in         sign in when it is required, even without a terminal (--no-sign-in: exit with code 3 instead)
  --timeout SECONDS timeout of one request (default 30)
  --ca-file FILE    additional trusted certificates (GTE_CA_FILE)
  --home FOLDER     folder for settings and tokens (GTE_HOME)

Behind a proxy, set HTTPS_PROXY (http://proxy.example.com:8080) and NO_PROXY (names that need no proxy).

Exit codes: 0 success, 1 bug or a file that cannot be written, 2 wrong usage or settings, 3 sign-in required (the
            message says how), 4 refused, 5 temporary failure: try again later
`;

interface CommandHelp {
  readonly usage: string;
  readonly text: string;
  readonly examples: readonly string[];
}

/** Exported so that a test can parse the examples. */
export const COMMAND_HELP: Readonly<Record<CommandName, CommandHelp>> = {
  login: {
    usage: "gte login --service https://… --client-id …",
    text: "Signs you in for a service, and saves its settings and your tokens on this machine.",
    examples: [
      "gte login --service https://gte.example.com --client-id 11111111-2222-3333-4444-555555555555",
      "gte login --browser",
      "gte login --local",
    ],
  },
  header: {
    usage: "gte header <api>",
    text: `Prints the headers for a request to the API as a JSON object. With --json, the object has the members headers,
expiresOn (when the headers end) and scopes.`,
    examples: ["gte header graph", "gte header graph --json", "gte header graph --scope User.Read --scope Mail.Read"],
  },
  token: {
    usage: "gte token <api>",
    text: "Prints only the access token. With --json, it prints the token, its expiry and its scopes.",
    examples: ["gte token graph", "gte token graph --json"],
  },
  call: {
    usage: "gte call <url>",
    text: "Calls the URL with the headers for its API, and prints the body of the answer.",
    examples: [
      "gte call https://graph.microsoft.com/v1.0/me",
      "gte call https://graph.microsoft.com/v1.0/me/sendMail -d @mail.json",
      "gte call https://graph.microsoft.com/v1.0/me/sendMail -d @- < mail.json",
      "gte call https://orders.example.com/v1/orders --api orders -X DELETE -H 'If-Match: *'",
    ],
  },
  grants: {
    usage: "gte grants list | revoke <id>",
    text: "Lists the grants with which applications act on your behalf, or revokes one by its id or handle.",
    examples: ["gte grants list", `gte grants revoke ${"0".repeat(64)}`],
  },
  admin: {
    usage: "gte admin grants | revoke",
    text: `Lists the grants of a person, caller, policy entry or API, or revokes them with their cached tokens. A revocation is
counted first and needs a confirmation. Your account needs the app role Grant.Admin.`,
    examples: [
      "gte admin grants --caller 11111111-2222-3333-4444-555555555555",
      "gte admin revoke --person 11111111-2222-3333-4444-555555555555 --reason 'left the company' --dry-run",
      "gte admin revoke --everything --reason 'key leaked' --yes",
    ],
  },
  whoami: {
    usage: "gte whoami",
    text: "Prints the identity that the service reads from your token.",
    examples: ["gte whoami", "gte whoami --json"],
  },
  logout: {
    usage: "gte logout",
    text: "Deletes the tokens on this machine, for one --service or for all. Your grants remain.",
    examples: ["gte logout", "gte logout --service https://gte.example.com"],
  },
};

const OPTION_TEXT: Readonly<Record<OptionName, readonly [form: string, text: string]>> = {
  help: ["--help, -h", "this text"],
  version: ["--version", "the version of gte"],
  json: ["--json", "results and errors as JSON"],
  service: ["--service URL", "the service (GTE_SERVICE); default: the one of the last login"],
  tenant: ["--tenant ID", "the tenant that the service must use (GTE_TENANT)"],
  "client-id": ["--client-id ID", "the client id of gte's registration (GTE_CLIENT_ID); login saves it"],
  "ca-file": ["--ca-file FILE", "additional trusted certificates (GTE_CA_FILE)"],
  home: ["--home FOLDER", "folder for settings and tokens (GTE_HOME)"],
  replace: ["--replace", "the service has moved: delete the service that was saved for the same API"],
  local: ["--local", "use the local stack of this repository (npm start)"],
  browser: ["--browser", "sign in with this machine's browser instead of a code"],
  "sign-in": ["--sign-in", "sign in when it is required, even without a terminal (--no-sign-in: exit with code 3)"],
  claims: ["--claims CLAIMS", "the claims of a claims challenge, as JSON or base64"],
  timeout: ["--timeout SECONDS", "timeout of one request (default 30)"],
  scope: ["--scope SCOPE", "request only this scope; repeatable. login: the scope of the service, if it has several"],
  "force-refresh": ["--force-refresh", "bypass the service's token cache"],
  api: ["--api NAME", "the API (of the URL), as the service names it"],
  request: ["--request, -X METHOD", "the method; default GET, or POST with data"],
  data: ["--data, -d DATA", "the body; @FILE reads a file, @- reads standard input"],
  header: ["--header, -H 'NAME: VALUE'", "an additional header; repeatable"],
  person: ["--person ID", "the grants of this person (object id)"],
  caller: ["--caller ID", "the grants of this client (client id)"],
  entry: ["--entry NAME", "the grants of this policy entry"],
  grant: ["--grant ID", "this grant, by its id or handle; a handle is not sent"],
  everything: ["--everything", "every grant"],
  reason: ["--reason TEXT", "why, for the list of revocations"],
  "dry-run": ["--dry-run", "only count the grants"],
  yes: ["--yes", "do not ask for a confirmation"],
};

function helpAbout(command: CommandName): string {
  const { usage, text, examples } = COMMAND_HELP[command];
  const options = [...COMMAND_OPTIONS[command], ...COMMON_OPTIONS].map((name) => OPTION_TEXT[name]);
  const lines = options.map(([form, meaning]) => `  ${form.padEnd(28)}${meaning}`);
  return `${usage}\n\n${text}\n\nOptions\n${lines.join("\n")}\n\nExamples\n  ${examples.join("\n  ")}\n`;
}
