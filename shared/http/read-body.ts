/**
 * Reads request bodies. Size, encoding, number of parameters and repeated parameters are checked. An empty parameter
 * counts as absent (RFC 6749 section 3.2).
 */
import type { Failure } from "../core/failure.ts";
import { isJsonObject, type JsonObject, repeatedMembers } from "../core/json-object.ts";
import { parseJson } from "../core/json-text.ts";
import { BODY_MAX_BYTES, PARAMETERS_MAX } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { invalidRequest } from "./invalid-request.ts";
import { safeText } from "./safe-text.ts";

/** Non-empty values by parameter name. A Map, so that a name such as `__proto__` has no special meaning. */
export type Parameters = ReadonlyMap<string, readonly string[]>;

const FORM_TYPE = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

/** A form body. Only parameters named in `repeatable` may appear more than once. */
export async function readForm(
  request: IncomingRequest,
  repeatable: readonly string[],
): Promise<Result<Parameters, Failure>> {
  if (!hasType(request, FORM_TYPE)) return fail({ kind: "media_type_unsupported", expected: FORM_TYPE });
  const text = await readText(request, FORM_TYPE);
  if (!text.ok) return text;
  if (hasTooManyParameters(text.value)) return invalidRequest("too_many_parameters");
  return collectParameters(new URLSearchParams(text.value), repeatable);
}

/** Before a form is parsed: 64 KB of `&` cost more than ten milliseconds to parse, and a stranger can send them. */
export function hasTooManyParameters(form: string): boolean {
  let separators = 0;
  for (let at = form.indexOf("&"); at >= 0 && separators <= PARAMETERS_MAX; at = form.indexOf("&", at + 1)) {
    separators += 1;
  }
  return separators > PARAMETERS_MAX;
}

/** A JSON object body without repeated members. An empty body counts as an empty object. */
export async function readJsonBody(request: IncomingRequest): Promise<Result<JsonObject, Failure>> {
  const text = await readText(request, JSON_TYPE);
  if (!text.ok) return text;
  if (text.value.trim() === "") return succeed({});
  if (!hasType(request, JSON_TYPE)) return fail({ kind: "media_type_unsupported", expected: JSON_TYPE });
  const value = parseJson(text.value);
  if (!isJsonObject(value)) return invalidRequest("body_not_json");
  const [repeated] = repeatedMembers(text.value);
  return repeated === undefined ? succeed(value) : invalidRequest("parameter_repeated", safeName(repeated));
}

/** Groups parameters by name, or by the key of the name. Too many parameters, or a repeated one that is not in `repeatable`, are refused. */
export function collectParameters(
  parameters: URLSearchParams,
  repeatable: readonly string[],
  toKey: (name: string) => string = (name) => name,
): Result<Parameters, Failure> {
  if (parameters.size > PARAMETERS_MAX) return invalidRequest("too_many_parameters");
  const collected = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    if (value === "") continue;
    const key = toKey(name);
    const values = collected.get(key) ?? [];
    if (values.length > 0 && !repeatable.includes(key)) return invalidRequest("parameter_repeated", safeName(name));
    collected.set(key, [...values, value]);
  }
  return succeed(collected);
}

/** The value of a parameter that is present at most once. */
export function singleValue(parameters: Parameters, name: string): string | undefined {
  return parameters.get(name)?.[0];
}

/** A parameter name for a message and the audit event. A name that could inject text or be a secret is replaced. */
export function safeName(name: string): string {
  return /^[\w.-]{1,100}$/.test(name) && safeText(name) === name ? name : "a parameter";
}

// ------------------------------------------------------------------------------------------------------------------

/** A byte order mark is not part of the text. */
async function readText(request: IncomingRequest, expected: string): Promise<Result<string, Failure>> {
  const tooLarge: Failure = { kind: "request_too_large", limitBytes: BODY_MAX_BYTES };
  if (Number(request.headers.get("content-length") ?? 0) > BODY_MAX_BYTES) return fail(tooLarge);
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength === 0 && announcesBody(request)) return invalidRequest("body_missing");
  if (bytes.byteLength > BODY_MAX_BYTES) return fail(tooLarge);
  const text = decodeText(bytes, "utf-8");
  if (text === undefined) return invalidRequest("body_not_utf8");
  const charset = charsetOf(request);
  return charset === undefined || decodeText(bytes, charset) === text
    ? succeed(text)
    : fail({ kind: "media_type_unsupported", expected });
}

/** Undefined: the charset is unknown, or the bytes are invalid in it. */
function decodeText(bytes: ArrayBuffer, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Without this check, a body that the host dropped would count as empty, and the caller would get a token with its
 * default scopes instead of the requested ones.
 */
export function announcesBody({ headers }: IncomingRequest): boolean {
  return headers.get("transfer-encoding") !== null || Number(headers.get("content-length") ?? 0) > 0;
}

/** The media type is `type`, and the body is not compressed. */
function hasType(request: IncomingRequest, type: string): boolean {
  const [essence = ""] = contentTypeOf(request);
  const encoding = request.headers.get("content-encoding") ?? "identity";
  return essence === type && encoding.toLowerCase() === "identity";
}

/**
 * Clients label percent-encoded forms as ISO-8859-1 or US-ASCII (Apache HttpClient 4, .NET's ASCII content). The label
 * is harmless if the bytes are the same text in that charset and in UTF-8.
 */
function charsetOf(request: IncomingRequest): string | undefined {
  const [, ...parameters] = contentTypeOf(request);
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  return charset?.slice("charset=".length).replaceAll(/^["']|["']$/g, "");
}

function contentTypeOf({ headers }: IncomingRequest): string[] {
  const parts = (headers.get("content-type") ?? "").toLowerCase().split(";");
  return parts.map((part) => part.trim());
}
