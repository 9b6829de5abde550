/**
 * The state of the one app that the host runs, and the `@azure/functions-core` module for the app's copy of
 * `@azure/functions`. That module exists only inside the Node worker, which answers `require("@azure/functions-core")`
 * through a proxy around Module.prototype.require. This host does the same. One process runs one app, because the package
 * keeps the first module that it finds.
 */
import Module from "node:module";
import type { HostLog } from "./host-log.ts";
import type {
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookData,
  LogCategory,
  LogLevel,
  ProgrammingModel,
} from "./rpc/rpc-types.ts";

export interface RegisteredFunction {
  metadata: FunctionMetadata & { functionId: string };
  callback: FunctionCallback;
}

export interface AppContext {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Map<string, HookCallback[]>;
  readonly appHookData: HookData;
  /** The `hookData` of app-level hooks (appStart, appTerminate). */
  readonly appLevelOnlyHookData: HookData;
  readonly log: HostLog;
  programmingModel: ProgrammingModel | undefined;
  registrationLocked: boolean;
}

export interface InvocationLogScope {
  invocationId: string;
  functionName: string;
  hookData: HookData;
  invocationContext: unknown;
}

/** The versions of the worker and the host that this host imitates. */
const workerVersion = "3.14.1";
const hostVersion = "4.1052.200";

export function createAppContext(log: HostLog): AppContext {
  return {
    functions: new Map(),
    hooks: new Map(),
    appHookData: {},
    appLevelOnlyHookData: {},
    log,
    programmingModel: undefined,
    registrationLocked: false,
  };
}

export function installCoreModule(app: AppContext): void {
  const core = createCoreModule(app);
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, self, args: [string]) =>
      args[0] === "@azure/functions-core" ? core : Reflect.apply(target, self, args),
  });
}

/** An error of the worker itself, with the mark that the real worker sets. */
export class SystemError extends Error {
  readonly isAzureFunctionsSystemError = true;
}

/**
 * Writes one log line of the app or of its package. Log hooks receive every line and may change the message and the
 * level of the app's own ("user") lines. If a hook throws, the host writes the line unchanged.
 */
export function logFromApp(
  app: AppContext,
  line: { level: LogLevel; category: LogCategory; message: string },
  scope?: InvocationLogScope,
): void {
  const hooked = app.hooks.has("log") ? runLogHooks(app, line, scope) : line;
  app.log.write({
    level: hooked.level,
    category: line.category === "user" && scope !== undefined ? `Function.${scope.functionName}.User` : "Worker.node",
    invocationId: scope?.invocationId,
    functionName: scope?.functionName,
    message: hooked.message,
  });
}

export function rejectAssignment(name: string): never {
  throw new SystemError(`Cannot assign to read only property '${name}'`);
}

// ---------------------------------------------------------------------------------------------------------------

function createCoreModule(app: AppContext) {
  return {
    version: workerVersion,
    hostVersion,
    Disposable,
    getProgrammingModel: () => app.programmingModel,
    setProgrammingModel: (model: ProgrammingModel) => {
      app.programmingModel = model;
    },
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) => register(app, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(app, name, callback),
    log: (level: LogLevel, category: LogCategory, message: string) => {
      logFromApp(app, { level, category, message });
    },
  };
}

class Disposable {
  readonly #callOnDispose: () => void;
  constructor(callOnDispose: () => void) {
    this.#callOnDispose = callOnDispose;
  }
  dispose(): void {
    this.#callOnDispose();
  }
}

function register(app: AppContext, metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  if (app.registrationLocked) throw new SystemError("A function can only be registered during app startup.");
  const functionId = metadata.functionId || metadata.name;
  if (app.functions.has(functionId)) {
    throw new SystemError(`A function with id "${functionId}" has already been registered.`);
  }
  app.functions.set(functionId, { metadata: { ...metadata, functionId }, callback });
  return new Disposable(() => {
    if (app.registrationLocked) throw new SystemError("A function can only be disposed during app startup.");
    app.functions.delete(functionId);
  });
}

function registerHook(app: AppContext, name: string, callback: HookCallback): Disposable {
  const callbacks = app.hooks.get(name) ?? [];
  app.hooks.set(name, [...callbacks, callback]);
  return new Disposable(() => {
    const left = (app.hooks.get(name) ?? []).filter((known) => known !== callback);
    if (left.length === 0) {
      app.hooks.delete(name);
    } else {
      app.hooks.set(name, left);
    }
  });
}

function runLogHooks(
  app: AppContext,
  line: { level: LogLevel; category: LogCategory; message: string },
  scope: InvocationLogScope | undefined,
): { level: LogLevel; message: string } {
  const context = {
    level: line.level,
    message: line.message,
    category: line.category,
    hookData: scope?.hookData ?? {},
    appHookData: app.appHookData,
    invocationContext: scope?.invocationContext,
  };
  try {
    for (const callback of app.hooks.get("log") ?? []) {
      callback(context);
    }
  } catch {
    return line;
  }
  return line.category === "user" ? context : line;
}
