/**
 * Turns a request, or a call of the admin route, into one invocation of a registered function. The invocation is logged
 * and limited in time.
 */
import { randomUUID } from "node:crypto";
import type { AppContext, RegisteredFunction } from "./app-context.ts";
import { invokeFunction } from "./invoke-function.ts";
import type { InvocationResponse, RpcTypedData, TraceContext } from "./rpc/rpc-types.ts";

export interface Invocation {
  reason: string;
  input: RpcTypedData;
  traceContext: TraceContext;
}

export type Dispatch = (registered: RegisteredFunction, invocation: Invocation) => Promise<InvocationResponse>;

/** The invocation took too long. The host cannot stop the function, so it drops the late result. */
export class FunctionTimeoutError extends Error {}

export function createDispatch(app: AppContext, timeoutMs: number | undefined): Dispatch {
  return async (registered, { reason, input, traceContext }) => {
    const { name, functionId } = registered.metadata;
    const invocationId = randomUUID();
    const category = `Function.${name}`;
    const write = (level: "information" | "error", message: string) => {
      app.log.write({ level, category, invocationId, functionName: name, message });
    };
    const verbose = app.log.isEnabled("information", category);
    const started = verbose ? performance.now() : 0;
    if (verbose) {
      write("information", `Executing 'Functions.${name}' (Reason='${reason}', Id=${invocationId})`);
    }
    const duration = () => `Duration=${Math.round(performance.now() - started)}ms`;
    try {
      const response = await withTimeout(
        invokeFunction(app, registered, {
          invocationId,
          functionId,
          inputData: [{ name: triggerName(registered), data: input }],
          triggerMetadata: {},
          traceContext,
          retryContext: null,
        }),
        timeoutMs,
      );
      if (verbose) {
        write("information", `Executed 'Functions.${name}' (Succeeded, Id=${invocationId}, ${duration()})`);
      }
      return response;
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      write("error", `Executed 'Functions.${name}' (Failed, Id=${invocationId}, ${duration()})\n${detail}`);
      throw error;
    }
  };
}

/** Finds the trigger by its type, because a binding's name ends in a hash of the binding. */
export function triggerOf(registered: RegisteredFunction) {
  const found = Object.entries(registered.metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (found === undefined) throw new Error(`Function '${registered.metadata.name}' has no trigger.`);
  return { bindingName: found[0], binding: found[1] };
}

// ---------------------------------------------------------------------------------------------------------------

const triggerNames = new WeakMap<RegisteredFunction, string>();

function triggerName(registered: RegisteredFunction): string {
  const known = triggerNames.get(registered);
  if (known !== undefined) return known;
  const { bindingName } = triggerOf(registered);
  triggerNames.set(registered, bindingName);
  return bindingName;
}

async function withTimeout<T>(running: Promise<T>, timeoutMs: number | undefined): Promise<T> {
  if (timeoutMs === undefined) return running;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new FunctionTimeoutError(`Timeout value of ${timeoutMs} ms exceeded.`));
  }, timeoutMs);
  try {
    return await Promise.race([running, promise]);
  } finally {
    clearTimeout(timer);
  }
}
