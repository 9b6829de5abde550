/**
 * The path and the query of a request to an API, in one spelling. The policy decides about the decoded segments and names,
 * and the relay writes its URL from them again, so that the API cannot read anything else than the policy did. What has
 * more than one reading is refused: dot segments, slashes in any encoding, a second encoding, matrix parameters. Pure.
 *
 * Source: RFC 3986 sections 3.3 and 6.2.2
 */
import { fail, type Result, succeed } from "./result.ts";

declare const checked: unique symbol;

/** Only this file makes one. */
export interface DownstreamTarget {
  readonly [checked]: true;
  /** Decoded. None is empty. */
  readonly segments: readonly string[];
  /** Decoded. Each name is there once. */
  readonly query: readonly QueryOption[];
}

export type QueryOption = readonly [name: string, value: string];

/** The methods that the relay forwards. */
export const RELAY_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export type RelayMethod = (typeof RELAY_METHODS)[number];

/** A request to an API, as far as the policy decides about it. */
export interface DownstreamCall {
  readonly method: RelayMethod;
  readonly target: DownstreamTarget;
}

/** Why a path or a query has no single reading. */
export type TargetProblem =
  | "too_long"
  | "not_utf8"
  | "control_character"
  | "double_encoding"
  | "slash"
  | "matrix_parameter"
  | "reserved_character"
  | "dot_segment"
  | "trailing_dot"
  | "empty_segment"
  | "query_name"
  | "query_repeated"
  | "other_spelling";

/** Kestrel's limit of a request line. */
const TARGET_MAX_CHARACTERS = 8_192;
const OPTIONS_MAX = 64;

/** Reads a percent-encoded path with its query, for example `/v1.0/me/messages?$top=5`. The first slash may be missing. */
export function parseTarget(text: string): Result<DownstreamTarget, TargetProblem> {
  if (text.length > TARGET_MAX_CHARACTERS) return fail("too_long");
  if (text.includes("#")) return fail("reserved_character");
  const mark = text.indexOf("?");
  const segments = parsePath(mark < 0 ? text : text.slice(0, mark));
  if (!segments.ok) return segments;
  const query = parseQuery(mark < 0 ? "" : text.slice(mark + 1));
  return query.ok ? succeed(toTarget(segments.value, query.value)) : query;
}

/** The same target with the spelling of another one. Throws if they differ in more than the case of ASCII letters. */
export function respell(target: DownstreamTarget, segments: readonly string[]): DownstreamTarget {
  const same =
    segments.length === target.segments.length &&
    segments.every((segment, index) => foldCase(segment) === foldCase(target.segments[index] ?? ""));
  if (!same) throw new TypeError("The segments differ.");
  return toTarget(segments, target.query);
}

/** Percent-encoded, beginning with a slash. `parseTarget` reads the same target from it. */
export function toRelativeUrl({ segments, query }: DownstreamTarget): string {
  const path = segments.map((segment) => `/${encode(segment)}`).join("");
  const options = query.map(([name, value]) => `${encode(name)}=${encodeURIComponent(value)}`).join("&");
  return options === "" ? path : `${path}?${options}`;
}

/** Lower-case ASCII letters only: `toLowerCase` also maps the Kelvin sign to a k. */
export function foldCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

// ---------------------------------------------------------------------------------------------------------------

function toTarget(segments: readonly string[], query: readonly QueryOption[]): DownstreamTarget {
  return { segments, query } as DownstreamTarget;
}

function parsePath(path: string): Result<readonly string[], TargetProblem> {
  const segments: string[] = [];
  for (const raw of path.replace(/^\//, "").split("/")) {
    const segment = parseSegment(raw);
    if (!segment.ok) return segment;
    segments.push(segment.value);
  }
  return succeed(segments);
}

function parseSegment(raw: string): Result<string, TargetProblem> {
  if (raw === "") return fail("empty_segment");
  const segment = decode(raw);
  if (segment === undefined) return fail("not_utf8");
  // A server may fold lookalikes, for example the fullwidth full stop. The folded text must be as harmless.
  const problem = problemIn(segment) ?? problemIn(segment.normalize("NFKC"));
  return problem === undefined ? succeed(segment) : fail(problem);
}

/** Control and format characters, lone surrogates, separators of lines. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The first that matches is the problem. */
const SEGMENT_PROBLEMS: readonly (readonly [RegExp, TargetProblem])[] = [
  [CONTROL, "control_character"],
  [/%/, "double_encoding"],
  // With the slashes and backslashes of Unicode that NFKC does not fold.
  [/[/\\\u2044\u2215\u2216\u29f5\u29f8\u29f9]/, "slash"],
  [/;/, "matrix_parameter"],
  [/[?#]/, "reserved_character"],
  // A colon ends a path inside a path of OneDrive: /root:/folder/file:/content
  [/^\.+:?$/, "dot_segment"],
  // Windows removes trailing dots and spaces.
  [/[.\s]:?$/, "trailing_dot"],
];

function problemIn(segment: string): TargetProblem | undefined {
  return SEGMENT_PROBLEMS.find(([pattern]) => pattern.test(segment))?.[1];
}

function parseQuery(query: string): Result<readonly QueryOption[], TargetProblem> {
  const options: QueryOption[] = [];
  const keys = new Set<string>();
  for (const part of query.split("&").filter((text) => text !== "")) {
    const option = parseOption(part);
    if (!option.ok) return option;
    const key = optionKey(option.value[0]);
    if (keys.has(key)) return fail("query_repeated");
    keys.add(key);
    options.push(option.value);
  }
  return options.length > OPTIONS_MAX ? fail("too_long") : succeed(options);
}

/** OData reads option names without case, and Graph also without the dollar sign. */
function optionKey(name: string): string {
  return foldCase(name).replace(/^\$/, "");
}

/** Visible ASCII without what separates or encodes. */
const OPTION_NAME = /^[!$'()*,\-./0-9:@A-Z[\]_a-z{|}~]{1,128}$/;

function parseOption(part: string): Result<QueryOption, TargetProblem> {
  const equals = part.indexOf("=");
  const decoded = [equals < 0 ? part : part.slice(0, equals), equals < 0 ? "" : part.slice(equals + 1)].map((text) =>
    decode(text.replaceAll("+", " ")),
  );
  const [name, value] = decoded;
  if (name === undefined || value === undefined) return fail("not_utf8");
  if (name.includes("%")) return fail("double_encoding");
  if (!OPTION_NAME.test(name)) return fail("query_name");
  return /[\p{Cc}\p{Cs}]/u.test(value) ? fail("control_character") : succeed([name, value]);
}

/** Undefined: a percent sign without two hexadecimal digits, or bytes that are not UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** RFC 3986 section 3.3 allows these characters in a segment, and Graph's paths have them. */
const READABLE = /%(?:24|2C|3A|3D|40)/g;

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(READABLE, decodeURIComponent);
}
