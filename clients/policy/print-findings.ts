/** Findings as text for people and as JSON for programs. Pure. */
import type { Finding } from "./findings.ts";
import { excerpt } from "./show.ts";

/** `file:line:column` first, which editors and terminals turn into a link. */
export function formatFinding(file: string, text: string, finding: Finding): string {
  const { severity, line, column, span, message } = finding;
  const [source, carets] = excerpt(text, span.offset, span.length);
  const indent = " ".repeat(String(line).length);
  const shown = source.trim() === "" ? [] : [`  ${line} | ${source}`, `  ${indent} | ${carets}`];
  return [`${file}:${line}:${column}: ${severity}: ${message}`, ...shown, ...explanations(finding)].join("\n");
}

export function toJson({ span: _, ...finding }: Finding, file: string) {
  return { file, ...finding };
}

export function countsOf(findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]) => findings.filter((one) => one.severity === severity).length;
  const [errors, warnings] = [count("error"), count("warning")];
  return `${errors} ${errors === 1 ? "error" : "errors"}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
}

// ---------------------------------------------------------------------------------------------------------------

function explanations({ meaning, effect, remedies = [] }: Finding): string[] {
  return [...(meaning === undefined ? [] : [`  meaning: ${meaning}`]), `  effect:  ${effect}`, ...listed(remedies)];
}

function listed([first, ...more]: readonly string[]): string[] {
  if (first === undefined) return [];
  return more.length === 0
    ? [`  remedy:  ${first}`]
    : ["  remedy:  one of", ...[first, ...more].map((text) => `    - ${text}`)];
}
