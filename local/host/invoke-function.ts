/**
 * Runs one invocation in the order of the real worker's InvocationHandler: arguments, preInvocation hooks, the function,
 * postInvocation hooks. Then it throws the error or returns the response.
 */
import { type AppContext, type InvocationLogScope, logFromApp, type RegisteredFunction } from "./app-context.ts";
import { PostInvocationContext, PreInvocationContext, runHooks } from "./hook-contexts.ts";
import type {
  CoreInvocationContext,
  FunctionMetadata,
  HookData,
  InvocationRequest,
  InvocationResponse,
  InvocationState,
  LogCategory,
  LogLevel,
} from "./rpc/rpc-types.ts";

export async function invokeFunction(
  app: AppContext,
  registered: RegisteredFunction,
  request: InvocationRequest,
): Promise<InvocationResponse> {
  const model = app.programmingModel;
  if (model === undefined) throw new Error("The app registered no function, so there is no programming model.");
  const core = new CoreContext(app, request, registered.metadata);
  const invocation = await model.getInvocationModel(core);
  const { context, inputs } = await invocation.getArguments();
  core.scope.invocationContext = context;
  const base = { app, hookData: core.scope.hookData, invocationContext: context, inputs };

  const pre = new PreInvocationContext(base, registered.callback);
  core.state = "preInvocationHooks";
  try {
    await runHooks(app, "preInvocation", pre);
  } finally {
    core.state = undefined;
  }

  const post = new PostInvocationContext(app, base.hookData, context, pre.inputs);
  core.state = "invocation";
  try {
    post.result = await invocation.invokeFunction(context, pre.inputs, pre.functionCallback);
  } catch (error) {
    post.error = error;
  }

  core.state = "postInvocationHooks";
  try {
    await runHooks(app, "postInvocation", post);
  } finally {
    core.state = undefined;
  }

  if (post.error !== null && post.error !== undefined) throw post.error;
  return invocation.getResponse(context, post.result);
}

// ---------------------------------------------------------------------------------------------------------------

class CoreContext implements CoreInvocationContext {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: FunctionMetadata;
  readonly scope: InvocationLogScope & { hookData: HookData };
  readonly #app: AppContext;
  state: InvocationState | undefined;

  constructor(app: AppContext, request: InvocationRequest, metadata: FunctionMetadata) {
    this.#app = app;
    this.invocationId = request.invocationId;
    this.request = request;
    this.metadata = metadata;
    this.scope = {
      invocationId: request.invocationId,
      functionName: metadata.name,
      hookData: {},
      invocationContext: undefined,
    };
  }

  log(level: LogLevel, category: LogCategory, message: string): void {
    logFromApp(this.#app, { level, category, message }, this.scope);
  }
}
