/** The shell commands of docs/policy.md, run in order as a reader would paste them, in a copy of the checkout. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fences, markdownFile, root } from "./support/markdown.ts";

const commands = fences(markdownFile("docs/policy.md").text, "sh").flatMap((code) => code.trim().split("\n"));
const hasBash = spawnSync("bash", ["--version"]).status === 0;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gte-policy-docs-"));
  for (const name of readdirSync(root)) symlinkSync(join(root, name), join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string) {
  // The Node of the tests comes first in PATH, as in npm scripts.
  const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return spawnSync("bash", ["-euc", command], { cwd: folder, encoding: "utf8", env: { ...process.env, PATH } });
}

describe.skipIf(!hasBash)("docs/policy.md", () => {
  test("has a command of each kind", () => {
    const kinds = commands.map((command) => /^npm run -s policy -- (\w+)/.exec(command)?.[1]);
    expect(kinds).toEqual(["init", "check", "explain", "test", "diff"]);
  });

  // In order: the first writes the policy that the others read.
  test.each(commands)("%s", (command) => {
    const { status, stdout, stderr } = run(command);
    expect([status, stdout.length > 0, stderr]).toEqual([0, true, expect.not.stringMatching(/error: /)]);
  });
});
