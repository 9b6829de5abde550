/** Parses the command line into a command, its operands and its options. No I/O. */
import type { ParseArgsConfig } from "node:util";
import { usageFailure } from "./cli-failure.ts";
import { parseOptions } from "./parse-options.ts";

export const COMMANDS = ["login", "header", "token", "call", "grants", "admin", "whoami", "logout"] as const;
export type CommandName = (typeof COMMANDS)[number];

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
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
  person: { type: "string" },
  caller: { type: "string" },
  entry: { type: "string" },
  grant: { type: "string" },
  everything: { type: "boolean" },
  reason: { type: "string" },
  "dry-run": { type: "boolean" },
  yes: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

export type OptionName = keyof typeof OPTIONS;

export const COMMON_OPTIONS: readonly OptionName[] = [
  "service",
  "local",
  "json",
  "client-id",
  "tenant",
  "timeout",
  "ca-file",
  "home",
  "help",
];
const SIGN_IN_OPTIONS: readonly OptionName[] = ["sign-in", "browser"];
export const COMMAND_OPTIONS: Readonly<Record<CommandName, readonly OptionName[]>> = {
  login: ["browser", "claims", "replace", "scope"],
  header: [...SIGN_IN_OPTIONS, "claims", "scope", "force-refresh"],
  token: [...SIGN_IN_OPTIONS, "claims", "scope", "force-refresh"],
  call: [...SIGN_IN_OPTIONS, "request", "data", "header", "api"],
  grants: SIGN_IN_OPTIONS,
  admin: [
    ...(["person", "caller", "entry", "api", "grant", "everything", "reason", "dry-run", "yes"] as const),
    ...SIGN_IN_OPTIONS,
  ],
  whoami: SIGN_IN_OPTIONS,
  logout: [],
};

export type Options = ReturnType<typeof parse>["values"];

export interface CommandLine {
  readonly kind: "command";
  readonly command: CommandName;
  readonly operands: readonly string[];
  readonly options: Options;
}

export type Parsed =
  | CommandLine
  | { readonly kind: "version" }
  /** `clients/policy/` parses these arguments. */
  | { readonly kind: "policy"; readonly args: readonly string[] }
  /** Help about one command, or about all of them. */
  | { readonly kind: "help"; readonly about: CommandName | undefined };

/** The commands in messages. The last one has commands and options of its own. */
const ALL_COMMANDS = [...COMMANDS, "policy"].join(", ");

export function readCommandLine(args: readonly string[]): Parsed {
  const [first, ...others] = args;
  if (first === "policy") return { kind: "policy", args: others };
  if (first === "help" && others[0] === "policy") return { kind: "policy", args: ["help", ...others.slice(1)] };
  const { values, positionals } = parse(args);
  const [name, ...operands] = positionals;
  if (name === "help") return { kind: "help", about: operands[0] === undefined ? undefined : readCommand(operands[0]) };
  if (values.help === true) return { kind: "help", about: name === undefined ? undefined : readCommand(name) };
  if (values.version === true) return { kind: "version" };
  if (name === undefined) throw usageFailure(`No command was given. The commands are ${ALL_COMMANDS}.`);
  const command = readCommand(name);
  const allowed: readonly string[] = [...COMMON_OPTIONS, ...COMMAND_OPTIONS[command]];
  const unsupported = Object.keys(values).find((option) => !allowed.includes(option));
  if (unsupported !== undefined) {
    throw usageFailure(`"${command}" does not support --${unsupported}.`, `gte ${command} --help`);
  }
  return { kind: "command", command, operands, options: values };
}

function readCommand(name: string): CommandName {
  const command = COMMANDS.find((one) => one === name);
  if (command === undefined) throw usageFailure(`"${name}" is not a command. The commands are ${ALL_COMMANDS}.`);
  return command;
}

function parse(args: readonly string[]) {
  return parseOptions({ args: [...args], options: OPTIONS, allowPositionals: true, allowNegative: true, strict: true });
}
