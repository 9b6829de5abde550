/**
 * `POST /_control/{operation}`: the control operations for other processes, as JSON. They require the control key of this
 * start.
 */
import { timingSafeEqual } from "node:crypto";
import type { TenantOperations } from "./operations.ts";

/** The operations, and the bearer key that guards them. */
export interface OperationsBehindKey extends TenantOperations {
  readonly controlKey: string;
}

export interface ControlRequest {
  operation: string;
  authorization: string | undefined;
  body: string;
}

export interface ControlAnswer {
  status: number;
  body: unknown;
}

type Operation = (input: never) => unknown;

export async function answerControlRequest(
  state: OperationsBehindKey,
  request: ControlRequest,
): Promise<ControlAnswer> {
  if (!hasKey(state.controlKey, request.authorization)) return { status: 401, body: { error: "control key required" } };
  const operation = findOperation(state, request.operation);
  if (operation === undefined) return { status: 404, body: { error: "unknown operation", operations: names(state) } };
  try {
    const input: unknown = request.body === "" ? {} : JSON.parse(request.body);
    return { status: 200, body: (await operation(input as never)) ?? null };
  } catch (failure) {
    return { status: 400, body: { error: failure instanceof Error ? failure.message : "failed" } };
  }
}

function findOperation(state: OperationsBehindKey, name: string): Operation | undefined {
  const value: unknown = Object.hasOwn(state, name) ? state[name as keyof TenantOperations] : undefined;
  return typeof value === "function" ? (value as Operation) : undefined;
}

function names(state: OperationsBehindKey): string[] {
  return Object.entries(state).flatMap(([name, value]) => (typeof value === "function" ? name : []));
}

function hasKey(key: string, authorization: string | undefined): boolean {
  const [expected, sent] = [Buffer.from(`Bearer ${key}`), Buffer.from(authorization ?? "")];
  return expected.length === sent.length && timingSafeEqual(expected, sent);
}
