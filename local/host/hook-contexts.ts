/**
 * The contexts that hooks receive, with the same read-only members as the real worker's, and the loop that runs the
 * hooks one after the other.
 */
import { type AppContext, rejectAssignment } from "./app-context.ts";
import type { FunctionCallback, HookData } from "./rpc/rpc-types.ts";

export async function runHooks(app: AppContext, name: string, context: object): Promise<void> {
  for (const callback of app.hooks.get(name) ?? []) {
    await callback(context);
  }
}

/** For appStart and appTerminate. */
export class AppHookContext {
  readonly #app: AppContext;
  readonly functionAppDirectory: string;

  constructor(app: AppContext, functionAppDirectory: string) {
    this.#app = app;
    this.functionAppDirectory = functionAppDirectory;
  }

  get hookData(): HookData {
    return this.#app.appLevelOnlyHookData;
  }
  set hookData(_value: unknown) {
    rejectAssignment("hookData");
  }
  get appHookData(): HookData {
    return this.#app.appHookData;
  }
  set appHookData(_value: unknown) {
    rejectAssignment("appHookData");
  }
}

class InvocationHookContext {
  readonly #app: AppContext;
  readonly #hookData: HookData;
  readonly #invocationContext: unknown;
  inputs: unknown[];

  constructor(app: AppContext, hookData: HookData, invocationContext: unknown, inputs: unknown[]) {
    this.#app = app;
    this.#hookData = hookData;
    this.#invocationContext = invocationContext;
    this.inputs = inputs;
  }

  get hookData(): HookData {
    return this.#hookData;
  }
  set hookData(_value: unknown) {
    rejectAssignment("hookData");
  }
  get appHookData(): HookData {
    return this.#app.appHookData;
  }
  set appHookData(_value: unknown) {
    rejectAssignment("appHookData");
  }
  get invocationContext(): unknown {
    return this.#invocationContext;
  }
  set invocationContext(_value: unknown) {
    rejectAssignment("invocationContext");
  }
}

/** A preInvocation hook may replace the inputs and the function itself. */
export class PreInvocationContext extends InvocationHookContext {
  functionCallback: FunctionCallback;

  constructor(
    base: { app: AppContext; hookData: HookData; invocationContext: unknown; inputs: unknown[] },
    callback: FunctionCallback,
  ) {
    super(base.app, base.hookData, base.invocationContext, base.inputs);
    this.functionCallback = callback;
  }
}

/** A postInvocation hook may replace the result, set an error or clear it. */
export class PostInvocationContext extends InvocationHookContext {
  result: unknown = null;
  error: unknown = null;
}
