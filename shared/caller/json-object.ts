/**
 * Stage 1 of 5: caller. Reads one JSON object from bytes, strictly: UTF-8 without byte order mark, an object at the
 * top, and no member name twice at any depth. `JSON.parse` keeps the last of two members where another parser keeps the
 * first, and a token must not mean two things (RFC 7515 section 4, RFC 7519 section 4 allow refusing it).
 * Pure: no I/O. The input is bounded by the caller of this file.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

/** `ignoreBOM` keeps a byte order mark in the text, where `JSON.parse` refuses it. */
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The marks of valid JSON that matter for finding member names. */
const STRINGS_AND_OBJECTS = /"(?:[^"\\]|\\.)*"|[{}:]/g;

export function readJsonObject(bytes: Uint8Array): JsonObject | undefined {
  let text: string;
  let value: unknown;
  try {
    text = STRICT_UTF8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isJsonObject(value) && !repeatsMember(text) ? value : undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member's value, `undefined` when absent. Never looks at the prototype, whatever the name. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** `text` is valid JSON. A colon outside strings ends a member name of the innermost open object. */
function repeatsMember(text: string): boolean {
  const open: Set<unknown>[] = [];
  let lastString = '""';
  for (const [mark] of text.matchAll(STRINGS_AND_OBJECTS)) {
    if (mark === "{") {
      open.push(new Set());
    } else if (mark === "}") {
      open.pop();
    } else if (mark === ":") {
      const names = open.at(-1);
      const name: unknown = JSON.parse(lastString);
      if (names?.has(name)) return true;
      names?.add(name);
    } else {
      lastString = mark;
    }
  }
  return false;
}
