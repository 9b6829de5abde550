/**
 * The local Functions host. It loads a built app through `main` of its package.json, drives the app's own
 * `@azure/functions` package as the Node worker of Azure Functions does, and answers HTTP on the loopback addresses.
 *
 * It imitates everything that an app or a caller can observe:
 * - routing: functions in the order of their names, ASP.NET Core's route templates and constraints, 404 for unknown routes
 *   and undeclared methods; `routePrefix` and `customHeaders`; the home page at `/`; 401 for the admin API without a key;
 * - the web server's limits: 414 for a request line over 8 KB, 431 for more than 100 headers or 32 KB of them, 400 for header
 *   bytes that are not UTF-8, 400 for a wrong Host, 505 for other versions, 500 for a body over 100 MB;
 * - requests: repeated headers and query keys are joined with a comma; the app receives a body only if Content-Length
 *   announces one (a chunked body arrives empty, as in the source of the real host);
 * - answers: chunks and never a Content-Length of the host's own; 500 without a body if the function throws, 204 if it
 *   returns nothing; cookies and bodies in their RPC shapes;
 * - life cycle: hooks, registration lock and log hook in the worker's order; `functionTimeout`; a restart after an uncaught
 *   exception; W3C trace context if Application Insights is configured; timers are registered but run only on
 *   `POST /admin/functions/{name}`.
 *
 * docs/local.md lists what the host does not imitate. Change that list when you change this behaviour.
 */
import type { RequestListener } from "node:http";
import { createAppContext, installCoreModule, type RegisteredFunction } from "./app-context.ts";
import { createDispatch, triggerOf } from "./dispatch.ts";
import { createRequestHandler } from "./handle-request.ts";
import { AppHookContext, runHooks } from "./hook-contexts.ts";
import { readHostJson } from "./host-json.ts";
import { createHostLog } from "./host-log.ts";
import { readHostSettings, withRequestContext } from "./host-settings.ts";
import { type LoopbackListener, listenOnLoopback } from "./http/listen.ts";
import { loadApp } from "./load-app.ts";
import { createRouteTable, type RouteDefinition } from "./routing/route-table.ts";

export interface FunctionsHostOptions {
  /** The folder that holds host.json and package.json. */
  appDirectory: string;
  /** 0: any free port. */
  port: number;
  /** Called when the port is known and before the app is loaded, whose settings can contain the host's address. */
  onListening?: (port: number) => Promise<void>;
  writeLine: (line: string) => void;
  /** Writes the lines that `writeLine` has not written yet. */
  flushLines?: () => void;
  /** How long the host waits for running requests when it stops. */
  drainMs?: number;
}

export interface FunctionsHost {
  port: number;
  /** The time to load the app, from reading host.json to the registration lock. */
  loadMs: number;
  stop(): Promise<void>;
}

const defaultDrainMs = 30_000;

/** Call it at most once per process: the app's copy of `@azure/functions` keeps the first host that it finds. */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const { appDirectory, port, writeLine, flushLines, drainMs = defaultDrainMs } = options;
  let stopping = false;
  const { promise: appLoaded, resolve: serve } = Promise.withResolvers<RequestListener>();
  let handler: RequestListener = (request, response) => void appLoaded.then((loaded) => loaded(request, response));
  const listener = await listenOnLoopback(port, (request, response) => {
    if (stopping) {
      response.setHeader("connection", "close");
    }
    response.on("close", () => stopping && setImmediate(listener.closeIdle));
    handler(request, response);
  });
  await options.onListening?.(listener.port);
  const started = performance.now();
  const settings = readHostSettings(process.env);
  const hostJson = withRequestContext(readHostJson(appDirectory, process.env), settings);
  const log = createHostLog(hostJson.logLevels, writeLine);
  const app = createAppContext(log);
  installCoreModule(app);
  await loadApp(app, appDirectory);
  const routes = createRouteTable(routesOf([...app.functions.values()], hostJson.routePrefix));
  const loadMs = performance.now() - started;

  const dispatch = createDispatch(app, hostJson.functionTimeoutMs);
  handler = createRequestHandler({ app, dispatch, routes, hostJson, settings });
  serve(handler);
  const startup = (message: string) => log.write({ level: "information", category: "Host.Startup", message });
  startup(`${app.functions.size} functions loaded in ${Math.round(loadMs)} ms; listening on port ${listener.port}.`);
  return {
    port: listener.port,
    loadMs,
    stop: async () => {
      stopping = true;
      if (!(await drain(listener, drainMs))) {
        log.write({
          level: "warning",
          category: "Host.Shutdown",
          message: "The host closed the connections of requests that were still running.",
        });
      }
      flushLines?.(); // The lines must precede the output of the hooks.
      await runHooks(app, "appTerminate", new AppHookContext(app, appDirectory));
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function routesOf(functions: readonly RegisteredFunction[], prefix: string): RouteDefinition<RegisteredFunction>[] {
  return functions.flatMap((registered) => {
    const { binding } = triggerOf(registered);
    if (binding.type === "timerTrigger") return [];
    if (binding.type !== "httpTrigger") {
      throw new Error(`Function '${registered.metadata.name}': the local host does not support ${binding.type}.`);
    }
    const { name } = registered.metadata;
    const own = binding.route || name;
    return [{ name, template: prefix === "" ? own : `${prefix}/${own}`, methods: binding.methods, target: registered }];
  });
}

/** False if the time ran out and the host closed the connections. */
async function drain(listener: LoopbackListener, drainMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), drainMs);
  const closed = listener.close();
  const drained = await Promise.race([closed.then(() => true), late]);
  clearTimeout(timer);
  if (!drained) {
    listener.closeAll();
    await closed;
  }
  return drained;
}
