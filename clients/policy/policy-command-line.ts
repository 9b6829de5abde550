/** Parses the arguments of the policy commands. No I/O. */
import { type ParseArgsConfig, parseArgs } from "node:util";

export const POLICY_COMMANDS = ["check", "init", "diff", "explain", "test"] as const;
export type PolicyCommandName = (typeof POLICY_COMMANDS)[number];

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  strict: { type: "boolean" },
  markdown: { type: "boolean" },
  "fail-on-gain": { type: "boolean" },
  preset: { type: "string", multiple: true },
  caller: { type: "string" },
  registration: { type: "string" },
  flow: { type: "string" },
  api: { type: "string" },
  scopes: { type: "string" },
  "offline-access": { type: "boolean" },
  subject: { type: "string" },
  grant: { type: "string", multiple: true },
  import: { type: "boolean" },
  "redirect-uri": { type: "string" },
  method: { type: "string" },
  path: { type: "string" },
} as const satisfies ParseArgsConfig["options"];

export type PolicyOptionName = keyof typeof OPTIONS;
export type PolicyOptions = ReturnType<typeof parse>["values"];

export const POLICY_COMMAND_OPTIONS: Readonly<Record<PolicyCommandName, readonly PolicyOptionName[]>> = {
  check: ["strict", "json"],
  init: ["preset"],
  diff: ["json", "markdown", "fail-on-gain"],
  explain: [
    "caller",
    "registration",
    "flow",
    "api",
    "scopes",
    "offline-access",
    "subject",
    "grant",
    "import",
    "redirect-uri",
    "method",
    "path",
    "json",
  ],
  test: ["json"],
};

/** A wrong command line, or a file that cannot be used: the person corrects the command. */
export class UsageError extends Error {}

/** A file that cannot be used. No help text says more than the message. */
export class FileProblem extends UsageError {}

export type ParsedArguments =
  | {
      readonly kind: "command";
      readonly command: PolicyCommandName;
      readonly operands: readonly string[];
      readonly options: PolicyOptions;
    }
  | { readonly kind: "help"; readonly about: PolicyCommandName | undefined };

export function readArguments(args: readonly string[]): ParsedArguments {
  const { values, positionals } = parseOrExplain(args);
  const [name, ...operands] = positionals;
  if (name === undefined) {
    if (values.help === true) return { kind: "help", about: undefined };
    throw new UsageError(`no command was given; the commands are ${POLICY_COMMANDS.join(", ")}`);
  }
  if (name === "help") return { kind: "help", about: operands[0] === undefined ? undefined : readName(operands[0]) };
  const command = readName(name);
  if (values.help === true) return { kind: "help", about: command };
  const allowed: readonly string[] = POLICY_COMMAND_OPTIONS[command];
  const unsupported = Object.keys(values).find((option) => !allowed.includes(option));
  if (unsupported !== undefined) throw noOption(command, `--${unsupported}`);
  return { kind: "command", command, operands, options: values };
}

/** Exactly the operands of these names. */
export function requireOperands<const T extends readonly string[]>(
  command: PolicyCommandName,
  operands: readonly string[],
  names: T,
): { [K in keyof T]: string } {
  if (operands.length !== names.length) {
    throw new UsageError(`${command} takes ${names.map((name) => `<${name}>`).join(" ")}`);
  }
  return operands as { [K in keyof T]: string };
}

// ---------------------------------------------------------------------------------------------------------------

function readName(name: string): PolicyCommandName {
  const command = POLICY_COMMANDS.find((one) => one === name);
  if (command === undefined) {
    throw new UsageError(`"${name}" is not a command; the commands are ${POLICY_COMMANDS.join(", ")}`);
  }
  return command;
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
}

function parseOrExplain(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    const { message } = error as Error;
    const [, option] = /^Unknown option '(-[^']*)'/.exec(message) ?? [];
    throw option === undefined ? new UsageError(message) : noOption(commandIn(args), option);
  }
}

/** The command of a command line that cannot be parsed. */
export function commandIn(args: readonly string[]): PolicyCommandName | undefined {
  const first = args.find((argument) => !argument.startsWith("-"));
  return POLICY_COMMANDS.find((name) => name === first);
}

function noOption(command: PolicyCommandName | undefined, option: string): UsageError {
  if (command === undefined) return new UsageError(`no command has the option ${option}`);
  const options = POLICY_COMMAND_OPTIONS[command].map((name) => `--${name}`).join(", ");
  return new UsageError(`${command} has no option ${option}; its options are ${options}`);
}
