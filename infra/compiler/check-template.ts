/**
 * Compiles one file and evaluates the diagnostics of the compiler: a warning counts as an error. Compiling also lints, so
 * there is no separate lint.
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { BicepProcess, Compiled, Diagnostic } from "./bicep-process.ts";

export interface Finding {
  readonly path: string;
  /** `extension-unreachable`: the only problem is that the registry of the Graph extension is unreachable. */
  readonly outcome: "passed" | "failed" | "extension-unreachable";
  /** Errors and warnings, one line each. */
  readonly problems: readonly string[];
  /** Notes that do not fail the check, for example that a newer API version is available. */
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
    // The compiler normally reports why it failed. Without a reason, the file must not pass.
    const unexplained = ["the compiler failed without a diagnostic"];
    return { path, outcome: success ? "passed" : "failed", problems: success ? [] : unexplained, information };
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

/** The extension could not be restored, now or in an earlier request. */
const NOT_RESTORED = new Set(["BCP190", "BCP192"]);

/**
 * Whether every problem is the missing Graph extension or a consequence of it. A consequence is recognised by its code and
 * its position: the same code at any other position is a mistake in the file.
 */
function onlyExtensionMissing(diagnostics: readonly Diagnostic[]): boolean {
  const problems = diagnostics.filter(({ level }) => level === "Error" || level === "Warning");
  const missing = problems.filter(
    ({ code, message }) => NOT_RESTORED.has(code) && message.includes("/microsoftgraph/"),
  );
  return missing.length > 0 && problems.every((problem) => missing.includes(problem) || isConsequence(problem));
}

function isConsequence({ source, range, code }: Diagnostic): boolean {
  const text = readFileSync(source, "utf8");
  const from = (text.split("\n")[range.start.line] ?? "").slice(range.start.char);
  switch (code) {
    case "BCP029": // The resource type is unknown.
      return from.startsWith("'Microsoft.Graph/");
    case "BCP062": {
      // The referenced declaration is not valid.
      const name = /^\w+/.exec(from)?.[0] ?? "";
      return new RegExp(`^resource ${name} 'Microsoft\\.Graph/`, "m").test(text);
    }
    default:
      return false;
  }
}
