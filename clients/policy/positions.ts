/** Where the values of a JSON text are. Pure. */
import { type Node, parseTree } from "jsonc-parser";

/** UTF-16 code units. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Place extends Span {
  /** What the text has there. Undefined: the place is a name, or stands for something that is missing. */
  readonly value: unknown;
}

/** 1-based, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export type Locate = (path: string, members?: readonly string[]) => Place;

/**
 * Finds places by the paths of problems, for example `callers.0.apis.graph.1`. If the value is missing, the place is the
 * object that lacks it. Of `members`, the last one that exists is the place.
 */
export function locator(text: string): Locate {
  const root = parseTree(text);
  return (path, members = []) => {
    if (root === undefined) return { offset: 0, length: 0, value: undefined };
    const { node, rest } = follow(root, path === "" ? [] : path.split("."));
    if (rest.length > 0) return startOf(node);
    const [about] = [...members].reverse().flatMap((name) => propertyOf(node, name) ?? []);
    return about === undefined ? placeOf(node) : placeOfProperty(about, members.length === 1);
  };
}

export function positionOf(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

// ---------------------------------------------------------------------------------------------------------------

/** The names of APIs and registrations may have dots, so a step may be several parts of the path. */
function follow(node: Node, parts: readonly string[]): { readonly node: Node; readonly rest: readonly string[] } {
  if (parts.length === 0) return { node, rest: [] };
  if (node.type === "array") {
    const inner = node.children?.[Number(parts[0])];
    return inner === undefined ? { node, rest: parts } : follow(inner, parts.slice(1));
  }
  for (let count = 1; count <= parts.length; count += 1) {
    const inner = propertyOf(node, parts.slice(0, count).join("."))?.children?.[1];
    if (inner !== undefined) return follow(inner, parts.slice(count));
  }
  return { node, rest: parts };
}

/** Of members that repeat, the last one, which is the one that `JSON.parse` uses. */
function propertyOf(node: Node, name: string): Node | undefined {
  return node.type === "object" ? node.children?.findLast(({ children }) => children?.[0]?.value === name) : undefined;
}

/** The whole value, but only the first character of an object, which is rarely on one line. */
function placeOf(node: Node): Place {
  const span = node.type === "object" ? startOf(node) : spanOf(node);
  return { ...span, value: node.type === "object" ? undefined : toValue(node) };
}

/** The value if it fits on a line, otherwise the name of the member. */
function placeOfProperty({ children: [name, value] = [] }: Node, isName: boolean): Place {
  if (name === undefined) return { offset: 0, length: 0, value: undefined };
  const isLong = value === undefined || value.type === "object";
  return isName || isLong ? { ...spanOf(name), value: undefined } : { ...spanOf(value), value: toValue(value) };
}

function startOf({ offset }: Node): Place {
  return { offset, length: 1, value: undefined };
}

function spanOf({ offset, length }: Node): Span {
  return { offset, length };
}

function toValue(node: Node): unknown {
  if (node.type === "array") return node.children?.map(toValue) ?? [];
  return node.type === "object" ? {} : node.value;
}
