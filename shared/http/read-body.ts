/**
 * Bodies, bounded before they are parsed: size, encoding, number of parameters, repeats. An empty parameter counts as
 * absent (RFC 6749 section 3.2).
 */
import type { Failure } from "../core/failure.ts";
import { BODY_MAX_BYTES, PARAMETERS_MAX } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { IncomingRequest } from "./incoming-request.ts";

/** Parameters by name, each with all its non-empty values; a Map, so that no name can be `__proto__`. */
export type Parameters = ReadonlyMap<string, readonly string[]>;

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

/** A form body. Only parameters named in `repeatable` may come more than once. */
export async function readForm(
  request: IncomingRequest,
  repeatable: readonly string[],
): Promise<Result<Parameters, Failure>> {
  if (!hasType(request, FORM)) return fail({ kind: "media_type_unsupported", expected: FORM });
  const text = await readText(request);
  return text.ok ? collect(new URLSearchParams(text.value), repeatable) : text;
}

/** A JSON object body; an empty body is an empty object. */
export async function readJsonObject(request: IncomingRequest): Promise<Result<Record<string, unknown>, Failure>> {
  const text = await readText(request);
  if (!text.ok) return text;
  if (text.value.trim() === "") return succeed({});
  if (!hasType(request, JSON_TYPE)) return fail({ kind: "media_type_unsupported", expected: JSON_TYPE });
  const value = parseJson(text.value);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? succeed(value as Record<string, unknown>)
    : fail({ kind: "request_invalid", problem: "body_not_json" });
}

/** Groups parameters by name; too many, or one that must not repeat, refuse the request. */
export function collect(parameters: URLSearchParams, repeatable: readonly string[]): Result<Parameters, Failure> {
  if (parameters.size > PARAMETERS_MAX) return fail({ kind: "request_invalid", problem: "too_many_parameters" });
  const collected = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    if (value === "") continue;
    const values = collected.get(name) ?? [];
    if (values.length > 0 && !repeatable.includes(name)) {
      return fail({ kind: "request_invalid", problem: "parameter_repeated", parameter: safeName(name) });
    }
    collected.set(name, [...values, value]);
  }
  return succeed(collected);
}

/** A parameter's name may be anything; only a plain one is repeated in an answer. */
export function safeName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : "a parameter";
}

async function readText(request: IncomingRequest): Promise<Result<string, Failure>> {
  const tooLarge: Failure = { kind: "request_too_large", limitBytes: BODY_MAX_BYTES };
  if (Number(request.headers.get("content-length") ?? 0) > BODY_MAX_BYTES) return fail(tooLarge);
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength === 0 && announcesBody(request)) {
    return fail({ kind: "request_invalid", problem: "body_missing" });
  }
  if (bytes.byteLength > BODY_MAX_BYTES) return fail(tooLarge);
  try {
    return succeed(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return fail({ kind: "request_invalid", problem: "body_not_utf8" });
  }
}

/** Taken for an empty body, another wish would be answered than the one that was sent: the list in place of one scope. */
function announcesBody({ headers }: IncomingRequest): boolean {
  return headers.get("transfer-encoding") !== null || Number(headers.get("content-length") ?? 0) > 0;
}

/** The media type, with no charset or UTF-8; never compressed. */
function hasType(request: IncomingRequest, type: string): boolean {
  const [essence = "", ...parameters] = (request.headers.get("content-type") ?? "").toLowerCase().split(";");
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("charset="));
  const encoding = request.headers.get("content-encoding") ?? "identity";
  return (
    essence.trim() === type &&
    (charset === undefined || /^charset="?utf-8"?$/.test(charset)) &&
    encoding.toLowerCase() === "identity"
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
