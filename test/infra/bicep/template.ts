/** A Bicep file with everything it imports, each file read once. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseBicep } from "./parser.ts";
import type { Decorator, Statement, TypeExpression } from "./syntax.ts";

export type Param = Extract<Statement, { kind: "param" }>;
export type Module = Extract<Statement, { kind: "module" }>;

export interface Template {
  readonly path: string;
  readonly text: string;
  readonly statements: readonly Statement[];
  /** Declarations by name; imported ones carry the template they come from. */
  readonly symbols: ReadonlyMap<string, { readonly statement: Statement; readonly home: Template }>;
  readonly params: readonly Param[];
}

const cache = new Map<string, Template>();

export function readTemplate(path: string): Template {
  const known = cache.get(path);
  if (known !== undefined) {
    return known;
  }
  const template = templateFrom(path, readFileSync(path, "utf8"));
  cache.set(path, template);
  return template;
}

/** A template from text that stands for the file at `path`: for tests that change one line. */
export function templateFrom(path: string, text: string): Template {
  const statements = parseBicep(text);
  const symbols = new Map<string, { statement: Statement; home: Template }>();
  const params = statements.filter((statement) => statement.kind === "param");
  const template: Template = { path, text, statements, symbols, params };
  for (const statement of statements) {
    if ("name" in statement && statement.kind !== "output" && statement.kind !== "extension") {
      if (symbols.has(statement.name)) {
        throw new TypeError(`${path}: ${statement.name} is declared twice`);
      }
      symbols.set(statement.name, { statement, home: template });
    }
    if (statement.kind === "import") {
      addImports(symbols, readTemplate(join(dirname(path), statement.path)), statement.names);
    }
  }
  return template;
}

function addImports(
  symbols: Map<string, { statement: Statement; home: Template }>,
  from: Template,
  names: readonly string[],
): void {
  for (const name of names) {
    const found = from.symbols.get(name);
    const exported =
      found !== undefined &&
      "decorators" in found.statement &&
      found.statement.decorators.some((decorator) => decorator.name === "export");
    if (found === undefined || !exported) {
      throw new TypeError(`${from.path} does not export ${name}`);
    }
    symbols.set(name, found);
  }
}

export interface NamedType {
  readonly type: TypeExpression;
  readonly decorators: readonly Decorator[];
  readonly home: Template;
}

export function typeNamed(template: Template, name: string): NamedType | undefined {
  const symbol = template.symbols.get(name);
  return symbol?.statement.kind === "type"
    ? { type: symbol.statement.type, decorators: symbol.statement.decorators, home: symbol.home }
    : undefined;
}
