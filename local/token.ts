/**
 * `npm run -s token -- alice [--caller web]` and `npm run -s token -- --app daemon` print a caller's token for the running
 * local stack. Standard output contains nothing else, so that a command can use it. Errors go to standard error with exit
 * code 1, or 2 for wrong arguments.
 */
import { parseArgs } from "node:util";
import { applicationToken, userToken } from "./caller/caller-token.ts";
import { readEnvironment } from "./caller/environment.ts";

const usage = "Usage: npm run -s token -- USER [--caller web]   or   npm run -s token -- --app CALLER";

function parseCommandLine(): { user: string | undefined; app: string | undefined; caller: string } | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { app: { type: "string" }, caller: { type: "string" } },
    });
    const [user, ...more] = positionals;
    const fits = more.length === 0 && (user === undefined) !== (values.app === undefined);
    return fits && !(values.app !== undefined && values.caller !== undefined)
      ? { user, app: values.app, caller: values.caller ?? "web" }
      : undefined;
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const request = parseCommandLine();
  if (request === undefined) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const environment = readEnvironment();
  if (environment === undefined) {
    throw new Error(
      "The local stack is not running (.local/environment.json does not exist). Start it with `npm start`.",
    );
  }
  const { user, app, caller } = request;
  const token =
    app === undefined ? await userToken(environment, user ?? "", caller) : await applicationToken(environment, app);
  process.stdout.write(`${token}\n`);
}

main().catch((error: unknown) => {
  const code = (error as NodeJS.ErrnoException).code;
  const refused = code === "ECONNREFUSED" ? "The local stack does not answer. Is `npm start` still running? " : "";
  console.error(refused + (error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
});
