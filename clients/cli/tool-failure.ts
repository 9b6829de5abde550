/** The failure of a tool of the repository, as text and exit code. */
import { CliFailure, oneLine } from "./cli-failure.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** Throws what is no failure of a command. `usage` follows the message if the command line is wrong. */
export function reportFailure(error: unknown, terminal: Terminal, usage: string): ExitCode {
  if (!(error instanceof CliFailure)) throw error;
  terminal.note(oneLine(error.message));
  if (error.code === "usage") terminal.note(usage);
  return error.exitCode;
}
