/** `npm run policy -- <command>`: tools for the policy. `npm run policy -- --help` lists them. */
import { processTerminal } from "./cli/terminal.ts";
import { runPolicy } from "./policy/run-policy.ts";

const PROGRAM = "npm run policy --";

async function main(args: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  const [first, ...rest] = args[0] === "help" && args[1] === "registration" ? ["registration", "--help"] : args;
  if (first !== "registration") return runPolicy(args, { terminal, program: PROGRAM });
  // Only here and not in `gte policy`: it reads the templates and the list of Graph's permissions in the checkout.
  const { registrationProgram } = await import("./registration/registration-program.ts");
  return registrationProgram(rest, { terminal, program: `${PROGRAM} registration` });
}

process.exitCode = await main(process.argv.slice(2));
