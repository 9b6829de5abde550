/** `npm run policy -- <command>`: tools for the policy. `npm run policy -- --help` lists them. */
import { processTerminal } from "./cli/terminal.ts";
import { runPolicy } from "./policy/run-policy.ts";

process.exitCode = runPolicy(process.argv.slice(2), { terminal: processTerminal(), program: "npm run policy --" });
