/** The help texts of the policy commands. No I/O. */
import { POLICY_COMMAND_OPTIONS, type PolicyCommandName, type PolicyOptionName } from "./policy-command-line.ts";
import { PRESETS } from "./presets.ts";

interface CommandHelp {
  readonly usage: string;
  readonly text: string;
  /** Without the name of the program. */
  readonly examples: readonly string[];
}

/** Exported so that a test can run the examples. */
export const POLICY_HELP: Readonly<Record<PolicyCommandName, CommandHelp>> = {
  check: {
    usage: "check <file>",
    text: `Finds what the file alone shows to be wrong, with line and column, and prints what each caller may do. An
error is something that cannot work: the service does not start, or a caller is refused on every call.
\`npm run registration -- <file>\` checks the names of permissions.`,
    examples: ["check policy.json", "check policy.json --strict", "check policy.json --json"],
  },
  init: {
    usage: "init <file>",
    text: "Writes a starting policy. It asks nothing and never replaces a file.",
    examples: ["init policy.json", "init policy.json --preset web --preset unattended"],
  },
  diff: {
    usage: "diff <old> <new>",
    text: "Says which callers gain and lose something if the new policy replaces the old one.",
    examples: ["diff old.json policy.json", "diff old.json policy.json --markdown --fail-on-gain"],
  },
  explain: {
    usage: "explain <file> --caller NAME --flow FLOW",
    text: `Answers what one request of a caller gets, as POST /policy/explain of a running service does. It reads only the file.`,
    examples: [
      "explain policy.json --caller scripts --flow on-behalf-of --api graph --scopes User.Read",
      "explain policy.json --caller nightly-flow --flow refresh-token --grant graph=User.Read",
      "explain policy.json --caller web-backend --subject web-users --flow on-behalf-of",
      "explain policy.json --caller assistant --flow on-behalf-of --path /v1.0/me/messages",
    ],
  },
  test: {
    usage: "test <file> <cases>",
    text: `Runs your own cases: what a request of a caller must get. The cases are JSON with the schema
docs/policy-cases.schema.json.`,
    examples: ["test policy.json cases.json", "test policy.json cases.json --json"],
  },
};

const PRESET_LIST = Object.entries(PRESETS)
  .map(([name, { about }]) => `${" ".repeat(28)}${name.padEnd(12)}${about}`)
  .join("\n");

const OPTION_TEXT: Readonly<Record<PolicyOptionName, readonly [form: string, text: string]>> = {
  help: ["--help, -h", "this text"],
  json: ["--json", "the result as JSON"],
  strict: ["--strict", "warnings are errors"],
  markdown: ["--markdown", "for a comment on a pull request"],
  "fail-on-gain": ["--fail-on-gain", "exit code 3 if a caller gains something"],
  preset: ["--preset NAME", `kind of caller; repeatable; default script\n${PRESET_LIST}`],
  caller: ["--caller NAME", "an entry, or user:CLIENT-ID or application:CLIENT-ID"],
  registration: [
    "--registration NAME",
    "the registration that the caller's token is for; default: the one of the entry",
  ],
  flow: ["--flow FLOW", "on-behalf-of, refresh-token, authorization-code or client-credentials"],
  api: ["--api NAME", "the API, as the policy names it"],
  scopes: ["--scopes 'A B'", "the requested scopes; not set: the whole list of the entry"],
  "offline-access": ["--offline-access", "the request asks for a grant"],
  subject: ["--subject NAME", "whose user's token an application exchanges: an entry or user:CLIENT-ID"],
  grant: ["--grant API=A,B", "refresh-token: an API of the grant and its scopes; repeatable"],
  import: ["--import", "refresh-token: a refresh token of Entra instead of a grant"],
  "redirect-uri": ["--redirect-uri URI", "authorization-code: the redirect URI of the request"],
  method: ["--method METHOD", "the relay: the method of the request to the API; default GET"],
  path: ["--path PATH", "the relay: the path of the request to the API, for example /v1.0/me/messages"],
};

const EXIT_CODES = `Exit codes: 0 success; 1 the policy has errors, the request is refused, or a case failed; 2 wrong command line or a file
            that cannot be read or written; 3 a caller gains something (diff --fail-on-gain)
`;

export function policyHelp(program: string, about: PolicyCommandName | undefined): string {
  return about === undefined ? allCommands(program) : helpAbout(program, about);
}

// ---------------------------------------------------------------------------------------------------------------

function allCommands(program: string): string {
  // The registrations need the checkout, and this one command asks the tenant.
  const inCheckout = program.startsWith("npm ")
    ? `  ${program} registration <file>   what it needs in Entra; reads the tenant, changes nothing
`
    : "";
  return `Tools for the policy of a Graph Token Exchange service. They read files and send no request${inCheckout === "" ? "" : ", except for registration"}.

  ${program} check <file>          what is wrong with a policy, and what it allows
  ${program} init <file>           write a starting policy
  ${program} diff <old> <new>      who gains and who loses by a change
  ${program} explain <file> …      what one request of a caller gets
  ${program} test <file> <cases>   run your own cases
${inCheckout}  ${program} help <command>        the options of a command, with examples

${EXIT_CODES}`;
}

function helpAbout(program: string, command: PolicyCommandName): string {
  const { usage, text, examples } = POLICY_HELP[command];
  const options = ([...POLICY_COMMAND_OPTIONS[command], "help"] as const).map((name) => OPTION_TEXT[name]);
  const lines = options.map(([form, meaning]) => `  ${form.padEnd(26)}${meaning}`);
  return `${program} ${usage}

${text}

Options
${lines.join("\n")}

Examples
${examples.map((example) => `  ${program} ${example}`).join("\n")}

${EXIT_CODES}`;
}
