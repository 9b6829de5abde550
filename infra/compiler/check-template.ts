/**
 * Compiles and lints one file, and judges what the compiler says about it: a warning counts like an error. Compiling
 * reports what linting alone would, so there is no second run.
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { BicepProcess, Compiled, Diagnostic } from "./bicep-process.ts";

export interface Finding {
  readonly path: string;
  /** `extension-unreachable`: nothing is wrong but that the registry of the Graph extension could not be reached. */
  readonly outcome: "passed" | "failed" | "extension-unreachable";
  /** Errors and warnings, one line each. */
  readonly problems: readonly string[];
  /** What is worth knowing and depends on the day, for example that a newer API version came out. */
  readonly information: readonly string[];
}

export async function checkTemplate(bicep: BicepProcess, root: string, path: string): Promise<Finding> {
  return toFinding(root, path, await bicep.compile(join(root, path)));
}

/** Exported for its test. */
export function toFinding(root: string, path: string, { success, diagnostics }: Compiled): Finding {
  const linesOf = (...levels: Diagnostic["level"][]) => [
    ...new Set(diagnostics.filter(({ level }) => levels.includes(level)).map((diagnostic) => toLine(root, diagnostic))),
  ];
  const problems = linesOf("Error", "Warning");
  const information = linesOf("Info");
  if (problems.length === 0) {
    // It never happened, and if it does the file must not pass.
    const silent = ["the compiler made nothing of it, and does not say why"];
    return { path, outcome: success ? "passed" : "failed", problems: success ? [] : silent, information };
  }
  return {
    path,
    outcome: onlyExtensionMissing(diagnostics) ? "extension-unreachable" : "failed",
    problems,
    information,
  };
}

function toLine(root: string, { source, range, level, code, message }: Diagnostic): string {
  const place = `${relative(root, source).replaceAll("\\", "/")}(${range.start.line + 1},${range.start.char + 1})`;
  return `${place} : ${level} ${code}: ${message}`;
}

/** The artifact could not be restored: just now, or before. */
const NOT_RESTORED = new Set(["BCP190", "BCP192"]);

/**
 * Whether every problem is that the Graph extension could not be restored or follows from it. What follows is known by
 * the place that it names: the same code anywhere else is a mistake of the file.
 */
function onlyExtensionMissing(diagnostics: readonly Diagnostic[]): boolean {
  const problems = diagnostics.filter(({ level }) => level === "Error" || level === "Warning");
  const missing = problems.filter(
    ({ code, message }) => NOT_RESTORED.has(code) && message.includes("/microsoftgraph/"),
  );
  return missing.length > 0 && problems.every((problem) => missing.includes(problem) || followsFromIt(problem));
}

function followsFromIt({ source, range, code }: Diagnostic): boolean {
  const text = readFileSync(source, "utf8");
  const from = (text.split("\n")[range.start.line] ?? "").slice(range.start.char);
  switch (code) {
    case "BCP029": // The type of a resource is unknown.
      return from.startsWith("'Microsoft.Graph/");
    case "BCP062": {
      // The declaration that is named here is not valid.
      const name = /^\w+/.exec(from)?.[0] ?? "";
      return new RegExp(`^resource ${name} 'Microsoft\\.Graph/`, "m").test(text);
    }
    default:
      return false;
  }
}
