/** JSON that keeps the spelling of its numbers: `JSON.parse` alone turns 12345678901234567890 into another number. Pure. */

/** `JSON.rawJSON` and the source text of the reviver are in Node 22; the types of TypeScript do not have them yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** The value, whose numbers `JSON.stringify` writes as they were. Undefined: not JSON in UTF-8. */
export function parseExactly(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text, keepNumber as (key: string, value: unknown) => unknown);
  } catch {
    return undefined;
  }
}

/** JSON text of a value from `parseExactly`. Undefined: it is nested too deeply. */
export function writeExactly(value: unknown): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(value));
  } catch {
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------------------------

function keepNumber(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === "number" && source !== undefined ? rawJSON(source) : value;
}
