/** docs/conformance.md has a chapter for every standard, and the tests that it names exist. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

const repository = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(resolve(repository, path), "utf8");

const STANDARDS = [6749, 6750, 7009, 7523, 7636, 8693, 8414, 9126, 9207, 9728, 9457, 9700, 8707, 9110];
const MIN_RULES = 3;

interface Rule {
  readonly section: string;
  readonly rule: string;
  readonly tests: readonly { readonly path: string; readonly title: string }[];
}

const chapters = new Map(
  read("docs/conformance.md")
    .split(/^## /m)
    .slice(1)
    .map((text): [string, readonly Rule[]] => [text.split("\n", 1)[0] ?? "", rulesOf(text)]),
);

function rulesOf(text: string): readonly Rule[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (Section|---)/.test(line));
  return rows.map((row) => {
    const [section = "", rule = "", tests = ""] = row.slice(2, -2).split(" | ");
    return { section, rule, tests: tests.split("<br>").map(testOf) };
  });
}

function testOf(cell: string): { path: string; title: string } {
  const [, path = "", title = ""] = /^`(test\/[\w/.-]+\.test\.ts)` › (.+)$/.exec(cell.trim()) ?? [];
  return { path, title };
}

test("docs/conformance.md has a chapter with at least three rules for every standard", () => {
  const numbers = [...chapters].map(([heading, rules]) => {
    expect(rules.length).toBeGreaterThanOrEqual(MIN_RULES);
    return Number(/^RFC (\d+): /.exec(heading)?.[1]);
  });
  expect(numbers).toEqual(STANDARDS);
});

describe.each([...chapters])("%s", (_heading, rules) => {
  test.each(rules)("$section $rule: the named tests exist", ({ section, tests }) => {
    expect(section).toMatch(/^[\dA-Z][\d., A-Z]*$/);
    for (const { path, title } of tests) {
      expect(path, "a cell of the form `file` › title").not.toBe("");
      expect(existsSync(resolve(repository, path)), path).toBe(true);
      expect(unescaped(read(path)), `${path} › ${title}`).toContain(title);
    }
  });
});

/** The source with unescaped quotes, so that it contains the titles as they are displayed. */
function unescaped(source: string): string {
  return source.replace(/\\(["'`])/g, "$1");
}
