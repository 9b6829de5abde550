/** Converts the Graph types to the input of `bicep publish-extension`: an index and a list of types that reference each other. */
import type { GraphObject, GraphProperty, GraphType } from "./graph-types.ts";

export interface TypeIndex {
  /** index.json */
  readonly index: object;
  /** types.json */
  readonly types: readonly object[];
}

interface Reference {
  readonly $ref: string;
}

/** The name and version of Microsoft's extension, which also appear in the compiled template. */
const SETTINGS = { name: "MicrosoftGraph", version: "1.0.0", isSingleton: false };
const API_VERSION = "v1.0";
const GUID = { minLength: 36, maxLength: 36, pattern: "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$" };
const FLAGS = { required: 1, readOnly: 2, constant: 8, key: 16 } as const;

export function toTypeIndex(resources: Readonly<Record<string, GraphObject>>): TypeIndex {
  const types: object[] = [];
  const add = (type: object): Reference => ({ $ref: `#/${types.push(type) - 1}` });
  const declared = Object.entries(resources).map(([name, properties]) => {
    const literal = (value: string) => ({
      type: add({ $type: "StringLiteralType", value }),
      flags: FLAGS.readOnly | FLAGS.constant,
    });
    const body = add({
      $type: "ObjectType",
      name,
      properties: { type: literal(name), apiVersion: literal(API_VERSION), ...propertiesOf(add, name, properties) },
    });
    const type = add({ $type: "ResourceType", name: `${name}@${API_VERSION}`, scopeType: 0, body, flags: 0 });
    return [`${name}@${API_VERSION}`, { $ref: `types.json${type.$ref}` }] as const;
  });
  return { index: { resources: Object.fromEntries(declared), resourceFunctions: {}, settings: SETTINGS }, types };
}

type Add = (type: object) => Reference;

function propertiesOf(add: Add, path: string, properties: GraphObject): Record<string, object> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      { type: typeOf(add, `${path}.${name}`, property.type), flags: flagsOf(property) },
    ]),
  );
}

/** `path` is the name of an object type in the messages of the compiler. */
function typeOf(add: Add, path: string, type: GraphType): Reference {
  switch (type) {
    case "text":
      return add({ $type: "StringType" });
    case "guid":
      return add({ $type: "StringType", ...GUID });
    case "flag":
      return add({ $type: "BooleanType" });
    case "number":
      return add({ $type: "IntegerType" });
    default:
      return isList(type)
        ? add({ $type: "ArrayType", itemType: typeOf(add, path, type[0]) })
        : add({ $type: "ObjectType", name: path, properties: propertiesOf(add, path, type) });
  }
}

function isList(type: readonly [GraphType] | GraphObject): type is readonly [GraphType] {
  return Array.isArray(type);
}

function flagsOf(property: GraphProperty): number {
  const names = Object.keys(FLAGS) as (keyof typeof FLAGS)[];
  return names.reduce((flags, name) => (property[name] === true ? flags | FLAGS[name] : flags), 0);
}
