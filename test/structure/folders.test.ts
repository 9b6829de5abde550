/** Every folder of shared/, functions/ and local/ with two files or more has a README.md of one form. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

function foldersBelow(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  const parents = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return [folder, ...parents.map((path) => relative(root, path).split(sep).join("/"))];
}

function hasSeveralFiles(folder: string): boolean {
  const files = readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.filter(({ name }) => name !== "README.md").length >= 2;
}

const folders = ["shared", "functions", "local"].flatMap(foldersBelow).filter(hasSeveralFiles);

describe("the README.md of a folder", () => {
  test("is looked for in folders at every depth", () => {
    expect(folders).toEqual(expect.arrayContaining(["functions", "shared/cache/redis", "local/tenant/sign-in/pages"]));
  });

  test.each(folders)("%s has one: title, In, Out and Never, in five lines", (folder) => {
    const path = join(root, folder, "README.md");
    expect(existsSync(path)).toBe(true);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    const name = folder.split("/").at(-1);
    expect(lines.map((line) => line.split(":", 1)[0])).toEqual([`# ${name}`, "", "- In", "- Out", "- Never"]);
  });
});
