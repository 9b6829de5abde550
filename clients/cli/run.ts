/** Runs one command and returns its exit code. Only this file writes failures. */

import { CliFailure, oneLine } from "./cli-failure.ts";
import { type CommandLine, type CommandName, readCommandLine } from "./command-line.ts";
import { admin } from "./commands/admin.ts";
import { call } from "./commands/call.ts";
import type { Command } from "./commands/command.ts";
import { grants } from "./commands/grants.ts";
import { header, token } from "./commands/header.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { whoami } from "./commands/whoami.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { help } from "./help.ts";
import { asTyped, startedAs } from "./started-as.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

const COMMANDS: Readonly<Record<CommandName, Command>> = { login, header, token, call, grants, admin, whoami, logout };

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const line = readCommandLine(args);
    if (line.kind === "command") return await runCommand(line, terminal);
    if (line.kind === "policy") return await runPolicyTools(line.args, terminal);
    terminal.out(line.kind === "help" ? help(startedAs(terminal.env), line.about) : `gte ${VERSION}\n`);
    return EXIT.ok;
  } catch (error) {
    return writeFailure(error, args, terminal);
  }
}

function runCommand(line: CommandLine, terminal: Terminal): Promise<ExitCode> {
  return COMMANDS[line.command]({ ...line, terminal });
}

/** Loaded only here: the other commands need neither the rules of the policy nor its parser. */
async function runPolicyTools(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { runPolicy } = await import("../policy/run-policy.ts");
  return runPolicy(args, { terminal, program: `${startedAs(terminal.env)} policy` });
}

/** The message of an unexpected error comes from this program or from Node. It is shown without its stack. */
function writeFailure(error: unknown, args: readonly string[], terminal: Terminal): ExitCode {
  const failure =
    error instanceof CliFailure
      ? error
      : new CliFailure(EXIT.internal, "internal", error instanceof Error ? error.message : String(error));
  const message = oneLine(failure.message);
  const { code, correlationId, exitCode } = failure;
  const command = failure.run === undefined ? undefined : asTyped(withLocal(failure.run, args), terminal.env);
  if (args.includes("--json")) {
    terminal.note(JSON.stringify({ error: code, message, run: command, correlationId, exitCode }));
    return exitCode;
  }
  terminal.note(`gte: ${message}`);
  if (command !== undefined) terminal.note(`     Run: ${command}`);
  if (correlationId !== undefined) terminal.note(`     Correlation id: ${correlationId}`);
  return exitCode;
}

/** Without `--local`, the suggested command would use another service and other tokens. */
function withLocal(run: string, args: readonly string[]): string {
  const applies = args.includes("--local") && !/ --(?:local|help)\b/.test(run);
  return applies ? run.replace(/^gte \w+( (?:list|revoke)\b)?/, (command) => `${command} --local`) : run;
}
