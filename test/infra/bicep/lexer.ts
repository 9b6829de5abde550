/**
 * Text to tokens. Line ends are tokens, as they separate statements and elements; comments vanish; a string becomes
 * its pieces and the tokens of the expressions between them.
 */
import { BicepSyntaxError } from "./syntax.ts";

export type Token =
  | { readonly kind: "name" | "symbol" | "newline" | "end"; readonly text: string; readonly line: number }
  | { readonly kind: "number"; readonly text: string; readonly line: number }
  | { readonly kind: "string"; readonly parts: readonly (string | readonly Token[])[]; readonly line: number };

const SYMBOLS = ["=>", "==", "!=", "<=", ">=", "&&", "||", "??", "::", ".?", ..."=!<>?:.,()[]{}@|*+-%/"] as const;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", $: "$" };

interface Cursor {
  readonly text: string;
  at: number;
  line: number;
}

export function readTokens(text: string): Token[] {
  const cursor: Cursor = { text: text.replaceAll("\r\n", "\n"), at: 0, line: 1 };
  const tokens = readUntil(cursor, undefined);
  return [...tokens, { kind: "newline", text: "\n", line: cursor.line }, { kind: "end", text: "", line: cursor.line }];
}

/** Up to the end of the text or, inside a string, up to the brace that closes the expression. */
function readUntil(cursor: Cursor, closing: "}" | undefined): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  while (cursor.at < cursor.text.length) {
    if (skipTrivia(cursor)) {
      continue;
    }
    const token = readToken(cursor);
    depth += nesting(token);
    if (closing !== undefined && depth < 0) {
      return tokens;
    }
    tokens.push(token);
  }
  if (closing !== undefined) {
    throw new BicepSyntaxError(`line ${cursor.line}: the expression in a string does not end`);
  }
  return tokens;
}

function nesting(token: Token): number {
  if (token.kind !== "symbol") {
    return 0;
  }
  if (token.text === "{") {
    return 1;
  }
  return token.text === "}" ? -1 : 0;
}

function skipTrivia(cursor: Cursor): boolean {
  const trivia = /^(?:[ \t]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(cursor.text.slice(cursor.at));
  if (trivia === null) {
    return false;
  }
  cursor.line += trivia[0].split("\n").length - 1;
  cursor.at += trivia[0].length;
  return true;
}

function readToken(cursor: Cursor): Token {
  const rest = cursor.text.slice(cursor.at);
  const line = cursor.line;
  const word = /^(?:\n|[A-Za-z_]\w*|\d+)/.exec(rest)?.[0];
  if (word === "\n") {
    cursor.line += 1;
    cursor.at += 1;
    return { kind: "newline", text: word, line };
  }
  if (word !== undefined) {
    cursor.at += word.length;
    return { kind: /^\d/.test(word) ? "number" : "name", text: word, line };
  }
  if (rest.startsWith("'")) {
    return readString(cursor);
  }
  const symbol = SYMBOLS.find((candidate) => rest.startsWith(candidate));
  if (symbol === undefined) {
    throw new BicepSyntaxError(`line ${line}: unexpected ${JSON.stringify(rest[0])}`);
  }
  cursor.at += symbol.length;
  return { kind: "symbol", text: symbol, line };
}

function readString(cursor: Cursor): Token {
  const line = cursor.line;
  const parts: (string | Token[])[] = [];
  let piece = "";
  cursor.at += 1;
  for (;;) {
    const char = cursor.text[cursor.at];
    if (char === undefined || char === "\n") {
      throw new BicepSyntaxError(`line ${line}: the string does not end`);
    }
    cursor.at += 1;
    if (char === "'") {
      return { kind: "string", parts: [...parts, piece], line };
    }
    if (char === "\\") {
      piece += readEscape(cursor);
    } else if (char === "$" && cursor.text[cursor.at] === "{") {
      cursor.at += 1;
      parts.push(piece, readUntil(cursor, "}"));
      piece = "";
    } else {
      piece += char;
    }
  }
}

function readEscape(cursor: Cursor): string {
  const escaped = ESCAPES[cursor.text[cursor.at] ?? ""];
  if (escaped === undefined) {
    throw new BicepSyntaxError(`line ${cursor.line}: unknown escape in a string`);
  }
  cursor.at += 1;
  return escaped;
}
