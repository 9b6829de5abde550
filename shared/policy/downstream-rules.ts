/**
 * Which requests the relay may send to an API for a caller. A request must match one rule with its method, its whole path
 * and its query options. Graph reads paths without case, so its rules are compared without case too, and the request is
 * sent in the spelling of the rule. Pure.
 *
 * Source: https://learn.microsoft.com/graph/traverse-the-graph, OData 4.01 URL Conventions section 4
 */
import { type DownstreamCall, type DownstreamTarget, foldCase, respell } from "../core/downstream-target.ts";
import { isGraph } from "../core/graph-resource.ts";
import type { CallerRule } from "./rules.ts";

export type DownstreamRule = CallerRule["downstream"][string][number];

/** A call that a rule allows. */
export interface AllowedCall {
  /** Path of the rule: what the audit event has instead of the path. */
  readonly rule: string;
  /** The call's target, with literal segments as the rule spells them. */
  readonly target: DownstreamTarget;
}

/** Undefined: no rule allows the call. `resource` is that of the API. */
export function allowedCall(
  resource: string,
  rules: readonly DownstreamRule[],
  call: DownstreamCall,
): AllowedCall | undefined {
  for (const rule of rules) {
    if (!rule.methods.includes(call.method) || !allowsQuery(rule, call.target)) continue;
    const segments = matchPath(rule.path.slice(1).split("/"), call.target.segments, isGraph(resource));
    if (segments !== undefined) return { rule: rule.path, target: respell(call.target, segments) };
  }
  return undefined;
}

/** The rules of an entry for an API. */
export function rulesFor({ downstream }: CallerRule, api: string): readonly DownstreamRule[] {
  return Object.hasOwn(downstream, api) ? (downstream[api] ?? []) : [];
}

/** `GET,POST /v1.0/me/messages/** ($select $top)` */
export function describeRule({ methods, path, query }: DownstreamRule): string {
  const options = query === undefined ? "" : ` (${query.length === 0 ? "no query" : query.join(" ")})`;
  return `${methods.join(",")} ${path}${options}`;
}

/** `GET /v1.0/users?$filter`: the values of query options are left out. */
export function describeCall({ method, target: { segments, query } }: DownstreamCall): string {
  const names = query.map(([name]) => name).join("&");
  return `${method} /${segments.join("/")}${names === "" ? "" : `?${names}`}`;
}

// ---------------------------------------------------------------------------------------------------------------

function allowsQuery({ query }: DownstreamRule, target: DownstreamTarget): boolean {
  if (query === undefined) return true;
  // Graph also takes an option without its dollar sign. It is allowed only in the spelling of the list.
  return target.query.every(([name]) => query.some((listed) => foldCase(listed) === foldCase(name)));
}

/** The segments as the rule spells them. Undefined: the path is not in the rule. */
function matchPath(
  pattern: readonly string[],
  segments: readonly string[],
  ofGraph: boolean,
): readonly string[] | undefined {
  const open = pattern.at(-1) === "**";
  if (open ? segments.length < pattern.length : segments.length !== pattern.length) return undefined;
  if (ofGraph && !keepsResource(pattern, segments)) return undefined;
  const spelled: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const expected = pattern[Math.min(index, pattern.length - 1)] ?? "";
    const found = isWildcard(expected) ? wildcard(segment, index, ofGraph) : literal(expected, segment, ofGraph);
    if (found === undefined) return undefined;
    spelled.push(found);
  }
  return spelled;
}

function isWildcard(expected: string | undefined): boolean {
  return expected === "*" || expected === "**";
}

/** What a wildcard may read or write of a file behind its path. A rule must write the rest, for example `createLink`. */
const OF_FILE = ["children", "content", "createuploadsession", "thumbnails"];

/**
 * OneDrive reads `/root:/folder/file:/content`: a colon opens a path of files, and the next one ends it. A wildcard opens
 * none: `items/root:/content` is a file of that name and no content. It ends one that the rule opened, and stays with the
 * file: `file:/createdByUser/drive` is another resource.
 *
 * Source: https://learn.microsoft.com/graph/onedrive-addressing-driveitems
 */
function keepsResource(pattern: readonly string[], segments: readonly string[]): boolean {
  let inside = false;
  let ended = false;
  for (const [index, segment] of segments.entries()) {
    const wild = isWildcard(pattern[Math.min(index, pattern.length - 1)]);
    const colon = segment.normalize("NFKC").endsWith(":");
    const lastOfFile = index === segments.length - 1 && OF_FILE.includes(foldCase(segment));
    if (wild && ((colon && !inside) || (ended && !lastOfFile))) return false;
    ended = wild && colon;
    if (colon) inside = !inside;
  }
  return true;
}

function literal(expected: string, segment: string, ofGraph: boolean): string | undefined {
  const same = ofGraph ? foldCase(expected) === foldCase(segment) : expected === segment;
  return same ? expected : undefined;
}

/** Segments of OData that address a part of the resource before them. */
const PARTS = ["$value", "$count", "$ref"];

/**
 * A wildcard stands for one name. It does not stand for a segment of OData that addresses something else, such as `$batch`
 * or `$entity`, and not for Graph's beta version: a rule must write those.
 */
function wildcard(segment: string, index: number, ofGraph: boolean): string | undefined {
  if (segment.startsWith("$") && !PARTS.includes(segment)) return undefined;
  return ofGraph && index === 0 && foldCase(segment) === "beta" ? undefined : segment;
}
