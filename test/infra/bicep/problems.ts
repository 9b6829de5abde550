/**
 * What is wrong with a template without deploying it: names that are used and not declared or declared and not used,
 * modules called with other parameters than they have, parameters and outputs without a description. In every branch,
 * taken or not.
 */
import { dirname, join } from "node:path";
import { builtIns } from "./functions.ts";
import type { Expression, Statement, TypeExpression } from "./syntax.ts";
import { type Module, readTemplate, type Template } from "./template.ts";

const PRIMITIVES = new Set(["string", "int", "bool"]);
const FUNCTIONS = builtIns({ environment: "AzureCloud", readText: () => "" });

export function problemsOf(template: Template): string[] {
  const used = new Set<string>();
  const problems: string[] = [];
  const walker = new Walker(template, used, problems);
  for (const statement of template.statements) {
    walker.statement(statement);
  }
  return [...problems, ...unused(template, used), ...undescribed(template)];
}

/** Declarations that nothing uses. What a file exports is used by others. */
function unused(template: Template, used: ReadonlySet<string>): string[] {
  const imported = template.statements.flatMap((statement) => (statement.kind === "import" ? statement.names : []));
  const declared = template.statements.flatMap((statement) =>
    (statement.kind === "param" || statement.kind === "var" || statement.kind === "type") &&
    !statement.decorators.some((decorator) => decorator.name === "export")
      ? [statement.name]
      : [],
  );
  return [...imported, ...declared].filter((name) => !used.has(name)).map((name) => `${name} is not used`);
}

function undescribed(template: Template): string[] {
  return template.statements.flatMap((statement) =>
    (statement.kind === "param" || statement.kind === "output") &&
    !statement.decorators.some((decorator) => decorator.name === "description")
      ? [`${statement.kind} ${statement.name} has no description`]
      : [],
  );
}

class Walker {
  readonly #template: Template;
  readonly #used: Set<string>;
  readonly #problems: string[];

  constructor(template: Template, used: Set<string>, problems: string[]) {
    this.#template = template;
    this.#used = used;
    this.#problems = problems;
  }

  statement(statement: Statement): void {
    switch (statement.kind) {
      case "param":
        this.#type(statement.type);
        if (statement.initial !== undefined) {
          this.#expression(statement.initial, []);
        }
        return;
      case "type":
        this.#type(statement.type);
        return;
      case "output":
        this.#type(statement.type);
        this.#expression(statement.value, []);
        return;
      case "func":
        this.#type(statement.returns);
        for (const parameter of statement.parameters) {
          this.#type(parameter.type);
        }
        this.#expression(
          statement.body,
          statement.parameters.map((parameter) => parameter.name),
        );
        return;
      case "var":
      case "assignment":
        this.#expression(statement.value, []);
        return;
      case "resource":
        this.#expression(statement.body, []);
        return;
      case "module":
        this.#expression(statement.body, []);
        this.#problems.push(...moduleProblems(this.#template, statement));
        return;
      default:
        return;
    }
  }

  #type(type: TypeExpression): void {
    switch (type.kind) {
      case "type-name":
        this.#typeName(type.name, type.line);
        return;
      case "type-array":
        this.#type(type.item);
        return;
      case "type-nullable":
        this.#type(type.inner);
        return;
      case "type-union":
        for (const option of type.options) {
          this.#type(option);
        }
        return;
      case "type-object":
        for (const member of type.members) {
          this.#type(member.type);
        }
        return;
      default:
        return;
    }
  }

  #typeName(name: string, line: number): void {
    this.#used.add(name);
    if (!PRIMITIVES.has(name) && this.#template.symbols.get(name)?.statement.kind !== "type") {
      this.#problems.push(`line ${line}: the type ${name} is not declared`);
    }
  }

  #expression(expression: Expression, locals: readonly string[]): void {
    switch (expression.kind) {
      case "name":
        this.#used.add(expression.name);
        if (!locals.includes(expression.name) && !this.#template.symbols.has(expression.name)) {
          this.#problems.push(`line ${expression.line}: ${expression.name} is not declared`);
        }
        return;
      case "call":
        this.#used.add(expression.name);
        if (!FUNCTIONS.has(expression.name) && this.#template.symbols.get(expression.name)?.statement.kind !== "func") {
          this.#problems.push(`line ${expression.line}: there is no function ${expression.name}`);
        }
        break;
      case "object":
        for (const child of expression.children) {
          this.statement(child);
        }
        break;
      default:
        break;
    }
    for (const [part, added] of partsOf(expression)) {
      this.#expression(part, [...locals, ...added]);
    }
  }
}

/** The expressions inside an expression, each with the names that are new inside it. */
function partsOf(expression: Expression): (readonly [Expression, readonly string[]])[] {
  const plain = (...parts: readonly Expression[]) => parts.map((part) => [part, []] as const);
  switch (expression.kind) {
    case "interpolation":
      return plain(...expression.parts.filter((part) => typeof part !== "string"));
    case "member":
    case "nested":
      return plain(expression.target);
    case "index":
      return plain(expression.target, expression.index);
    case "call":
      return plain(...expression.args);
    case "unary":
      return plain(expression.operand);
    case "binary":
      return plain(expression.left, expression.right);
    case "ternary":
      return plain(expression.test, expression.yes, expression.no);
    case "array":
      return plain(...expression.items);
    case "object":
      return plain(...expression.properties.flatMap(({ key, value }) => [key, value]));
    case "lambda":
      return [[expression.body, expression.parameters]];
    case "for":
      return [...plain(expression.over), [expression.body, [expression.item, expression.index ?? ""]]];
    case "if":
      return plain(expression.test, expression.body);
    default:
      return [];
  }
}

function moduleProblems(template: Template, statement: Module): string[] {
  const { params } = readTemplate(join(dirname(template.path), statement.path));
  const object = statement.body.kind === "if" ? statement.body.body : statement.body;
  const given =
    object.kind === "object" ? object.properties.find(({ key }) => literal(key) === "params")?.value : undefined;
  const names = given?.kind === "object" ? given.properties.map(({ key }) => literal(key)) : [];
  const unknown = names.filter((name) => !params.some((param) => param.name === name));
  const missing = params.filter(
    (param) => param.initial === undefined && param.type.kind !== "type-nullable" && !names.includes(param.name),
  );
  return [
    ...unknown.map((name) => `module ${statement.name} has no parameter ${name}`),
    ...missing.map((param) => `module ${statement.name} needs the parameter ${param.name}`),
  ];
}

function literal(expression: Expression): string {
  return expression.kind === "literal" ? String(expression.value) : "";
}
