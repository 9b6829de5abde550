/**
 * HTML as a type of its own: a template that escapes every value, so that text from outside (names, scopes, a policy's
 * words) can only ever be text. What is already `Html` goes in as it is, and only this file makes it. Pure.
 */
declare const escaped: unique symbol;

export interface Html {
  readonly [escaped]: true;
  readonly text: string;
}

type Value = string | number | Html | readonly Html[];

/** Safe between tags and inside double-quoted attributes; nowhere else are values put. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const text = parts.map((part, index) => part + toText(values[index] ?? "")).join("");
  return { text } as Html;
}

/** Text of our own that is neither HTML nor escaped in its place: a style sheet, a script. Never a value from outside. */
export function ownText(text: string): Html {
  return { text } as Html;
}

function toText(value: Value): string {
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return "text" in value ? value.text : value.map(({ text }) => text).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
