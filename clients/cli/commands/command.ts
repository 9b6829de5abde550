/** The input of a command, and the functions that most commands share. */
import type { CommandLine, Options } from "../command-line.ts";
import type { ExitCode } from "../exit-codes.ts";
import { createServiceClient, type ServiceClient } from "../service-client.ts";
import { type Settings, savedSettings } from "../settings.ts";
import { createSignIn, type SignIn } from "../sign-in.ts";
import type { Terminal } from "../terminal.ts";

export interface CommandInput extends CommandLine {
  readonly terminal: Terminal;
}

export type Command = (input: CommandInput) => Promise<ExitCode>;

export interface Connection {
  readonly settings: Settings;
  readonly signIn: SignIn;
  readonly service: ServiceClient;
}

export function connect({ options, terminal }: CommandInput): Connection {
  const settings = savedSettings(options, terminal);
  const signIn = createSignIn(
    settings,
    { browser: options.browser === true, interactive: isInteractive(options, terminal) },
    terminal,
  );
  return { settings, signIn, service: createServiceClient(settings, signIn) };
}

/** Without `--sign-in` or `--browser`, a sign-in starts only at a terminal. */
function isInteractive(options: Options, { attended }: Terminal): boolean {
  return options["sign-in"] ?? (options.browser === true || attended);
}

export function print(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
