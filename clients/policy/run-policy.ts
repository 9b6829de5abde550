/** Runs one policy command and returns its exit code. Only this file writes usage errors. */
import { check } from "./check.ts";
import { diff } from "./diff.ts";
import { POLICY_EXIT, type PolicyExit } from "./exit-codes.ts";
import { explain } from "./explain.ts";
import { init } from "./init.ts";
import type { PolicyCommand, PolicyCommandInput } from "./policy-command.ts";
import { commandIn, FileProblem, type PolicyCommandName, readArguments, UsageError } from "./policy-command-line.ts";
import { policyHelp } from "./policy-help.ts";
import { testCases } from "./test-cases.ts";

const COMMANDS: Readonly<Record<PolicyCommandName, PolicyCommand>> = { check, init, diff, explain, test: testCases };

/** `program` is how the person started it, for messages that name a command. */
export function runPolicy(
  args: readonly string[],
  { terminal, program }: Pick<PolicyCommandInput, "terminal" | "program">,
): PolicyExit {
  try {
    const read = readArguments(args);
    if (read.kind === "command") return COMMANDS[read.command]({ ...read, terminal, program });
    terminal.out(policyHelp(program, read.about));
    return POLICY_EXIT.ok;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const about = commandIn(args);
    const help = about === undefined ? "--help" : `help ${about}`;
    terminal.note(error instanceof FileProblem ? error.message : `${error.message}\nRun: ${program} ${help}`);
    return POLICY_EXIT.usage;
  }
}
