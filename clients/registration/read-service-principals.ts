/** Reads the service principals in a JSON text: one, a list, or Graph's `{ "value": [ … ] }`. */
import { type Api, readApi } from "./api.ts";

/** Undefined: the text is not JSON, or an item of it is no service principal. */
export function readServicePrincipals(text: string): readonly Api[] | undefined {
  const value = parseJson(text);
  const found = itemsOf(value).map(readApi);
  return found.length > 0 && found.every((api) => api !== undefined) ? found : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return [];
  return "value" in value && Array.isArray(value.value) ? value.value : [value];
}
