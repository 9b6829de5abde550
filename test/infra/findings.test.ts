/** How infra:check evaluates diagnostics, and which compiler versions it accepts. These tests need no compiler. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Diagnostic } from "../../infra/compiler/bicep-process.ts";
import { toFinding } from "../../infra/compiler/check-template.ts";
import { isNewEnough } from "../../infra/compiler/find-compiler.ts";

const root = mkdtempSync(join(tmpdir(), "gte-findings-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const source = join(root, "entra.bicep");
const TEXT = [
  "extension microsoftGraphV1",
  "resource graph 'Microsoft.Graph/servicePrincipals@v1.0' = {}",
  "resource other 'Microsoft.Other/@' = {}",
  "output a string = graph.id",
  "output b string = other.id",
];
writeFileSync(source, TEXT.join("\n"));

/** A diagnostic at the first occurrence of a text in a line. */
function diagnostic(code: string, line: number, at: string, level: Diagnostic["level"] = "Error"): Diagnostic {
  const char = (TEXT[line] ?? "").indexOf(at);
  const message =
    code === "BCP192" ? 'Unable to restore "br:registry/bicep/extensions/microsoftgraph/v1.0:1.0.0"' : "No.";
  return { source, range: { start: { line, char }, end: { line, char: char + 1 } }, level, code, message };
}

const unreachable = diagnostic("BCP192", 0, "microsoftGraphV1");
const unknownGraphType = diagnostic("BCP029", 1, "'Microsoft.Graph");
const unknownOtherType = diagnostic("BCP029", 2, "'Microsoft.Other");
const invalidGraph = diagnostic("BCP062", 3, "graph.id");
const invalidOther = diagnostic("BCP062", 4, "other.id");

describe("the result of a file", () => {
  test.each([
    ["without diagnostics", [], true, "passed"],
    ["with a warning", [diagnostic("no-unused-params", 3, "a", "Warning")], true, "failed"],
    ["with an error", [diagnostic("BCP018", 3, "a")], false, "failed"],
    ["with information", [diagnostic("use-recent-api-versions", 1, "'", "Info")], true, "passed"],
    ["with a failure without diagnostics", [], false, "failed"],
    ["with an unreachable extension", [unreachable, unknownGraphType, invalidGraph], false, "extension-unreachable"],
    [
      "with an unreachable extension and another error",
      [unreachable, unknownGraphType, diagnostic("BCP018", 3, "a")],
      false,
      "failed",
    ],
    [
      "with an unreachable extension and an unknown type of another provider",
      [unreachable, unknownOtherType],
      false,
      "failed",
    ],
    [
      "with an unreachable extension and an invalid name of another resource",
      [unreachable, unknownGraphType, invalidOther],
      false,
      "failed",
    ],
    ["with unknown Graph types and a reachable extension", [unknownGraphType, invalidGraph], false, "failed"],
  ] as const)("%s", (_, diagnostics, success, outcome) => {
    expect(toFinding(root, "entra.bicep", { success, diagnostics }).outcome).toBe(outcome);
  });

  test("lists a repeated diagnostic once, with a 1-based line and column", () => {
    const error = diagnostic("BCP018", 3, "a string");
    expect(toFinding(root, "entra.bicep", { success: false, diagnostics: [error, error] }).problems).toEqual([
      "entra.bicep(4,8) : Error BCP018: No.",
    ]);
  });
});

test.each([
  ["0.49.2", true],
  ["0.49.10", true],
  ["0.50.0", true],
  ["1.0.0-preview", true],
  ["0.49.1", false],
  ["0.9.9", false],
])("version %s is new enough: %s", (version, enough) => {
  expect(isNewEnough(version)).toBe(enough);
});
