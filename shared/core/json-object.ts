/**
 * Unambiguous JSON objects. Of two members with the same name, `JSON.parse` uses the last, and another parser or a
 * reader may use the first. The service therefore refuses repeated names in tokens (RFC 7515 section 4 and RFC 7519
 * section 4 allow that) and in the policy. No I/O. The caller limits the size of the input.
 */
import { endOfString, parseJson } from "./json-text.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** `ignoreBOM` leaves a byte order mark in the text, and `JSON.parse` then refuses it. */
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads an object strictly: UTF-8 without byte order mark, and no repeated member name at any depth. */
export function readJsonObject(bytes: Uint8Array): JsonObject | undefined {
  let text: string;
  try {
    text = STRICT_UTF8.decode(bytes);
  } catch {
    return undefined;
  }
  const value = parseJson(text);
  return isJsonObject(value) && repeatedMembers(text).length === 0 ? value : undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member's value, or `undefined` if it is absent. Never reads the prototype, even for names such as `__proto__`. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * Paths, with dots, of the members that repeat the name of an earlier member of the same object. `text` is valid JSON.
 */
export function repeatedMembers(text: string): string[] {
  const open: Place[] = [];
  const repeated: string[] = [];
  let lastString = '""';
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        lastString = text.slice(at, end + 1);
        at = end;
        break;
      }
      case "{":
        open.push({ names: new Set(), reading: "" });
        break;
      case "[":
        open.push({ names: undefined, reading: 0 });
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case ",":
        nextElement(open.at(-1));
        break;
      case ":":
        if (repeatsMember(open.at(-1), lastString)) {
          repeated.push(open.map(({ reading }) => reading).join("."));
        }
        break;
    }
  }
  return repeated;
}

// ------------------------------------------------------------------------------------------------------------------

/** An open object or array, and the member or element that is being read. */
interface Place {
  readonly names: Set<string> | undefined;
  reading: string | number;
}

function nextElement(place: Place | undefined): void {
  if (typeof place?.reading === "number") {
    place.reading += 1;
  }
}

/** A colon outside a string ends a member name of the innermost open object. */
function repeatsMember(place: Place | undefined, quoted: string): boolean {
  if (place?.names === undefined) return false;
  const name = quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
  const repeats = place.names.has(name);
  place.names.add(name);
  place.reading = name;
  return repeats;
}
