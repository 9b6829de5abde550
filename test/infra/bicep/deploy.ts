/**
 * What a template would deploy with given parameters: every resource of it and of its modules, with the values that
 * are known beforehand. Stands in for the compiler and Azure's own evaluation where neither is at hand; it checks no
 * resource schema.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { misfits } from "./conforms.ts";
import { bind, evaluate, loop, type Scope } from "./evaluate.ts";
import { type AzureEnvironment, builtIns, RESOURCE_GROUP_ID } from "./functions.ts";
import type { Expression, ResourceStatement, Statement } from "./syntax.ts";
import { type Module, readTemplate, type Template } from "./template.ts";
import { type Closure, isRecord, isResource, type ModuleReference, type ResourceReference, toJson } from "./values.ts";

export interface Deployed {
  /** Module path and symbol, for example `storage/account`. */
  readonly path: string;
  readonly type: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  readonly resources: readonly Deployed[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface DeployOptions {
  readonly environment?: AzureEnvironment;
  /** A template to use in place of the file at its path: how a test changes one line. */
  readonly replace?: Template;
}

export function deploy(
  template: Template,
  parameters: Readonly<Record<string, unknown>>,
  options: DeployOptions = {},
): Deployment {
  const resources: Deployed[] = [];
  const outputs = new Run(template, parameters, "", options, resources).finish();
  return { resources, outputs: toJson(outputs) as Record<string, unknown> };
}

export function readParameters(path: string): { template: string; values: Record<string, unknown> } {
  const { statements } = readTemplate(path);
  const using = statements.find((statement) => statement.kind === "using");
  const names = new Map<string, () => unknown>();
  const scope: Scope = { names, functions: new Map() };
  for (const statement of statements) {
    if (statement.kind === "var") {
      names.set(
        statement.name,
        once(() => evaluate(statement.value, scope)),
      );
    }
  }
  const values = statements.flatMap((statement) =>
    statement.kind === "assignment" ? [[statement.name, evaluate(statement.value, scope)] as const] : [],
  );
  return { template: join(dirname(path), using?.path ?? ""), values: Object.fromEntries(values) };
}

class Run {
  readonly #template: Template;
  readonly #prefix: string;
  readonly #options: DeployOptions;
  readonly #resources: Deployed[];
  readonly #scope: Scope;

  constructor(
    template: Template,
    parameters: Readonly<Record<string, unknown>>,
    prefix: string,
    options: DeployOptions,
    resources: Deployed[],
  ) {
    this.#template = template;
    this.#prefix = prefix;
    this.#options = options;
    this.#resources = resources;
    const names = new Map<string, () => unknown>();
    const functions = new Map<string, Closure>(
      builtIns({
        environment: options.environment ?? "AzureCloud",
        readText: (file) => readFileSync(join(dirname(template.path), file), "utf8"),
      }),
    );
    this.#scope = { names, functions };
    for (const [name, { statement, home }] of template.symbols) {
      if (statement.kind === "func") {
        functions.set(name, this.#closure(statement));
      } else {
        names.set(name, once(this.#maker(statement, home, parameters)));
      }
    }
    this.#checkParameters(parameters);
  }

  finish(): Record<string, unknown> {
    const outputs: [string, unknown][] = [];
    for (const statement of this.#template.statements) {
      if (statement.kind === "resource" || statement.kind === "module") {
        this.#scope.names.get(statement.name)?.();
      } else if (statement.kind === "output") {
        outputs.push([statement.name, evaluate(statement.value, this.#scope)]);
      }
    }
    return Object.fromEntries(outputs);
  }

  #checkParameters(parameters: Readonly<Record<string, unknown>>): void {
    const { params, path } = this.#template;
    const problems = Object.keys(parameters)
      .filter((name) => !params.some((param) => param.name === name))
      .map((name) => `there is no parameter ${name}`);
    for (const param of params) {
      const value = this.#scope.names.get(param.name)?.();
      problems.push(...misfits(value, param.type, this.#template, param.name, param.decorators));
    }
    if (problems.length > 0) {
      throw new TypeError(`${path}: ${problems.join("; ")}`);
    }
  }

  #maker(statement: Statement, home: Template, parameters: Readonly<Record<string, unknown>>): () => unknown {
    switch (statement.kind) {
      case "param":
        return () =>
          parameters[statement.name] ??
          (statement.initial === undefined ? undefined : evaluate(statement.initial, this.#scope));
      case "var":
        return () => evaluate(statement.value, home === this.#template ? this.#scope : this.#foreign(home));
      case "resource":
        return () => this.#declare(statement, statement.body, this.#scope, undefined, "");
      case "module":
        return () => this.#module(statement, statement.body);
      default:
        return () => undefined;
    }
  }

  /** Imported variables see the names of the file they come from. */
  #foreign(home: Template): Scope {
    return new Run(home, {}, "", this.#options, []).#scope;
  }

  #closure(statement: Extract<Statement, { kind: "func" }>): Closure {
    const names = statement.parameters.map((parameter) => parameter.name);
    return (...args) => evaluate(statement.body, bind({ ...this.#scope, names: new Map() }, names, args));
  }

  #module(statement: Module, body: Expression): ModuleReference | undefined {
    if (body.kind === "if") {
      return evaluate(body.test, this.#scope) === true ? this.#module(statement, body.body) : undefined;
    }
    const path = join(dirname(this.#template.path), statement.path);
    const replaced = this.#options.replace?.path === path ? this.#options.replace : undefined;
    const value = evaluate(body, this.#scope);
    const parameters = isRecord(value) && isRecord(value["params"]) ? value["params"] : {};
    const prefix = `${this.#prefix}${statement.name}/`;
    const run = new Run(replaced ?? readTemplate(path), parameters, prefix, this.#options, this.#resources);
    return { kind: "module", outputs: run.finish() };
  }

  #declare(
    statement: ResourceStatement,
    body: Expression,
    scope: Scope,
    parent: ResourceReference | undefined,
    suffix: string,
  ): unknown {
    if (body.kind === "for") {
      return loop(body, scope, (inner, index) => this.#declare(statement, body.body, inner, parent, `[${index}]`));
    }
    const skipped = body.kind === "if" && evaluate(body.test, scope) !== true;
    const object = body.kind === "if" ? body.body : body;
    if (object.kind !== "object") {
      throw new TypeError(`${statement.name} has no body`);
    }
    const children = new Map<string, () => unknown>();
    const values = once(() => evaluate(object, scope) as Record<string, unknown>);
    const reference = this.#reference(statement, values, parent, children, suffix);
    for (const nested of object.children) {
      if (nested.kind === "resource") {
        children.set(
          nested.name,
          once(() => this.#declare(nested, nested.body, scope, reference, "")),
        );
      }
    }
    if (!skipped && !statement.existing) {
      this.#emit(reference);
    }
    if (!skipped) {
      for (const make of children.values()) {
        make();
      }
    }
    return reference;
  }

  #reference(
    statement: ResourceStatement,
    values: () => Record<string, unknown>,
    parent: ResourceReference | undefined,
    children: ReadonlyMap<string, () => unknown>,
    suffix: string,
  ): ResourceReference {
    const [ownType = "", ownVersion] = statement.type.split("@");
    const parentOf = () =>
      parent ?? (isResource(values()["parent"]) ? (values()["parent"] as ResourceReference) : undefined);
    const type = ownType.includes("/") ? ownType : `${parent?.type}/${ownType}`;
    const name = () => {
      const own = String(values()["name"] ?? values()["uniqueName"] ?? statement.name);
      const above = parentOf();
      return above === undefined ? own : `${above.name()}/${own}`;
    };
    return {
      kind: "resource",
      path: `${this.#prefix}${statement.name}${suffix}`,
      type,
      apiVersion: ownVersion ?? parent?.apiVersion ?? "",
      name,
      id: () => resourceId(type, name(), values()["scope"]),
      body: values,
      children,
    };
  }

  #emit(reference: ResourceReference): void {
    this.#resources.push({
      path: reference.path,
      type: reference.type,
      apiVersion: reference.apiVersion,
      name: reference.name(),
      id: reference.id(),
      body: toJson(reference.body()) as Record<string, unknown>,
    });
  }
}

function resourceId(type: string, name: string, scope: unknown): string {
  const [provider = "", ...types] = type.split("/");
  const names = name.split("/");
  const base = isResource(scope) ? scope.id() : RESOURCE_GROUP_ID;
  return `${base}/providers/${provider}${types.map((part, index) => `/${part}/${names[index]}`).join("")}`;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  let making = false;
  return () => {
    if (made === undefined) {
      if (making) {
        throw new TypeError("two declarations need each other");
      }
      making = true;
      made = { value: make() };
    }
    return made.value;
  };
}
