/** The description of the API as the code writes it, and as docs/openapi.json has it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeApi } from "../../../docs/reference/openapi/document.ts";
import type { Part } from "../../../docs/reference/openapi/schema.ts";
import { root } from "./markdown.ts";
import { wireCodes } from "./wire-codes.ts";

export const DESCRIPTION_PATH = join(root, "docs/openapi.json");

export interface Described {
  readonly path: string;
  /** In upper case. */
  readonly method: string;
  readonly operation: Operation;
}

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly Part[];
  readonly parameters?: readonly Part[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Part>>;
}

export interface MediaType {
  readonly schema?: Part;
  readonly examples?: Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>;
}

export interface ApiDescription extends Part {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Part>>>>;
}

export function writtenDescription(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const codes = { problem: wireCodes("problem"), oauth: wireCodes("oauth") };
  return `${JSON.stringify(describeApi(version, codes), undefined, 2)}\n`;
}

export function apiDescription(): ApiDescription {
  return JSON.parse(readFileSync(DESCRIPTION_PATH, "utf8")) as ApiDescription;
}

export function operationsOf({ paths }: ApiDescription): Described[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

/** The part that a `$ref` names, or the part itself. */
export function resolved<T extends Part>(description: ApiDescription, part: T): Part {
  const [, group = "", name = ""] = /^#\/components\/(\w+)\/(.+)$/.exec(String(part["$ref"])) ?? [];
  return description.components[group]?.[name] ?? part;
}
