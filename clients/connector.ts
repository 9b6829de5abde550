/** `npm run connector -- <command> <folder>`: files of a Power Platform connector, and a check of an exported one. */
import { processTerminal } from "./cli/terminal.ts";
import { connectorProgram } from "./connector/run-connector.ts";

process.exitCode = connectorProgram(process.argv.slice(2), {
  terminal: processTerminal(),
  program: "npm run connector --",
  nowMs: () => Date.now(),
});
