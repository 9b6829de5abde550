/** The program around `runRegistration`: its help, and its failures as text and exit code. */
import { CliFailure, oneLine } from "../cli/cli-failure.ts";
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import type { Terminal } from "../cli/terminal.ts";
import { usage } from "./command-line.ts";
import { runRegistration } from "./run-registration.ts";

/** `program` is how the person started it. */
export async function registrationProgram(
  args: readonly string[],
  { terminal, program }: { readonly terminal: Terminal; readonly program: string },
): Promise<ExitCode> {
  if (args.includes("--help") || args.includes("-h")) {
    terminal.out(`${usage(program)}\n`);
    return EXIT.ok;
  }
  try {
    return await runRegistration(args, terminal);
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    terminal.note(oneLine(error.message));
    if (error.code === "usage") terminal.note(usage(program));
    return error.exitCode;
  }
}
