/**
 * A JSON file as a person wrote it: its text, and where each value is. The service reads a policy with `JSON.parse`, which
 * knows no positions. Only this folder loads the parser that does.
 */
import { readFileSync } from "node:fs";
import { isTooDeep } from "../../shared/core/json-text.ts";
import { type Mistake, syntaxMistakes } from "./syntax-mistakes.ts";

export type ReadFile =
  /** JSON. Its values may still be wrong. */
  | { readonly kind: "json"; readonly text: string }
  /** Not JSON, and why. */
  | { readonly kind: "mistakes"; readonly text: string; readonly mistakes: readonly Mistake[] }
  | { readonly kind: "unreadable"; readonly problem: string };

/** A policy of 500 callers has 200 KB. */
const MAX_BYTES = 4 * 1024 * 1024;

export function readJsonFile(path: string): ReadFile {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { kind: "unreadable", problem: `cannot read ${path}: ${reasonOf(error)}` };
  }
  if (bytes.length > MAX_BYTES) return { kind: "unreadable", problem: `${path} is larger than 4 MB` };
  return readJsonBytes(bytes, path);
}

// ---------------------------------------------------------------------------------------------------------------

function readJsonBytes(bytes: Uint8Array, path: string): ReadFile {
  const text = decode(bytes);
  if (text === undefined) {
    const message = "the file is not UTF-8; save it as UTF-8 (Windows PowerShell: Set-Content -Encoding utf8)";
    return { kind: "mistakes", text: "", mistakes: [{ offset: 0, length: 0, message }] };
  }
  const mistakes = wholeFileMistakes(text, path) ?? syntaxMistakes(text);
  return mistakes.length === 0 ? { kind: "json", text } : { kind: "mistakes", text, mistakes };
}

/** `TextDecoder` removes a byte order mark, as the service does. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Files of which the first syntax error would say little. */
function wholeFileMistakes(text: string, path: string): Mistake[] | undefined {
  const start = text.search(/\S/);
  if (start < 0) return [{ offset: 0, length: 0, message: "the file is empty" }];
  if (/\.ya?ml$/i.test(path) || /^(?:---|%YAML|[\w$-]+:(?:\s|$))/.test(text.slice(start))) {
    const { length } = text.slice(start).split(/[\r\n]/, 1)[0] ?? "";
    return [{ offset: start, length, message: "the file is YAML, not JSON; write it as JSON" }];
  }
  return isTooDeep(text) ? [{ offset: start, length: 1, message: "objects and lists are nested too deep" }] : undefined;
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "there is no such file";
    case "EISDIR":
      return "it is a folder";
    case "EACCES":
      return "access is denied";
    default:
      return "it cannot be opened";
  }
}
