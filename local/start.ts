/**
 * `npm start`: the whole service on this machine, without Azure, Docker or Core Tools. Starts the stack, makes and
 * prints the first exchange, writes `.local/environment.json`, and stays up until SIGTERM or SIGINT: then host,
 * Azurite and tenant stop in this order, environment.json goes, exit code 0. If a child ends by itself it says so and
 * ends with exit code 1.
 *
 * PORT (7071) and LOCAL_TENANT_PORT (7443) choose the ports; 0 takes any free one. LOCAL_FOLDER puts `.local`
 * elsewhere, for a second stack beside the first.
 */
import { localFolder, removeEnvironment, writeEnvironment } from "./caller/environment.ts";
import { makeFirstExchange } from "./caller/first-exchange.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import { describeCommands, describeExchange, describeRunning } from "./stack/summary.ts";

async function main(): Promise<number> {
  const stopAsked = Promise.race([firstSignal(), npmIsGone()]);
  const servicePort = portFrom("PORT", 7071);
  const tenantPort = portFrom("LOCAL_TENANT_PORT", 7443);
  const printer = createLinePrinter();
  const stack = await startStack({
    servicePort,
    tenantPort,
    folder: localFolder,
    onServiceLine: printer.print,
  }).catch((error: unknown) => {
    throw explainTakenPort(error, { PORT: servicePort, LOCAL_TENANT_PORT: tenantPort });
  });
  try {
    await introduce(stack);
    printer.silent = false;
    const why = await Promise.race([stopAsked, stack.broken]);
    if (why !== undefined) {
      console.error(why);
    }
    return why === undefined ? 0 : 1;
  } finally {
    removeEnvironment();
    await stack.stop();
  }
}

// ---------------------------------------------------------------------------------------------------------------

const impatientAfterMs = 1_000;

async function introduce(stack: Stack): Promise<void> {
  writeEnvironment(stack.environment);
  const exchange = await makeFirstExchange(stack.environment);
  console.log(["", describeRunning(stack), "", describeExchange(exchange), "", describeCommands(stack), ""].join("\n"));
}

/**
 * Resolves at the first signal. Ctrl+C under npm comes twice (from the terminal and from npm), so only one that comes
 * later than that means "end at once, whatever is still stopping".
 */
function firstSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let askedAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (askedAt !== undefined && performance.now() - askedAt > impatientAfterMs) {
        process.exit(1);
      }
      askedAt ??= performance.now();
      resolve(undefined);
    });
  }
  return promise;
}

const lookForNpmMs = 500;

/** npm passes a signal on to its shell, and the shell to nobody: whoever stopped npm meant the stack. */
function npmIsGone(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const parent = process.ppid;
  if (process.env["npm_lifecycle_event"] !== undefined && process.platform !== "win32") {
    const timer = setInterval(() => {
      if (process.ppid !== parent) {
        clearInterval(timer);
        resolve(undefined);
      }
    }, lookForNpmMs);
    timer.unref();
  }
  return promise;
}

function portFrom(name: string, fallback: number): number {
  const text = process.env[name] || String(fallback);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${name} is not a port number: "${text}".`);
  return port;
}

/** Whose port it was, from the error of whichever part met it. */
function explainTakenPort(error: unknown, ports: Readonly<Record<string, number>>): unknown {
  const message = error instanceof Error ? error.message : String(error);
  const taken = Object.entries(ports).find(([, port]) => new RegExp(`EADDRINUSE.*:${port}\\b`).test(message));
  return taken === undefined
    ? error
    : new Error(`Port ${taken[1]} is taken: is the local stack already running? Set ${taken[0]} to another port.`);
}

/**
 * The host's JSON lines made readable: what went wrong, and what the app itself says; the host's own running notes
 * are left out. Silent until the introduction is through (a start that fails shows the last lines anyway).
 */
function createLinePrinter() {
  const printer = {
    silent: true,
    print: (line: string) => {
      const text = readable(line);
      if (!printer.silent && text !== undefined) {
        console.log(text);
      }
    },
  };
  return printer;
}

function readable(line: string): string | undefined {
  try {
    const { time, level, category, message } = JSON.parse(line) as Record<string, string>;
    const notable = level !== "Information" || category?.endsWith(".User");
    return notable ? `${time?.slice(11, 19)} ${level} ${category}: ${message}` : undefined;
  } catch {
    return line;
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
