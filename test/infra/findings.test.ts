/** How infra:check judges what the compiler says, and which compilers it takes. Needs no compiler. */
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

/** A diagnostic at the place where the text of a line starts. */
function says(code: string, line: number, at: string, level: Diagnostic["level"] = "Error"): Diagnostic {
  const char = (TEXT[line] ?? "").indexOf(at);
  const message =
    code === "BCP192" ? 'Unable to restore "br:registry/bicep/extensions/microsoftgraph/v1.0:1.0.0"' : "No.";
  return { source, range: { start: { line, char }, end: { line, char: char + 1 } }, level, code, message };
}

const unreachable = says("BCP192", 0, "microsoftGraphV1");
const unknownGraphType = says("BCP029", 1, "'Microsoft.Graph");
const unknownOtherType = says("BCP029", 2, "'Microsoft.Other");
const invalidGraph = says("BCP062", 3, "graph.id");
const invalidOther = says("BCP062", 4, "other.id");

describe("what the compiler says", () => {
  test.each([
    ["nothing", [], true, "passed"],
    ["a warning", [says("no-unused-params", 3, "a", "Warning")], true, "failed"],
    ["an error", [says("BCP018", 3, "a")], false, "failed"],
    ["information", [says("use-recent-api-versions", 1, "'", "Info")], true, "passed"],
    ["a failure without words", [], false, "failed"],
    ["an extension out of reach", [unreachable, unknownGraphType, invalidGraph], false, "extension-unreachable"],
    ["and another error", [unreachable, unknownGraphType, says("BCP018", 3, "a")], false, "failed"],
    ["and a type that the extension would not know", [unreachable, unknownOtherType], false, "failed"],
    ["and a name that it does not explain", [unreachable, unknownGraphType, invalidOther], false, "failed"],
    ["consequences without a cause", [unknownGraphType, invalidGraph], false, "failed"],
  ] as const)("%s", (_, diagnostics, success, outcome) => {
    expect(toFinding(root, "entra.bicep", { success, diagnostics }).outcome).toBe(outcome);
  });

  test("is told once, with its place as an editor counts it", () => {
    const error = says("BCP018", 3, "a string");
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
