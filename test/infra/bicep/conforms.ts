/** Whether a value fits a declared type. Gives every misfit with its path. */
import type { Decorator, TypeExpression, TypeMember } from "./syntax.ts";
import { type Template, typeNamed } from "./template.ts";
import { isRecord, isResource, Runtime } from "./values.ts";

interface Place {
  readonly template: Template;
  readonly path: string;
}

export function misfits(
  value: unknown,
  type: TypeExpression,
  template: Template,
  path: string,
  decorators: readonly Decorator[] = [],
): string[] {
  const place: Place = { template, path };
  // What only Azure knows cannot be checked before the deployment, here as little as by the compiler.
  if (value instanceof Runtime || isResource(value)) {
    return [];
  }
  switch (type.kind) {
    case "type-nullable":
      return value === undefined || value === null ? [] : misfits(value, type.inner, template, path, decorators);
    case "type-literal":
      return value === type.value ? [] : [`${path} must be ${JSON.stringify(type.value)}`];
    case "type-array":
      return Array.isArray(value)
        ? [
            ...boundsOf(value.length, "Length", decorators, path),
            ...value.flatMap((item, index) => misfits(item, type.item, template, `${path}[${index}]`)),
          ]
        : [`${path} must be an array`];
    case "type-union":
      return misfitsOfUnion(value, type.options, place, undefined);
    case "type-object":
      return misfitsOfObject(value, type.members, place);
    case "type-name":
      return misfitsOfNamed(value, type.name, place, decorators);
  }
}

function misfitsOfNamed(value: unknown, name: string, place: Place, decorators: readonly Decorator[]): string[] {
  const { path } = place;
  switch (name) {
    case "string":
      return typeof value === "string"
        ? boundsOf(value.length, "Length", decorators, path)
        : [`${path} must be a string`];
    case "int":
      return Number.isInteger(value)
        ? boundsOf(Number(value), "Value", decorators, path)
        : [`${path} must be a whole number`];
    case "bool":
      return typeof value === "boolean" ? [] : [`${path} must be true or false`];
    default:
      return misfitsOfDeclared(value, name, place, decorators);
  }
}

function misfitsOfDeclared(value: unknown, name: string, place: Place, decorators: readonly Decorator[]): string[] {
  const { template, path } = place;
  const named = typeNamed(template, name);
  if (named === undefined) {
    return [`${path}: the type ${name} is not declared`];
  }
  const { type, home, decorators: own } = named;
  return type.kind === "type-union"
    ? misfitsOfUnion(value, type.options, { template: home, path }, discriminator(own))
    : misfits(value, type, home, path, [...own, ...decorators]);
}

function discriminator(decorators: readonly Decorator[]): string | undefined {
  const [argument] = decorators.find((decorator) => decorator.name === "discriminator")?.args ?? [];
  return argument?.kind === "literal" ? String(argument.value) : undefined;
}

function misfitsOfUnion(
  value: unknown,
  options: readonly TypeExpression[],
  place: Place,
  by: string | undefined,
): string[] {
  const { template, path } = place;
  const results = options.map((option) => misfits(value, option, template, path));
  if (results.some((result) => result.length === 0)) {
    return [];
  }
  // With a discriminator the option that was meant is known, and its misfits are what helps.
  const meant =
    by === undefined ? undefined : results.find((result) => !result.includes(literalMisfit(path, by, result)));
  return meant ?? [`${path} fits none of the ${options.length} types it may have`];
}

function literalMisfit(path: string, by: string, result: readonly string[]): string {
  return result.find((problem) => problem.startsWith(`${path}.${by} must be `)) ?? "";
}

function misfitsOfObject(value: unknown, members: readonly TypeMember[], place: Place): string[] {
  const { template, path } = place;
  if (!isRecord(value)) {
    return [`${path} must be an object`];
  }
  const any = members.find((member) => member.name === "*");
  const named = members.filter((member) => member.name !== "*");
  const known = new Set(named.map((member) => member.name));
  const extra = Object.keys(value).filter((key) => !known.has(key));
  return [
    ...named.flatMap((member) =>
      value[member.name] === undefined && member.type.kind !== "type-nullable"
        ? [`${path}.${member.name} is missing`]
        : misfits(value[member.name], member.type, template, `${path}.${member.name}`, member.decorators),
    ),
    ...extra.flatMap((key) =>
      any === undefined ? [`${path}.${key} is unknown`] : misfits(value[key], any.type, template, `${path}.${key}`),
    ),
  ];
}

function boundsOf(size: number, of: "Length" | "Value", decorators: readonly Decorator[], path: string): string[] {
  return decorators.flatMap(({ name, args: [argument] }) => {
    const bound = argument?.kind === "literal" ? Number(argument.value) : Number.NaN;
    const tooSmall = name === `min${of}` && size < bound;
    const tooBig = name === `max${of}` && size > bound;
    return tooSmall || tooBig ? [`${path}: ${name} is ${bound}, found ${size}`] : [];
  });
}
