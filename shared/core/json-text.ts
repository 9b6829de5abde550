/**
 * JSON from outside the service. `JSON.parse` reads any depth, but functions that walk a value call themselves for each
 * level, `JSON.stringify` among them, and overflow the stack. So this function limits the depth before a value exists. The
 * caller limits the size.
 */

/** Nested objects and arrays. Entra's tokens and responses, and every request of this service, need less than ten. */
export const JSON_DEPTH_MAX = 32;

/** The value of a JSON text. Undefined: it is not JSON, or deeper than `JSON_DEPTH_MAX`. */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** True if more than `JSON_DEPTH_MAX` objects and arrays are open at once. Brackets inside strings do not count. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= JSON_DEPTH_MAX; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case "{":
      case "[":
        depth += 1;
        break;
      case "}":
      case "]":
        depth -= 1;
        break;
    }
  }
  return depth > JSON_DEPTH_MAX;
}

/** The index of the quotation mark that ends the string that begins at `start`. */
export function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') {
    end += text[end] === "\\" ? 2 : 1;
  }
  return end;
}
