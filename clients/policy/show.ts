/** Text of a file, safe to show in a terminal, in a log and in a comment. Pure. */

/** Longer values are cut. */
const MAX_VALUE = 80;

/** Columns of a source line that are shown. */
const MAX_LINE = 110;

/** A value as JSON on one line, without control and format characters. */
export function showValue(value: unknown): string {
  const text = escaped(JSON.stringify(value) ?? "");
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

/** Control characters and those that change the direction of text become escape sequences. */
export function escaped(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** The line with the span, and carets under the span. A long line is cut on both sides. */
export function excerpt(text: string, offset: number, length: number): readonly [line: string, carets: string] {
  const before = text.slice(0, offset);
  const start = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  const line = text.slice(start).split(/[\r\n]/, 1)[0] ?? "";
  const column = offset - start;
  const from = column + length <= MAX_LINE ? 0 : Math.max(0, column - 40);
  const shown = line.slice(from, from + MAX_LINE);
  const cut = from === 0 ? "" : "…";
  const width = Math.max(1, Math.min(length, shown.length - (column - from)));
  return [
    `${cut}${oneCell(shown)}${from + MAX_LINE < line.length ? "…" : ""}`,
    `${" ".repeat(cut.length + column - from)}${"^".repeat(width)}`,
  ];
}

// ---------------------------------------------------------------------------------------------------------------

/** Keeps the columns: each character that has no visible form becomes one space. */
function oneCell(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ");
}
