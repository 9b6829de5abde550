/** docs/facts.md has a row for every fact id that the repository cites, and no other row. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { markdownFile, root, tableRows } from "./support/markdown.ts";

const PREFIXES = ["E", "TC", "KV", "CC", "JW", "SEC", "TK", "GW", "RF", "PP"];
const CITED_IN = "{shared,functions,local,clients,connectors,test,docs,infra}/**/*.{ts,md,http,bicep,kql}";
const ID = new RegExp(`\\b(${PREFIXES.join("|")})-(\\d+)\\b(?: to (?:${PREFIXES.join("|")})-(\\d+))?`, "g");

const facts = markdownFile("docs/facts.md").text;
const rows = tableRows(facts);
const ids = rows.map(([first = ""]) => first.replace(/<a id="[^"]*"><\/a>/, ""));

/** Each cited id with a file that cites it. A range such as "E-90 to E-93" also cites the ids between its ends. */
function citations(): { readonly named: ReadonlyMap<string, string>; readonly between: ReadonlySet<string> } {
  const named = new Map<string, string>();
  const between = new Set<string>();
  const files = globSync(CITED_IN, { cwd: root, exclude: ["docs/facts.md", "test/docs/facts.test.ts"] });
  for (const path of [...files, "SECURITY.md", "CONTRIBUTING.md"]) {
    for (const [, prefix = "", first = "", last] of readFileSync(join(root, path), "utf8").matchAll(ID)) {
      named.set(`${prefix}-${first}`, path);
      if (last === undefined) continue;
      named.set(`${prefix}-${last}`, path);
      for (let number = Number(first); number <= Number(last); number += 1) between.add(`${prefix}-${number}`);
    }
  }
  return { named, between };
}

describe("docs/facts.md", () => {
  const { named, between } = citations();

  test("the citations were found", () => {
    expect(named.size).toBeGreaterThan(100);
  });

  test("every cited id has a row", () => {
    const missing = [...named].filter(([id]) => !ids.includes(id));
    expect(missing.map(([id, path]) => `${id} in ${path}`)).toEqual([]);
  });

  test("every row is cited", () => {
    expect(ids.filter((id) => !named.has(id) && !between.has(id))).toEqual([]);
  });

  test("every id has one row, with its anchor, a fact and a source", () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const [first = "", fact = "", source = ""] of rows) {
      const id = first.replace(/<a id="[^"]*"><\/a>/, "");
      expect(first).toBe(`<a id="${id.toLowerCase()}"></a>${id}`);
      expect(fact, id).toMatch(/^.{10,}\.$/);
      expect(source, id).not.toBe("");
    }
  });

  test("every source link is defined and used", () => {
    const used = [...facts.matchAll(/\]\[(\w+)\]/g)].map(([, name]) => name);
    const defined = [...facts.matchAll(/^\[(\w+)\]: https:\/\/\S+$/gm)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(defined.sort());
  });
});
