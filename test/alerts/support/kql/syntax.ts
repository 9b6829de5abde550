/**
 * The part of the Kusto Query Language that infra/kql uses, as a tree. Anything else throws, so that a query with a new
 * operator does not pass unnoticed.
 */
export type Expression =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "member"; readonly of: Expression; readonly name: string }
  | { readonly kind: "call"; readonly name: string; readonly given: readonly Expression[] }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "list"; readonly items: readonly Expression[] };

/** A column of the result. Without a name of its own it has the name of its source. */
export interface Column {
  readonly name: string | undefined;
  readonly value: Expression;
}

export type Operator =
  | { readonly kind: "where"; readonly condition: Expression }
  | { readonly kind: "extend" | "project"; readonly columns: readonly Column[] }
  | { readonly kind: "summarize"; readonly columns: readonly Column[]; readonly by: readonly Column[] }
  | { readonly kind: "order" };

export interface Pipeline {
  readonly sources: readonly (string | Pipeline)[];
  readonly operators: readonly Operator[];
}

export interface Query {
  readonly lets: readonly { readonly name: string; readonly pipeline: Pipeline }[];
  readonly result: Pipeline;
}

const TOKEN = /\s+|\/\/[^\n]*|("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?[dhms]?|!?[A-Za-z_]\w*|[=!<>]=|=~|[()[\],;|.=<>*/+-])/gy;
const COMPARISONS = ["==", "!=", ">=", "<=", ">", "<", "=~", "startswith", "contains", "has", "in", "!in", "has_any"];
const MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

export function parseKql(text: string): Query {
  const tokens = tokenize(text);
  let at = 0;
  const peek = () => tokens[at];
  const next = () => {
    const token = tokens[at];
    if (token === undefined) throw new SyntaxError("the query ends too early");
    at += 1;
    return token;
  };
  const accept = (token: string) => {
    if (peek() !== token) return false;
    at += 1;
    return true;
  };
  const expect = (token: string) => {
    const found = next();
    if (found !== token) throw new SyntaxError(`expected ${token}, found ${found}`);
  };

  const list = <T>(item: () => T): T[] => {
    const items = [item()];
    while (accept(",")) items.push(item());
    return items;
  };
  const binary = (operators: readonly string[], operand: () => Expression) => (): Expression => {
    let left = operand();
    while (operators.includes(peek() ?? "")) {
      const operator = next();
      left = { kind: "binary", operator, left, right: operand() };
    }
    return left;
  };
  const parenthesised = (): Expression => {
    const items = list(expression);
    expect(")");
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: "list", items };
  };
  const named = (name: string): Expression => {
    if (!accept("(")) return { kind: "name", name };
    const given = peek() === ")" ? [] : list(expression);
    expect(")");
    return { kind: "call", name, given };
  };
  const primary = (): Expression => {
    const token = next();
    return token === "(" ? parenthesised() : (literal(token) ?? named(token));
  };
  const postfix = (): Expression => {
    let value = primary();
    while (accept(".")) value = { kind: "member", of: value, name: next() };
    return value;
  };
  const product = binary(["*", "/"], postfix);
  const sum = binary(["+", "-"], product);
  const comparison = binary(COMPARISONS, sum);
  const conjunction = binary(["and"], comparison);
  const expression: () => Expression = binary(["or"], conjunction);

  const column = (): Column => {
    if (tokens[at + 1] === "=") {
      const name = next();
      next();
      return { name, value: expression() };
    }
    return { name: undefined, value: expression() };
  };
  const operator = (): Operator => {
    const name = next();
    if (name === "where") return { kind: "where", condition: expression() };
    if (name === "extend" || name === "project") return { kind: name, columns: list(column) };
    if (name === "summarize") {
      const columns = list(column);
      return { kind: "summarize", columns, by: accept("by") ? list(column) : [] };
    }
    if (name === "order") {
      expect("by");
      list(() => {
        expression();
        return accept("desc") || accept("asc");
      });
      return { kind: "order" };
    }
    throw new SyntaxError(`unknown operator ${name}`);
  };
  const source = (): string | Pipeline => {
    if (!accept("(")) return next();
    const inner = pipeline();
    expect(")");
    return inner;
  };
  const sources = () => {
    if (!accept("union")) return [source()];
    for (const token of ["isfuzzy", "=", "true"]) expect(token);
    return list(source);
  };
  const pipeline = (): Pipeline => {
    const from = sources();
    const operators: Operator[] = [];
    while (accept("|")) operators.push(operator());
    return { sources: from, operators };
  };

  const lets: { name: string; pipeline: Pipeline }[] = [];
  while (accept("let")) {
    const name = next();
    expect("=");
    lets.push({ name, pipeline: pipeline() });
    expect(";");
  }
  const result = pipeline();
  if (at < tokens.length) throw new SyntaxError(`unexpected ${peek()}`);
  return { lets, result };
}

/** A text, a number, or a time span in milliseconds. */
function literal(token: string): Expression | undefined {
  if (token.startsWith('"')) return { kind: "value", value: JSON.parse(token) };
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([dhms]?)$/.exec(token) ?? [];
  return digits === undefined ? undefined : { kind: "value", value: Number(digits) * (MS[unit] ?? 1) };
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`cannot read ${text.slice(from, from + 20)}`);
    if (match[1] !== undefined) tokens.push(match[1]);
  }
  return tokens;
}
