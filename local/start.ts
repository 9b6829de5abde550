/**
 * `npm start`: runs the whole service on this machine, without Azure, Docker or Core Tools. It starts the stack, makes and
 * prints the first exchange, writes `.local/environment.json`, and runs until SIGTERM or SIGINT. Then it stops the host,
 * Azurite and the tenant in this order, deletes environment.json and exits with code 0. If a child process ends
 * unexpectedly, it prints the reason and exits with code 1.
 *
 * PORT (7071) and LOCAL_TENANT_PORT (7443) set the ports; 0 takes any free port. LOCAL_POLICY is a file with the policy
 * to use instead of the local one. LOCAL_FOLDER moves `.local`, so that two stacks can run at the same time. A second
 * start with the same folder fails and changes no file.
 */
import { readFileSync } from "node:fs";
import { localFolder, readEnvironment, removeEnvironment, writeEnvironment } from "./caller/environment.ts";
import { makeFirstExchange, makeRelayedRequest } from "./caller/first-exchange.ts";
import { FolderInUse } from "./stack/folder-lock.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import {
  describeCommands,
  describeExchange,
  describeOwnPolicy,
  describeRunning,
  describeTiers,
} from "./stack/summary.ts";

async function main(): Promise<number> {
  const stopRequested = Promise.race([firstSignal(), npmEnded()]);
  const servicePort = portFrom("PORT", 7071);
  const tenantPort = portFrom("LOCAL_TENANT_PORT", 7443);
  const ownPolicy = process.env["LOCAL_POLICY"] || undefined;
  const serviceSettings = ownPolicy === undefined ? {} : { POLICY: readPolicyText(ownPolicy) };
  const printer = createLinePrinter();
  const stack = await startStack({
    servicePort,
    tenantPort,
    serviceSettings,
    folder: localFolder,
    playground: true,
    onServiceLine: printer.print,
  }).catch((error: unknown) => {
    if (error instanceof FolderInUse) throw alreadyRunning(error);
    throw explainPortInUse(error, { PORT: servicePort, LOCAL_TENANT_PORT: tenantPort });
  });
  try {
    await printIntroduction(stack, ownPolicy);
    printer.silent = false;
    const reason = await Promise.race([stopRequested, stack.broken]);
    if (reason !== undefined) {
      console.error(reason);
    }
    return reason === undefined ? 0 : 1;
  } finally {
    removeEnvironment();
    await stack.stop();
  }
}

// ---------------------------------------------------------------------------------------------------------------

const repeatedSignalMs = 1_000;

async function printIntroduction(stack: Stack, ownPolicy: string | undefined): Promise<void> {
  writeEnvironment(stack.environment);
  if (ownPolicy !== undefined) {
    console.log(["", describeRunning(stack), "", describeOwnPolicy(ownPolicy), ""].join("\n"));
    return;
  }
  const exchange = await makeFirstExchange(stack.environment);
  const narrow = await makeFirstExchange(stack.environment, "intranet");
  const relayed = await makeRelayedRequest(stack.environment);
  const parts = [describeRunning(stack), describeExchange(exchange), describeTiers([exchange, narrow], relayed)];
  console.log(["", ...parts.flatMap((part) => [part, ""]), describeCommands(stack), ""].join("\n"));
}

/**
 * Resolves at the first signal. With npm, Ctrl+C arrives twice: from the terminal and from npm. A signal that arrives
 * later than these two exits at once, even if the stack is still stopping.
 */
function firstSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let firstSignalAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (firstSignalAt !== undefined && performance.now() - firstSignalAt > repeatedSignalMs) {
        process.exit(1);
      }
      firstSignalAt ??= performance.now();
      resolve(undefined);
    });
  }
  return promise;
}

const checkForNpmMs = 500;

/** npm forwards a signal to its shell, and the shell does not forward it. When npm has ended, the stack must end too. */
function npmEnded(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const parent = process.ppid;
  if (process.env["npm_lifecycle_event"] !== undefined && process.platform !== "win32") {
    const timer = setInterval(() => {
      if (process.ppid !== parent) {
        clearInterval(timer);
        resolve(undefined);
      }
    }, checkForNpmMs);
    timer.unref();
  }
  return promise;
}

function portFrom(name: string, fallback: number): number {
  const text = process.env[name] || String(fallback);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`${name} must be a port number from 0 to 65535, not "${text}".`);
  }
  return port;
}

function readPolicyText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new Error(`LOCAL_POLICY must be the path of a policy file, and ${path} cannot be read.`);
  }
}

function alreadyRunning({ pid }: FolderInUse): Error {
  const url = readEnvironment()?.serviceUrl ?? "still starting";
  return new Error(
    `The local stack is already running (process ${pid}, ${url}). Use it, or end it first. ` +
      "To run a second stack, set LOCAL_FOLDER, PORT and LOCAL_TENANT_PORT.",
  );
}

/** Finds the setting of the port that is in use, from the error of the part that could not listen. */
function explainPortInUse(error: unknown, ports: Readonly<Record<string, number>>): unknown {
  const message = error instanceof Error ? error.message : String(error);
  const taken = Object.entries(ports).find(([, port]) => new RegExp(`EADDRINUSE.*:${port}\\b`).test(message));
  return taken === undefined
    ? error
    : new Error(`Port ${taken[1]} is in use. Is the local stack already running? Set ${taken[0]} to another port.`);
}

/**
 * Prints the host's JSON lines as text: warnings, errors and the app's own lines. It omits the host's informational lines
 * and is silent until the introduction is printed. A start that fails prints the last lines in its error.
 */
function createLinePrinter() {
  const printer = {
    silent: true,
    print: (line: string) => {
      const text = toReadableText(line);
      if (!printer.silent && text !== undefined) {
        console.log(text);
      }
    },
  };
  return printer;
}

function toReadableText(line: string): string | undefined {
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
