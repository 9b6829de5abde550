/**
 * `npm run registration -- <policy>`: the ids of every API and permission in a policy, the parameters of
 * infra/entra/entra.bicep, and a report of missing and surplus consent.
 */
import { CliFailure, oneLine } from "./cli/cli-failure.ts";
import { EXIT, type ExitCode } from "./cli/exit-codes.ts";
import { processTerminal } from "./cli/terminal.ts";
import { USAGE } from "./registration/command-line.ts";
import { runRegistration } from "./registration/run-registration.ts";

async function main(args: readonly string[]): Promise<ExitCode> {
  const terminal = processTerminal();
  if (args.includes("--help")) {
    terminal.out(`${USAGE}\n`);
    return EXIT.ok;
  }
  try {
    return await runRegistration(args, terminal);
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    terminal.note(oneLine(error.message));
    if (error.code === "usage") terminal.note(USAGE);
    return error.exitCode;
  }
}

process.exitCode = await main(process.argv.slice(2));
