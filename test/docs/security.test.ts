/** SECURITY.md: every threat has a control in a file that exists, and a test that exists by that title. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { markdownFile, root, section, tableRows } from "./support/markdown.ts";

const { text } = markdownFile("SECURITY.md");
const LETTERS = [
  "Spoofing",
  "Tampering",
  "Repudiation",
  "Information disclosure",
  "Denial of service",
  "Elevation of privilege",
];
const threats = LETTERS.flatMap((letter) => tableRows(section(text, letter)));

describe("threats", () => {
  test.each(LETTERS)("%s has at least three", (letter) => {
    expect(tableRows(section(text, letter)).length).toBeGreaterThanOrEqual(3);
  });

  test.each(threats)("%s", (_threat, control = "", cited = "") => {
    const files = [...control.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path ?? "");
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([]);

    const citations = [...cited.matchAll(/\]\((test\/[^)]+)\): ((?:`[^`]+`(?:, )?)+)/g)];
    expect(citations.length).toBeGreaterThan(0);
    for (const [, path = "", titles = ""] of citations) {
      const source = readFileSync(join(root, path), "utf8");
      for (const [, title = ""] of titles.matchAll(/`([^`]+)`/g)) {
        expect(source, path).toContain(`"${title}"`);
      }
    }
  });
});
