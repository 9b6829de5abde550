/**
 * Runs a query of infra/kql over rows in memory, with the meaning that Kusto gives each operator and function
 * (https://learn.microsoft.com/kusto/query/). What is not here throws.
 */
import { type Column, type Expression, type Operator, type Pipeline, parseKql } from "./syntax.ts";

export type Row = Readonly<Record<string, unknown>>;
export type Tables = Readonly<Record<string, readonly Row[]>>;

/** `now`: milliseconds since 1970, for `ago`. */
export function runKql(text: string, tables: Tables, now: number): Row[] {
  const { lets, result } = parseKql(text);
  const known = new Map<string, () => Row[]>();
  for (const [name, rows] of Object.entries(tables)) known.set(name, () => [...rows]);
  for (const { name, pipeline } of lets) known.set(name, () => runPipeline(pipeline, known, now));
  return runPipeline(result, known, now);
}

type Known = ReadonlyMap<string, () => Row[]>;

class UnknownTable extends Error {}

function runPipeline({ sources, operators }: Pipeline, known: Known, now: number): Row[] {
  const isUnion = sources.length > 1;
  const rows = sources.flatMap((source) => {
    try {
      return rowsOf(source, known, now);
    } catch (error) {
      // isfuzzy: a table that does not exist is left out.
      if (isUnion && error instanceof UnknownTable) return [];
      throw error;
    }
  });
  return operators.reduce((current, operator) => apply(operator, current, now), rows);
}

function rowsOf(source: string | Pipeline, known: Known, now: number): Row[] {
  if (typeof source !== "string") return runPipeline(source, known, now);
  const read = known.get(source);
  if (read === undefined) throw new UnknownTable(`there is no table ${source}`);
  return read();
}

function apply(operator: Operator, rows: Row[], now: number): Row[] {
  switch (operator.kind) {
    case "where":
      return rows.filter((row) => evaluate(operator.condition, row, now) === true);
    case "extend":
      return rows.map((row) => ({ ...row, ...columnsOf(operator.columns, row, now) }));
    case "project":
      return rows.map((row) => columnsOf(operator.columns, row, now));
    case "summarize":
      return summarize(operator, rows, now);
    case "order":
      return rows;
  }
}

function columnsOf(columns: readonly Column[], row: Row, now: number): Row {
  return Object.fromEntries(columns.map((column) => [nameOf(column), evaluate(column.value, row, now)]));
}

function nameOf({ name, value }: Column): string {
  if (name !== undefined) return name;
  if (value.kind === "name") return value.name;
  throw new SyntaxError("a column without a name");
}

/** Without `by` there is one row, also of nothing. */
function summarize(
  { columns, by }: Extract<Operator, { kind: "summarize" }>,
  rows: readonly Row[],
  now: number,
): Row[] {
  const groups = new Map<string, { readonly key: Row; readonly rows: Row[] }>();
  if (by.length === 0) groups.set("", { key: {}, rows: [...rows] });
  else {
    for (const row of rows) {
      const key = columnsOf(by, row, now);
      const text = JSON.stringify(key);
      const group = groups.get(text) ?? { key, rows: [] };
      group.rows.push(row);
      groups.set(text, group);
    }
  }
  return [...groups.values()].map(({ key, rows: members }) => ({
    ...key,
    ...Object.assign({}, ...columns.map((column) => aggregate(column, members, now))),
  }));
}

function aggregate({ name, value }: Column, rows: readonly Row[], now: number): Row {
  if (value.kind !== "call") throw new SyntaxError("an aggregation is a call");
  const [first, ...others] = value.given;
  const valuesOf = (expression: Expression) => rows.map((row) => evaluate(expression, row, now));
  if (value.name === "count") return { [name ?? "count_"]: rows.length };
  if (first === undefined) throw new SyntaxError(`${value.name} needs a column`);
  switch (value.name) {
    case "countif":
      return { [name ?? "countif_"]: valuesOf(first).filter((one) => one === true).length };
    case "arg_max": {
      const latest = rows.toSorted(
        (one, other) => toNumber(evaluate(first, other, now)) - toNumber(evaluate(first, one, now)),
      )[0];
      return latest === undefined
        ? {}
        : columnsOf(
            [first, ...others].map((column) => ({ name: undefined, value: column })),
            latest,
            now,
          );
    }
    default:
      throw new SyntaxError(`unknown aggregation ${value.name}`);
  }
}

