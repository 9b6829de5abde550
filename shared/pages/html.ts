/**
 * HTML as a separate type. The template escapes every value, so that text from outside (names, scopes, policy texts)
 * can never become markup. Only values of type `Html` are inserted unescaped, and only this file creates them.
 */
declare const escaped: unique symbol;

export interface Html {
  readonly [escaped]: true;
  readonly text: string;
}

type Value = string | number | Html | readonly Html[];

/** Safe for values between tags and in double-quoted attributes. Do not use values anywhere else. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const text = parts.map((part, index) => part + toText(values[index] ?? "")).join("");
  return { text } as Html;
}

/** Constant text that is not escaped: a style sheet or a script. Never a value from outside. */
export function constantText(text: string): Html {
  return { text } as Html;
}

// ------------------------------------------------------------------------------------------------------------------

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
