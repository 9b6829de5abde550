/** Why a text is not JSON, in words for a person who writes it in an editor. Pure. */
import { createScanner, type ParseError, type ParseErrorCode, parseTree } from "jsonc-parser";

export interface Mistake {
  /** In UTF-16 code units from the start of the text. */
  readonly offset: number;
  readonly length: number;
  readonly message: string;
}

/** Empty: the text is JSON. */
export function syntaxMistakes(text: string): Mistake[] {
  if (isJson(text)) return [];
  const errors: ParseError[] = [];
  parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const symbols = symbolOffsets(text);
  const mistakes = errors.map((error) => describe(text, symbols, error));
  const harmless = mistakes.filter(({ recovers }) => recovers);
  // After a comment or a superfluous comma the rest is read as it was meant. After another error it is not.
  const first = mistakes.findIndex(({ recovers }) => !recovers);
  const reported = first < 0 ? harmless : mistakes.slice(0, first + 1);
  const distinct = reported
    .filter(({ offset }, index) => reported.findIndex((one) => one.offset === offset) === index)
    .sort((one, other) => one.offset - other.offset);
  return distinct.length === 0
    ? [{ offset: 0, length: 0, message: "the file is not JSON" }]
    : distinct.map(({ offset, length, message }) => ({ offset, length, message }));
}

// ---------------------------------------------------------------------------------------------------------------

interface Described extends Mistake {
  readonly recovers: boolean;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function describe(text: string, symbols: readonly number[], { error, offset, length }: ParseError): Described {
  const comma = superfluousComma(text, symbols, offset);
  if (comma !== undefined) {
    const message = `a comma before ${text[offset]} is not allowed in JSON; remove it`;
    return { offset: comma, length: 1, message, recovers: true };
  }
  const recovers = error === CODES.InvalidCommentToken;
  // What is missing at the end is shown after the last symbol, and not on an empty line.
  const end = Math.min(offset, text.trimEnd().length);
  const opens = text[symbols.findLast((symbol) => symbol < offset) ?? offset] === "{";
  return { offset: end, length, message: describeCode(error, text.slice(offset, offset + length), opens), recovers };
}

/** Where the symbols of JSON begin, without spaces and comments. */
function symbolOffsets(text: string): number[] {
  const scanner = createScanner(text, true);
  const offsets: number[] = [];
  scanner.scan();
  while (scanner.getTokenLength() > 0) {
    offsets.push(scanner.getTokenOffset());
    scanner.scan();
  }
  return offsets;
}

/** The parser reports what follows a superfluous comma. The position of the comma says more. */
function superfluousComma(text: string, symbols: readonly number[], offset: number): number | undefined {
  if (text[offset] !== "}" && text[offset] !== "]") return undefined;
  const before = symbols.findLast((symbol) => symbol < offset);
  return before !== undefined && text[before] === "," ? before : undefined;
}

/** The enum of the parser, whose names are types only. */
const CODES = {
  InvalidSymbol: 1,
  InvalidNumberFormat: 2,
  PropertyNameExpected: 3,
  ValueExpected: 4,
  ColonExpected: 5,
  CommaExpected: 6,
  CloseBraceExpected: 7,
  CloseBracketExpected: 8,
  EndOfFileExpected: 9,
  InvalidCommentToken: 10,
  UnexpectedEndOfComment: 11,
  UnexpectedEndOfString: 12,
  UnexpectedEndOfNumber: 13,
  InvalidUnicode: 14,
  InvalidEscapeCharacter: 15,
  InvalidCharacter: 16,
} as const satisfies Record<keyof typeof ParseErrorCode, number>;

const MESSAGES: Readonly<Record<number, string>> = {
  [CODES.InvalidNumberFormat]: "this is not a number of JSON",
  [CODES.PropertyNameExpected]: "the name of a member must be here, in double quotes",
  [CODES.ValueExpected]: "a value must be here",
  [CODES.ColonExpected]: "a colon must be here, between the name of a member and its value",
  [CODES.CommaExpected]: "a comma must be here",
  [CODES.CloseBraceExpected]: "a } must be here: an object is not closed",
  [CODES.CloseBracketExpected]: "a ] must be here: a list is not closed",
  [CODES.EndOfFileExpected]: "the file must end here: the policy is one JSON object",
  [CODES.InvalidCommentToken]: "a comment is not allowed in JSON; remove it",
  [CODES.UnexpectedEndOfComment]: "a comment is not allowed in JSON; remove it",
  [CODES.UnexpectedEndOfString]: "this text has no closing double quote",
  [CODES.UnexpectedEndOfNumber]: "this number is not complete",
  [CODES.InvalidUnicode]: "this is not an escape sequence of JSON: write \\u and four hexadecimal digits",
  [CODES.InvalidEscapeCharacter]: 'this is not an escape sequence of JSON; a backslash is written as "\\\\"',
  [CODES.InvalidCharacter]: "this text has a control character, such as a tab or a line break",
};

/** `opens`: the symbol before is the brace that opens an object. */
function describeCode(error: number, symbol: string, opens: boolean): string {
  if (error === CODES.ValueExpected && opens) return "the name of a member or } must be here";
  if (error === CODES.InvalidSymbol && symbol.startsWith("'")) return "text must be in double quotes";
  return MESSAGES[error] ?? "this is not a value of JSON; text must be in double quotes";
}
