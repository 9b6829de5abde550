#!/usr/bin/env node
/**
 * `gte`: Graph Token Exchange from a terminal or a script. Signs a person in at Entra as a public client (without a
 * client secret) and requests headers and tokens from the service. `gte --help` lists the commands.
 */
import { EXIT } from "./exit-codes.ts";
import { nodeProblem } from "./node-version.ts";
import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";

// `gte call … | head` closes the pipe. That is not a failure.
process.stdout.on("error", () => process.exit(0));

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`gte: ${problem}\n`);
  process.exit(EXIT.usage);
}

const code = await run(process.argv.slice(2), processTerminal());

// An abandoned sign-in may leave a listener open, so exit explicitly, after the output is written.
process.stdout.write("", () => process.exit(code));
