/**
 * One operation on the table service: one deadline for everything (including the identity SDK, which ignores abort
 * signals), one retry, and errors as `GrantStoreFailure`. An SDK error contains the URL with the row's key and the
 * message of the table service, so only codes leave this file. It reads errors by their members, so it does not import
 * the SDK.
 */
import { setTimeout as delay } from "node:timers/promises";
import { beforeDeadline, DeadlineError } from "../core/deadline.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { GrantStoreFailure } from "./grant-types.ts";

/** Long enough for a partition to move, short compared with the deadline. */
const RETRY_DELAY_MS = 150;
const CODE = /^\w{1,64}$/;

/** Why the table service did not do an operation, where this is not a failure. */
type TableState = "table_missing" | "row_missing" | "row_exists" | "row_changed";

/** The result of an operation that the table service did, or the state in which it could not. */
export type TableOutcome<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly state: TableState };

export async function callTable<T>(
  call: (abortSignal: AbortSignal) => Promise<T>,
  deadlineMs: number,
): Promise<Result<TableOutcome<T>, GrantStoreFailure>> {
  const abort = new AbortController();
  try {
    return succeed({ done: true, value: await beforeDeadline(withRetry(call, abort.signal), deadlineMs) });
  } catch (error) {
    return fromTableError(error);
  } finally {
    abort.abort();
  }
}

// ---------------------------------------------------------------------------------------------------------------

async function withRetry<T>(call: (abortSignal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await call(signal);
  } catch (error) {
    if (!isRetryable(error)) throw error;
    await delay(RETRY_DELAY_MS, undefined, { signal });
    return call(signal);
  }
}

/** No connection, or a 5xx (the table service answers 500 and 503 while it moves a partition). */
function isRetryable(error: unknown): boolean {
  const { name, status } = readTableError(error);
  return name === "RestError" && (status === undefined || status >= 500);
}

function fromTableError(error: unknown): Result<TableOutcome<never>, GrantStoreFailure> {
  const { name, status, code } = readTableError(error);
  if (error instanceof DeadlineError || name === "AbortError") return fail({ kind: "store_timeout" });
  switch (status) {
    case 404:
      return notDone(code === "TableNotFound" ? "table_missing" : "row_missing");
    case 409:
      return notDone("row_exists");
    case 412:
      return notDone("row_changed");
    case 401:
    case 403:
      return fail({ kind: "store_refused", code });
    default:
      return fail({ kind: "store_unavailable", code });
  }
}

function notDone(state: TableState): Result<TableOutcome<never>, GrantStoreFailure> {
  return succeed({ done: false, state });
}

function readTableError(error: unknown): { name: string; status: number | undefined; code: string } {
  const top = objectMembers(error);
  const answer = objectMembers(objectMembers(top["details"])["odataError"]);
  const status = top["statusCode"];
  const name = typeof top["name"] === "string" ? top["name"] : "";
  const code = [answer["code"], top["code"], name].find((it) => typeof it === "string" && CODE.test(it));
  return {
    name,
    status: typeof status === "number" ? status : undefined,
    code: typeof code === "string" ? code : "unknown",
  };
}

function objectMembers(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
