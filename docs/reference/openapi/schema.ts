/** Short forms for the parts of the description: JSON Schema (draft 2020-12) and OpenAPI 3.1. Pure. */

/** A JSON Schema, or an object of OpenAPI. */
export interface Part {
  readonly [keyword: string]: unknown;
}

export type Parts = Readonly<Record<string, Part>>;

export function text(description: string, more: Part = {}): Part {
  return { type: "string", description, ...more };
}

export function list(items: Part, description: string, more: Part = {}): Part {
  return { type: "array", description, items, ...more };
}

export function time(description: string): Part {
  return text(description, { format: "date-time" });
}

export function guid(description: string): Part {
  return text(description, { format: "uuid" });
}

/** An object with these members. A name that ends with `?` is an optional member. */
export function object(members: Parts, more: Part = {}): Part {
  const names = Object.keys(members);
  const required = names.filter((name) => !name.endsWith("?"));
  return {
    type: "object",
    ...more,
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ""), members[name]])),
  };
}

export function schemaRef(name: string): Part {
  return { $ref: `#/components/schemas/${name}` };
}

export function parameterRef(name: string): Part {
  return { $ref: `#/components/parameters/${name}` };
}

export function query(name: string, schema: Part, more: Part = {}): Part {
  const { description, ...bare } = schema;
  return { name, in: "query", description, ...more, schema: bare };
}

/** A body or a response of one media type. */
export function content(mediaType: string, schema: Part, more: Part = {}): { readonly content: Parts } {
  return { content: { [mediaType]: { schema, ...more } } };
}

export const JSON_TYPE = "application/json";
export const FORM_TYPE = "application/x-www-form-urlencoded";
export const HTML_TYPE = "text/html";
export const PROBLEM_TYPE = "application/problem+json";
