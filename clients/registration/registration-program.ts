/** The program around `runRegistration`: its help, and its failures as text and exit code. */
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import type { Terminal } from "../cli/terminal.ts";
import { reportFailure } from "../cli/tool-failure.ts";
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
    return reportFailure(error, terminal, usage(program));
  }
}
