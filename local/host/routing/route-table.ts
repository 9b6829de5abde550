/**
 * Finds the function that answers a method and a path, as the real host does. The host sorts the functions by name (ordinal,
 * ignoring case: FunctionMetadataManager.cs) and tries their templates in this order. The first template whose segments,
 * constraints and method match wins. A literal segment has no precedence over a parameter, so `a` with `x/{y}` hides `b` with
 * `x/z`. A wrong method does not match and is answered with 404, not 405. Paths below /admin never reach a function.
 */
import { type ParameterSegment, parseRouteTemplate, type Segment } from "./route-template.ts";

export interface RouteDefinition<T> {
  /** The function's name, which decides the order. */
  name: string;
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
    .toSorted((a, b) => compareFunctionNames(a.name, b.name))
    .map(({ template, methods, target }) => ({
      segments: parseRouteTemplate(template),
      methods: methods === undefined ? undefined : new Set(methods.map((method) => method.toUpperCase())),
      target,
    }));
  return {
    match(method, path) {
      const parts = splitPath(path);
      return parts[0]?.toLowerCase() === "admin" ? undefined : matchFirst(routes, method, parts);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** .NET's StringComparer.OrdinalIgnoreCase: UTF-16 code units of the upper-case names. */
function compareFunctionNames(a: string, b: string): number {
  const [left, right] = [a.toUpperCase(), b.toUpperCase()];
  return left < right ? -1 : Number(left > right);
}

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
