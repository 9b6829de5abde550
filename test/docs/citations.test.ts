/** docs/reliability.md, docs/security-tests.md and docs/promises.md: every cited test exists by its title, every code too. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { markdownFile, root, section, tableRows } from "./support/markdown.ts";
import { wireCodes } from "./support/wire-codes.ts";

const CITATION = /\]\(\.\.\/(test\/[^)]+)\): ((?:`[^`]+`(?:, )?)+)/g;
const PAGES = ["docs/reliability.md", "docs/security-tests.md", "docs/promises.md"];

describe.each(PAGES)("%s", (path) => {
  const { text } = markdownFile(path);
  const citations = [...text.matchAll(CITATION)].flatMap(([, file = "", titles = ""]) =>
    [...titles.matchAll(/`([^`]+)`/g)].map(([, title = ""]): [string, string] => [file, title]),
  );

  test("cites tests", () => {
    expect(citations.length).toBeGreaterThan(9);
  });

  test.each(citations)("%s has the test: %s", (file, title) => {
    expect(readFileSync(join(root, file), "utf8")).toContain(`"${title}"`);
  });
});

describe("docs/reliability.md", () => {
  test.each(tableRows(section(markdownFile("docs/reliability.md").text, "Faults")))("%s", (...cells) => {
    expect(cells).toHaveLength(5);
    expect(cells.at(-1)).toMatch(/\]\(\.\.\/test\/[^)]+\): `/);
  });
});

describe("docs/promises.md", () => {
  const { text } = markdownFile("docs/promises.md");

  test.each(tableRows(section(text, "Limits")))(
    "the limit of %s has a code of the service",
    (_what, _limit, code = "") => {
      expect([...wireCodes().keys()]).toContain(code.replaceAll("`", ""));
    },
  );

  test.each(tableRows(section(text, "What holds")))(
    "%s is shown by a test or a measure",
    (_promise, _value, shown = "") => {
      expect(shown).toMatch(/\]\(\.\.\/test\/|npm run bench|#availability/);
    },
  );
});
