/**
 * The guards that `npm run mutate -- --guards` takes away. That run is long, so this test only looks at the texts: the guard
 * stands where the table says, and the cited test exists.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withoutGuard } from "../../mutation/guards/check-guards.ts";
import { LOST_GUARDS } from "../../mutation/guards/lost-guards.ts";
import { SECURITY_GUARDS } from "../../mutation/guards/security-guards.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe.each([...SECURITY_GUARDS, ...LOST_GUARDS])("the guard: $claim", (guard) => {
  test("stands once in its file, and taking it away changes the file", () => {
    expect(withoutGuard(guard)).not.toBe(undefined);
    expect(withoutGuard(guard)).not.toBe(read(guard.file));
  });

  test("has a test with the cited title", () => {
    const source = read(guard.test);
    expect(guard.titles.length).toBeGreaterThan(0);
    for (const title of guard.titles) expect(source).toContain(`"${title}`);
  });
});

test.each(SECURITY_GUARDS)("SECURITY.md cites the test of: $claim", ({ test: path, titles }) => {
  const security = read("SECURITY.md");
  const rows = security.split("\n").filter((row) => row.includes(`](${path})`));
  expect(titles.some((title) => rows.some((row) => row.includes(`\`${title}\``)))).toBe(true);
});
