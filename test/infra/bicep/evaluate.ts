/** The value of an expression, given the values of the names in it. */
import type { Expression } from "./syntax.ts";
import { type Closure, isRecord, isResource, type ResourceReference, Runtime } from "./values.ts";

export interface Scope {
  /** Value of a name, made when it is first asked for. */
  readonly names: ReadonlyMap<string, () => unknown>;
  readonly functions: ReadonlyMap<string, Closure>;
}

export function evaluate(expression: Expression, scope: Scope): unknown {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "interpolation":
      return interpolate(expression.parts, scope);
    case "name":
      return required(scope.names, expression.name, expression.line)();
    case "member":
      return memberOf(evaluate(expression.target, scope), expression.name, expression.safe);
    case "index":
      return memberOf(evaluate(expression.target, scope), evaluate(expression.index, scope), false);
    case "nested":
      return child(evaluate(expression.target, scope), expression.name);
    case "call": {
      const run = required(scope.functions, expression.name, expression.line);
      return run(...expression.args.map((arg) => evaluate(arg, scope)));
    }
    case "unary":
      return expression.operator === "!"
        ? !evaluate(expression.operand, scope)
        : -Number(evaluate(expression.operand, scope));
    case "binary":
      return operate(expression, scope);
    case "ternary":
      return evaluate(expression.test, scope) === true
        ? evaluate(expression.yes, scope)
        : evaluate(expression.no, scope);
    case "array":
      return expression.items.map((item) => evaluate(item, scope));
    case "object":
      return Object.fromEntries(
        expression.properties.map(({ key, value }) => [String(evaluate(key, scope)), evaluate(value, scope)]),
      );
    case "lambda":
      return (...args: readonly unknown[]) => evaluate(expression.body, bind(scope, expression.parameters, args));
    case "for":
      return loop(expression, scope, (inner) => evaluate(expression.body, inner));
    case "if":
      return evaluate(expression.test, scope) === true ? evaluate(expression.body, scope) : undefined;
  }
}

export function loop<T>(
  expression: Extract<Expression, { kind: "for" }>,
  scope: Scope,
  each: (inner: Scope, index: number) => T,
): T[] {
  const over = evaluate(expression.over, scope);
  if (!Array.isArray(over)) {
    throw new TypeError("a loop runs over an array that is known before the deployment");
  }
  return over.map((item, index) => each(bind(scope, [expression.item, expression.index ?? ""], [item, index]), index));
}

export function bind(scope: Scope, names: readonly string[], values: readonly unknown[]): Scope {
  return { ...scope, names: new Map([...scope.names, ...names.map((name, i) => [name, () => values[i]] as const)]) };
}

function interpolate(parts: readonly (string | Expression)[], scope: Scope): string {
  return parts.map((part) => (typeof part === "string" ? part : String(evaluate(part, scope)))).join("");
}

function memberOf(target: unknown, key: unknown, safe: boolean): unknown {
  if (target instanceof Runtime) {
    return new Runtime(typeof key === "number" ? `${target.path}[${key}]` : `${target.path}.${String(key)}`);
  }
  if (isResource(target)) {
    return memberOfResource(target, String(key));
  }
  return Array.isArray(target) ? (target[Number(key)] ?? null) : memberOfObject(target, String(key), safe);
}

function memberOfObject(target: unknown, key: string, safe: boolean): unknown {
  if (isRecord(target) && Object.hasOwn(target, key)) {
    return target[key] ?? null;
  }
  if (safe && (target === null || target === undefined || isRecord(target))) {
    return null;
  }
  throw new TypeError(`there is no ${key} in ${JSON.stringify(target)}`);
}

function memberOfResource(target: ResourceReference, key: string): unknown {
  switch (key) {
    case "id":
      return target.type.startsWith("Microsoft.Graph/") ? new Runtime(`${target.path}.id`) : target.id();
    case "name":
      return target.name();
    case "type":
      return target.type;
    default: {
      const declared = target.body()[key];
      return typeof declared === "string" ? declared : new Runtime(`${target.path}.${key}`);
    }
  }
}

function child(target: unknown, name: string): unknown {
  const make = isResource(target) ? target.children.get(name) : undefined;
  if (make === undefined) {
    throw new TypeError(`there is no nested resource ${name}`);
  }
  return make();
}

function operate(expression: Extract<Expression, { kind: "binary" }>, scope: Scope): unknown {
  const left = evaluate(expression.left, scope);
  const right = () => evaluate(expression.right, scope);
  switch (expression.operator) {
    case "&&":
      return left === true && right() === true;
    case "||":
      return left === true || right() === true;
    case "??":
      return left ?? right();
    case "==":
      return left === right();
    case "!=":
      return left !== right();
    case ">":
      return Number(left) > Number(right());
    default:
      throw new TypeError(`the operator ${expression.operator} is not used in infra/`);
  }
}

function required<T>(map: ReadonlyMap<string, T>, name: string, line: number): T {
  const value = map.get(name);
  if (value === undefined) {
    throw new TypeError(`line ${line}: ${name} is not declared`);
  }
  return value;
}
