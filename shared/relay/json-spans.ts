/**
 * The parts of a JSON text as texts: what the service only passes on keeps its spelling (12345678901234567890 is another
 * number after `JSON.parse`), and costs one scan instead of one value for each number in it. Pure.
 */
import { endOfString, parseJson } from "../core/json-text.ts";

/** A member of an object or an element of a list. */
export interface Part {
  /** Decoded name of a member. Empty for an element. */
  readonly name: string;
  /** JSON text of the value. */
  readonly text: string;
}

/**
 * The parts of an object or a list, in their order; of a repeated name, each. Undefined: the text is neither, has more
 * than `max` parts, or has no such form. What is inside a part is not checked.
 */
export function partsOf(text: string, max: number): readonly Part[] | undefined {
  const open = skipSpace(text, 0);
  const close = { "{": "}", "[": "]" }[text[open] ?? ""];
  if (close === undefined) return undefined;
  const parts: Part[] = [];
  let end = skipSpace(text, open + 1);
  for (let more = text[end] !== close; more; more = text[end] === ",") {
    const start = parts.length === 0 ? end : skipSpace(text, end + 1);
    const part = parts.length < max ? readPart(text, start, close === "}") : undefined;
    if (part === undefined) return undefined;
    parts.push({ name: part.name, text: part.text });
    end = part.end;
  }
  return text[end] === close && skipSpace(text, end + 1) === text.length ? parts : undefined;
}

/** The text of a member. Of a repeated one the last, as `JSON.parse` reads it. */
export function memberText(parts: readonly Part[], name: string): string | undefined {
  return parts.findLast((part) => part.name === name)?.text;
}

/** True if a JSON text has more than `max` values. Counts without making them: each but the first follows one of `[{,`. */
export function hasMoreValues(text: string, max: number): boolean {
  let values = 1;
  for (let at = 0; at < text.length && values <= max; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === "[" || character === "{" || character === ",") values += 1;
  }
  return values > max;
}

// ---------------------------------------------------------------------------------------------------------------

const SPACE = " \t\n\r";

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && SPACE.includes(text[at] ?? "")) at += 1;
  return at;
}

/** `end` is the index of the separator behind the part. */
function readPart(text: string, start: number, named: boolean): (Part & { readonly end: number }) | undefined {
  if (!named) return readValue(text, start, "");
  if (text[start] !== '"') return undefined;
  const end = endOfString(text, start) + 1;
  const name = parseJson(text.slice(start, end));
  const colon = skipSpace(text, end);
  return typeof name !== "string" || text[colon] !== ":"
    ? undefined
    : readValue(text, skipSpace(text, colon + 1), name);
}

function readValue(text: string, start: number, name: string): (Part & { readonly end: number }) | undefined {
  const end = endOfValue(text, start);
  const value = text.slice(start, end).trimEnd();
  return value === "" ? undefined : { name, text: value, end };
}

/** The index of the comma or bracket behind the value, outside of what the value itself opens. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (depth === 0 && ",}]".includes(character)) break;
    if (character === '"') at = endOfString(text, at);
    else depth += DEPTH[character] ?? 0;
  }
  return at;
}

const DEPTH: Readonly<Record<string, number>> = { "{": 1, "[": 1, "}": -1, "]": -1 };
