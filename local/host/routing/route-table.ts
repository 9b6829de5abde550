/**
 * Finds the function that answers a method and a path. Routes have the order of the real host (WebJobsRouteBuilder):
 * literal segments before parameters, more constraints before fewer, literals alphabetically, longer templates before
 * shorter ones. The first template whose constraints and method match wins. A wrong method therefore does not match and is
 * answered with 404, not 405. Paths below /admin never reach a function.
 */
import { type ParameterSegment, parseRouteTemplate, type Segment } from "./route-template.ts";

export interface RouteDefinition<T> {
  template: string;
  /** Undefined: every method. */
  methods: readonly string[] | undefined;
  target: T;
}

export interface RouteMatch<T> {
  target: T;
  params: Record<string, string>;
}

export interface RouteTable<T> {
  /** `path` is decoded and begins with a slash. */
  match(method: string, path: string): RouteMatch<T> | undefined;
}

interface Route<T> {
  segments: readonly Segment[];
  methods: ReadonlySet<string> | undefined;
  target: T;
}

export function createRouteTable<T>(definitions: readonly RouteDefinition<T>[]): RouteTable<T> {
  const routes = definitions
    .map(({ template, methods, target }) => ({
      segments: parseRouteTemplate(template),
      methods: methods === undefined ? undefined : new Set(methods.map((method) => method.toUpperCase())),
      target,
    }))
    .sort((a, b) => compareTemplates(a.segments, b.segments));
  // Literal first segments sort before parameters. To search the bucket of the literal first keeps this order.
  const literalFirst = Map.groupBy(routes, ({ segments: [first] }) => (first?.kind === "literal" ? first.text : ""));
  const parameterFirst = literalFirst.get("") ?? [];
  literalFirst.delete("");
  return {
    match(method, path) {
      const parts = splitPath(path);
      const first = parts[0]?.toLowerCase() ?? "";
      if (first === "admin") return undefined;
      const bucket = literalFirst.get(first);
      return (bucket && matchFirst(bucket, method, parts)) ?? matchFirst(parameterFirst, method, parts);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Ignores one trailing slash. Other empty segments count. */
function splitPath(path: string): string[] {
  const end = path.length > 1 && path.endsWith("/") ? path.length - 1 : path.length;
  return end <= 1 ? [] : path.slice(1, end).split("/");
}

function matchFirst<T>(routes: readonly Route<T>[], method: string, parts: string[]): RouteMatch<T> | undefined {
  for (const route of routes) {
    if (route.methods === undefined || route.methods.has(method)) {
      const params = matchSegments(route.segments, parts);
      if (params !== undefined) return { target: route.target, params };
    }
  }
  return undefined;
}

function matchSegments(segments: readonly Segment[], parts: string[]): Record<string, string> | undefined {
  const last = segments.at(-1);
  if (parts.length > segments.length && !(last?.kind === "parameter" && last.catchAll)) return undefined;
  const params: Record<string, string> = {};
  const matches = segments.every((segment, index) =>
    segment.kind === "literal"
      ? parts[index]?.toLowerCase() === segment.text
      : matchParameter(segment, segment.catchAll ? parts.slice(index).join("/") : parts[index], params),
  );
  return matches ? params : undefined;
}

function matchParameter(segment: ParameterSegment, part: string | undefined, params: Record<string, string>): boolean {
  const value = part === undefined || part === "" ? segment.defaultValue : part;
  if (value === undefined) {
    // Constraints do not apply to a missing optional parameter. An empty segment ("//") is not a missing parameter.
    return segment.catchAll || (segment.optional && part === undefined);
  }
  for (const holds of segment.constraints) {
    if (!holds(value)) return false;
  }
  params[segment.name] = value;
  return true;
}

function compareTemplates(a: readonly Segment[], b: readonly Segment[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return -1;
    const order = compareSegments(left, right);
    if (order !== 0) return order;
  }
  return b.length > a.length ? 1 : 0;
}

function compareSegments(left: Segment, right: Segment): number {
  if (left.kind === "literal") {
    if (right.kind === "parameter") return -1;
    return left.text < right.text ? -1 : Number(left.text > right.text);
  }
  return right.kind === "literal" ? 1 : right.constraints.length - left.constraints.length;
}
