/**
 * An Entra error. The code that finds the cause throws it; `toEntraAnswer` turns it into the JSON body.
 */
import { randomUUID } from "node:crypto";
import { toEntraTimestamp } from "../time/timestamps.ts";
import { aadstsRow, aadstsText } from "./aadsts.ts";

export interface EntraErrorOptions {
  /** Values for the `{name}` placeholders of the text. */
  values?: Readonly<Record<string, string>>;
  http?: number;
  error?: string;
  suberror?: string;
  /** JSON text (E-59). `null` omits the claims of the row. */
  claims?: string | null;
  headers?: Readonly<Record<string, string>>;
  /** Until about 2024 Entra separated the last parts of the description by line breaks (E-55). */
  tail?: "spaces" | "crlf";
}

export class EntraError extends Error {
  readonly code: number;
  readonly options: EntraErrorOptions;

  constructor(code: number, options: EntraErrorOptions = {}) {
    super(`AADSTS${code}`);
    this.code = code;
    this.options = options;
  }
}

/** Creates an error from a code and the values of its text. */
export function entraError(code: number, values: Readonly<Record<string, string>> = {}): EntraError {
  return new EntraError(code, { values });
}

export interface EntraAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Record<string, unknown>;
}

export interface Correlation {
  traceId: string;
  correlationId: string;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Uses the caller's `client-request-id` only if it is a GUID (E-57). */
export function newCorrelation(clientRequestId: string | undefined): Correlation {
  const usable = clientRequestId !== undefined && GUID.test(clientRequestId);
  return { traceId: randomUUID(), correlationId: usable ? clientRequestId : randomUUID() };
}

export function toEntraAnswer(
  failure: EntraError,
  context: { url: string; nowMs: number; correlation: Correlation },
): EntraAnswer {
  const row = aadstsRow(failure.code);
  const { values = {}, http, error, suberror, claims, headers = {}, tail } = failure.options;
  const { traceId, correlationId } = context.correlation;
  const timestamp = toEntraTimestamp(context.nowMs);
  const gap = tail === "crlf" ? "\r\n" : " ";
  const ending = [`Trace ID: ${traceId}`, `Correlation ID: ${correlationId}`, `Timestamp: ${timestamp}`];
  const body: Record<string, unknown> = {
    error: error ?? row.error,
    error_description: [`AADSTS${failure.code}: ${aadstsText(row, values)}`, ...ending].join(gap),
    error_codes: [failure.code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
  };
  if (row.errorUri) body["error_uri"] = `${context.url}/error?code=${failure.code}`;
  const sub = suberror ?? row.suberror;
  if (sub !== undefined) body["suberror"] = sub;
  const claimsText = claims === undefined ? row.claims : claims;
  if (typeof claimsText === "string") body["claims"] = claimsText;
  return { status: http ?? row.http, headers, body };
}
