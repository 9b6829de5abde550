/** `npm run deploy -- <tenant.bicepparam>`: deploys the service for one tenant, from the identity to `/ready`. */
import { processTerminal } from "./cli/terminal.ts";
import { deployProgram } from "./deploy/deploy-program.ts";
import { processWorld } from "./deploy/world.ts";

process.exitCode = await deployProgram(process.argv.slice(2), processWorld(processTerminal()));
