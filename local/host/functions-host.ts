/**
 * The local Functions host: loads a built app through its package.json `main`, drives the app's own
 * `@azure/functions` package as the Node worker of Azure Functions does, and answers HTTP on the loopback addresses.
 *
 * It is honest where an app could tell: 404 for unknown routes and for undeclared methods; ASP.NET Core's route
 * templates, constraints and precedence; `routePrefix` and `customHeaders`; repeated headers and query keys joined
 * with a comma; a body only where Content-Length says so (one sent in chunks arrives empty, as in the real host's
 * source); 32 KB of headers; 500 without a body when a function throws, 204 when it returns nothing; cookies and
 * bodies in their RPC shapes; hooks, registration lock and log hook in the worker's order; `functionTimeout`; W3C
 * trace context; timers registered, and run by `POST /admin/functions/{name}` only.
 *
 * What it does not imitate is listed in README.md; whatever changes here changes there.
 */
import { createAppContext, installCoreModule, type RegisteredFunction } from "./app-context.ts";
import { createDispatch, triggerOf } from "./dispatch.ts";
import { createRequestHandler } from "./handle-request.ts";
import { AppHookContext, runHooks } from "./hook-contexts.ts";
import { readHostJson } from "./host-json.ts";
import { createHostLog } from "./host-log.ts";
import { type LoopbackListener, listenOnLoopback } from "./http/listen.ts";
import { loadApp } from "./load-app.ts";
import { createRouteTable, type RouteDefinition } from "./routing/route-table.ts";

export interface FunctionsHostOptions {
  /** The folder that holds host.json and package.json. */
  appDirectory: string;
  /** 0: any free port. */
  port: number;
  writeLine: (line: string) => void;
  /** Writes what `writeLine` still holds. */
  flushLines?: () => void;
  /** How long requests under way may take to finish when the host stops. */
  drainMs?: number;
}

export interface FunctionsHost {
  port: number;
  /** From reading host.json to the registration lock: what the app's load costs. */
  loadMs: number;
  stop(): Promise<void>;
}

const bodyLimitBytes = 10 * 1024 * 1024;
const defaultDrainMs = 30_000;

/** At most once per process: the app's copy of `@azure/functions` keeps the host it first met. */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const { appDirectory, port, writeLine, flushLines, drainMs = defaultDrainMs } = options;
  const started = performance.now();
  const hostJson = readHostJson(appDirectory, process.env);
  const log = createHostLog(hostJson.logLevels, writeLine);
  const app = createAppContext(log);
  installCoreModule(app);
  await loadApp(app, appDirectory);
  const routes = createRouteTable(routesOf([...app.functions.values()], hostJson.routePrefix));
  const loadMs = performance.now() - started;

  const dispatch = createDispatch(app, hostJson.functionTimeoutMs);
  const handler = createRequestHandler({ app, dispatch, routes, hostJson, bodyLimit: bodyLimitBytes });
  let stopping = false;
  const listener = await listenOnLoopback(port, (request, response) => {
    if (stopping) {
      response.setHeader("connection", "close");
    }
    response.on("close", () => stopping && setImmediate(listener.closeIdle));
    handler(request, response);
  });
  const startup = (message: string) => log.write({ level: "information", category: "Host.Startup", message });
  startup(`${app.functions.size} functions loaded in ${Math.round(loadMs)} ms; listening on port ${listener.port}.`);
  return {
    port: listener.port,
    loadMs,
    stop: async () => {
      stopping = true;
      if (!(await drain(listener, drainMs))) {
        log.write({ level: "warning", category: "Host.Shutdown", message: "Requests under way were cut off." });
      }
      flushLines?.(); // Before anything the hooks print.
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
      throw new Error(`Function '${registered.metadata.name}': the local host has no ${binding.type}.`);
    }
    const own = binding.route || registered.metadata.name;
    return [{ template: prefix === "" ? own : `${prefix}/${own}`, methods: binding.methods, target: registered }];
  });
}

/** False if time ran out and connections were cut. */
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
