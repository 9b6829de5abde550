#!/usr/bin/env node
/**
 * `gte`: Graph Token Exchange from a terminal or a script. Signs a person in at Entra as a public client (no secret
 * anywhere) and asks the service for headers and tokens. `gte --help` lists the commands.
 */
import { EXIT } from "./exit-codes.ts";
import { nodeProblem } from "./node-version.ts";
import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";

// `gte call … | head` closes the pipe: not a failure.
process.stdout.on("error", () => process.exit(0));

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(`gte: ${problem}\n`);
  process.exit(EXIT.usage);
}

const code = await run(process.argv.slice(2), processTerminal());

// A sign-in that was given up may leave a listener behind; what was written goes out first.
process.stdout.write("", () => process.exit(code));
