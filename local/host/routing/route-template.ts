/**
 * Parses ASP.NET Core route templates as Azure Functions uses them: `orders/{id}`, `{id?}`, `{id:int}`,
 * `{id:int:min(1)?}`, `{id=7}`, `{*rest}`. A segment is literal text or one parameter. The host refuses mixed segments such
 * as `{name}.{extension}`.
 */
import { type Constraint, parseConstraint } from "./route-constraints.ts";

export interface LiteralSegment {
  kind: "literal";
  /** In lower case, because ASP.NET compares literals regardless of case. */
  text: string;
}

export interface ParameterSegment {
  kind: "parameter";
  name: string;
  optional: boolean;
  catchAll: boolean;
  defaultValue: string | undefined;
  constraints: readonly Constraint[];
}

export type Segment = LiteralSegment | ParameterSegment;

export function parseRouteTemplate(template: string): readonly Segment[] {
  const parts = splitSegments(template.replace(/^\/+|\/+$/g, ""));
  const segments = parts.map((part) => parseSegment(part, template));
  segments.forEach((segment, index) => {
    if (segment.kind === "parameter" && segment.catchAll && index !== segments.length - 1) {
      throw new Error(`Route "${template}": a catch-all parameter can only be the last segment.`);
    }
  });
  const names = segments.flatMap((segment) => (segment.kind === "parameter" ? [segment.name.toLowerCase()] : []));
  if (new Set(names).size !== names.length) throw new Error(`Route "${template}": a parameter appears more than once.`);
  return segments;
}

// ---------------------------------------------------------------------------------------------------------------

/** A parameter with its constraints. `{{` and `}}` are escaped braces, as in regex constraints. */
const parameter = /(?<!\{)\{(?!\{)(?:[^{}]|\{\{|\}\})*\}/g;

/** Splits at slashes outside parameters. */
function splitSegments(template: string): string[] {
  if (/[{}]/.test(template.replace(parameter, "").replace(/\{\{|\}\}/g, ""))) {
    throw new Error(`Route "${template}": a brace is not closed.`);
  }
  const hidden = "\0";
  const masked = template.replace(parameter, (text) => text.replaceAll("/", hidden));
  return masked === "" ? [] : masked.split("/").map((segment) => segment.replaceAll(hidden, "/"));
}

function parseSegment(text: string, template: string): Segment {
  if (text === "") throw new Error(`Route "${template}": a segment is empty.`);
  const inside = text.match(parameter);
  if (inside === null) return { kind: "literal", text: unescapeBraces(text).toLowerCase() };
  if (inside[0] !== text) {
    throw new Error(
      `Route "${template}": the local host does not support segments that mix text and parameters ("${text}").`,
    );
  }
  return parseParameter(text.slice(1, -1), template);
}

function parseParameter(inner: string, template: string): ParameterSegment {
  const stars = /^\*{0,2}/.exec(inner)?.[0] ?? "";
  const match = /^([^:=?{}*]+)([\s\S]*)$/.exec(inner.slice(stars.length));
  if (match === null) throw new Error(`Route "${template}": "{${inner}}" has no parameter name.`);
  const name = match[1] ?? "";
  let rest = match[2] ?? "";
  const optional = rest.endsWith("?");
  rest = optional ? rest.slice(0, -1) : rest;
  const { constraints, defaultValue } = parseParameterRest(rest, template);
  if (optional && (stars !== "" || defaultValue !== undefined)) {
    throw new Error(`Route "${template}": "{${inner}}" cannot be optional if it is a catch-all or has a default.`);
  }
  return { kind: "parameter", name, optional, catchAll: stars !== "", defaultValue, constraints };
}

/** `:int:min(1)=7` gives two constraints and a default. Colons and equals signs in parentheses are part of a constraint. */
function parseParameterRest(rest: string, template: string) {
  const pieces = [...rest.matchAll(/([:=])((?:[^:=(]|\((?:[^()]|\([^()]*\))*\))*)/g)];
  if (pieces.map((piece) => piece[0]).join("") !== rest) {
    throw new Error(`Route "${template}": "${rest}" is not a list of constraints.`);
  }
  const constraints: Constraint[] = [];
  let defaultValue: string | undefined;
  for (const [, sign, text = ""] of pieces) {
    if (sign === "=") {
      defaultValue = unescapeBraces(text);
    } else {
      constraints.push(parseConstraint(unescapeBraces(text)));
    }
  }
  return { constraints, defaultValue };
}

function unescapeBraces(text: string): string {
  return text.replaceAll("{{", "{").replaceAll("}}", "}");
}
