/**
 * `npm run registration -- <policy>`: the ids of every API and permission in a policy, the parameters of
 * infra/entra/entra.bicep, and a report of missing and surplus consent.
 */
import { processTerminal } from "./cli/terminal.ts";
import { registrationProgram } from "./registration/registration-program.ts";

process.exitCode = await registrationProgram(process.argv.slice(2), {
  terminal: processTerminal(),
  program: "npm run registration --",
});
