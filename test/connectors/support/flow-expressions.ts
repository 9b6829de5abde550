/**
 * Evaluates the expressions of a workflow definition: only the functions that the sample flows use, with the rules of the
 * Workflow Definition Language for `@…`, `@{…}` and `@@`.
 *
 * Source: https://learn.microsoft.com/azure/logic-apps/workflow-definition-language-functions-reference
 */

/** What expressions read. */
export interface FlowState {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly trigger: unknown;
  /** Outputs of the actions that ran, by name. */
  readonly outputs: ReadonlyMap<string, { readonly body?: unknown }>;
}

/** A value of a definition with its expressions evaluated, at any depth. */
export function evaluated(value: unknown, state: FlowState): unknown {
  if (typeof value === "string") return evaluateText(value, state);
  if (Array.isArray(value)) return value.map((one) => evaluated(one, state));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, evaluated(member, state)]));
}

/** Every expression in a value. */
export function expressionsIn(value: unknown): string[] {
  if (typeof value === "string")
    return wholeExpression(value) ?? [...value.matchAll(TEMPLATE)].map(([, inner]) => inner ?? "");
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(expressionsIn) : [];
}

/** Names of the functions of an expression. */
export function functionsOf(expression: string): string[] {
  return [...expression.replaceAll(/'(?:[^']|'')*'/g, "").matchAll(/(\w+)\(/g)].map(([, name]) => name ?? "");
}

export const FUNCTIONS = ["parameters", "body", "triggerBody", "coalesce"] as const;

// ---------------------------------------------------------------------------------------------------------------

const TEMPLATE = /@\{((?:'(?:[^']|'')*'|[^'}])*)\}/g;

function wholeExpression(text: string): string[] | undefined {
  return /^@[^@{]/.test(text) ? [text.slice(1)] : undefined;
}

function evaluateText(text: string, state: FlowState): unknown {
  const [whole] = wholeExpression(text) ?? [];
  if (whole !== undefined) return parse(whole, state);
  return text.replaceAll(TEMPLATE, (_, inner: string) => asText(parse(inner, state))).replaceAll("@@", "@");
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** `name(arguments)?['member']…`, `'text'`, `null`. */
function parse(expression: string, state: FlowState): unknown {
  const reader = { rest: expression.trim() };
  const value = readValue(reader, state);
  if (reader.rest.trim() !== "") throw new Error(`The evaluator does not know ${expression}.`);
  return value;
}

interface Reader {
  rest: string;
}

function readValue(reader: Reader, state: FlowState): unknown {
  const text = take(reader, /^\s*'((?:[^']|'')*)'/);
  if (text !== undefined) return readMembers(reader, (text[1] ?? "").replaceAll("''", "'"));
  if (take(reader, /^\s*null\b/) !== undefined) return null;
  const call = take(reader, /^\s*(\w+)\(/);
  if (call === undefined) throw new Error(`The evaluator does not know ${reader.rest}.`);
  const values: unknown[] = [];
  while (take(reader, /^\s*\)/) === undefined) {
    values.push(readValue(reader, state));
    take(reader, /^\s*,/);
  }
  return readMembers(reader, apply(call[1] ?? "", values, state));
}

function readMembers(reader: Reader, value: unknown): unknown {
  const found = take(reader, /^(\??)\['([^']*)'\]/);
  if (found === undefined) return value;
  const [, optional, name = ""] = found;
  if (typeof value === "object" && value !== null) {
    return readMembers(reader, (value as Record<string, unknown>)[name] ?? null);
  }
  if (optional === "?") return readMembers(reader, null);
  throw new Error(`There is no object to read ${name} from.`);
}

function take(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  const found = pattern.exec(reader.rest) ?? undefined;
  if (found !== undefined) reader.rest = reader.rest.slice(found[0].length);
  return found;
}

function apply(name: string, values: readonly unknown[], state: FlowState): unknown {
  const [first] = values;
  switch (name) {
    case "parameters":
      if (!Object.hasOwn(state.parameters, String(first))) throw new Error(`There is no parameter ${String(first)}.`);
      return state.parameters[String(first)];
    case "body":
      if (!state.outputs.has(String(first))) throw new Error(`The action ${String(first)} did not run.`);
      return state.outputs.get(String(first))?.body ?? null;
    case "triggerBody":
      return state.trigger;
    case "coalesce":
      return values.find((value) => value !== null && value !== undefined) ?? null;
    default:
      throw new Error(`The evaluator does not know the function ${name}.`);
  }
}