// ---------------------------------------------------------------------------------------------------------------

function evaluate(expression: Expression, row: Row, now: number): unknown {
  switch (expression.kind) {
    case "value":
      return expression.value;
    case "name":
      if (!Object.hasOwn(row, expression.name)) throw new ReferenceError(`there is no column ${expression.name}`);
      return row[expression.name];
    case "member":
      return memberOf(evaluate(expression.of, row, now), expression.name);
    case "list":
      return expression.items.map((item) => evaluate(item, row, now));
    case "call":
      return call(expression, row, now);
    case "binary":
      return compare(expression, row, now);
  }
}

/** A member of a dynamic value; null if there is none. */
function memberOf(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? (Object.entries(of).find(([key]) => key === name)?.[1] ?? null) : null;
}

function call({ name, given }: Extract<Expression, { kind: "call" }>, row: Row, now: number): unknown {
  const [first, second] = given;
  if (first === undefined) throw new SyntaxError(`${name} needs a value`);
  if (name === "column_ifexists") {
    const column = String(evaluate(first, row, now));
    if (Object.hasOwn(row, column)) return row[column];
    return second === undefined ? null : evaluate(second, row, now);
  }
  const value = evaluate(first, row, now);
  switch (name) {
    case "tostring":
      return toText(value);
    case "toint":
    case "todouble":
    case "toreal":
      return value === null || value === undefined || value === "" ? null : Number(value);
    case "isnotempty":
      return toText(value) !== "";
    case "isnotnull":
      return value !== null && value !== undefined;
    case "parse_json":
      return parseJson(toText(value));
    case "ago":
      return new Date(now - Number(value));
    default:
      throw new SyntaxError(`unknown function ${name}`);
  }
}

function compare({ operator, left, right }: Extract<Expression, { kind: "binary" }>, row: Row, now: number): unknown {
  const one = evaluate(left, row, now);
  if (operator === "and") return one === true && evaluate(right, row, now) === true;
  if (operator === "or") return one === true || evaluate(right, row, now) === true;
  const other = evaluate(right, row, now);
  const text = toText(one);
  const texts = () => [other].flat().map(toText);
  switch (operator) {
    case "==":
      return isSame(one, other);
    case "!=":
      return !isSame(one, other);
    case "=~":
      return text.toLowerCase() === toText(other).toLowerCase();
    case "startswith":
      return text.toLowerCase().startsWith(toText(other).toLowerCase());
    case "contains":
      return text.toLowerCase().includes(toText(other).toLowerCase());
    case "has":
    case "has_any":
      return texts().some((term) => hasTerm(text, term));
    case "in":
      return texts().includes(text);
    case "!in":
      return !texts().includes(text);
    default:
      return arithmetic(operator, toNumber(one), toNumber(other));
  }
}

function arithmetic(operator: string, one: number, other: number): unknown {
  switch (operator) {
    case ">=":
      return one >= other;
    case "<=":
      return one <= other;
    case ">":
      return one > other;
    case "<":
      return one < other;
    case "*":
      return one * other;
    case "/":
      return one / other;
    case "+":
      return one + other;
    case "-":
      return one - other;
    default:
      throw new SyntaxError(`unknown operator ${operator}`);
  }
}

/** A term is surrounded by characters that are neither letters nor digits. */
function hasTerm(text: string, term: string): boolean {
  const escaped = term.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(^|[^A-Za-z0-9])${escaped}([^A-Za-z0-9]|$)`, "i").test(text);
}

function isSame(one: unknown, other: unknown): boolean {
  return typeof one === "string" || typeof other === "string" ? toText(one) === toText(other) : one === other;
}

/** Null is the empty text. */
function toText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function toNumber(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  return value === null || value === undefined ? Number.NaN : Number(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
