/** Permissions in words, and where the words come from. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadPermissionWords } from "../../shared/pages/permission-words.ts";

const root = join(import.meta.dirname, "../..");
const graph = { resource: "https://graph.microsoft.com", scopeDescriptions: {} };
const orders = { resource: "api://orders", scopeDescriptions: { "Orders.Read": "Read your orders" } };

describe("the words of a scope are", () => {
  test.each([
    ["en", "Mail.Read", "Read your mail"],
    ["en", "User.Read", "Sign you in and read your profile"],
    ["de", "Mail.Read", "Ihre E-Mails lesen"],
    ["de", "Mail.Send", "E-Mails in Ihrem Namen senden"],
  ] as const)("known for Graph: %s %s", async (language, name, words) => {
    const inWords = await loadPermissionWords(language, [orders, graph]);
    expect(inWords(graph, [name])).toEqual([{ name, words }]);
  });

  test("Microsoft's also for a scope in another case, under the name that the policy has", async () => {
    const inWords = await loadPermissionWords("en", [graph]);
    expect(inWords(graph, ["mail.read"])).toEqual([{ name: "mail.read", words: "Read your mail" }]);
  });

  test("the policy's, for Graph too", async () => {
    const own = { ...graph, scopeDescriptions: { "Mail.Read": "Find invoices" } };
    const inWords = await loadPermissionWords("de", [own, orders]);
    expect(inWords(own, ["Mail.Read"])).toEqual([{ name: "Mail.Read", words: "Find invoices" }]);
    expect(inWords(orders, ["Orders.Read"])).toEqual([{ name: "Orders.Read", words: "Read your orders" }]);
  });

  test.each(["Mail.Read", "__proto__", "constructor", "Unheard.Of"])("none for %s of another API", async (name) => {
    const inWords = await loadPermissionWords("en", [graph, orders]);
    expect(inWords(orders, [name])).toEqual([{ name, words: undefined }]);
  });

  test("none for a permission that is newer than the file", async () => {
    const inWords = await loadPermissionWords("en", [graph]);
    expect(inWords(graph, ["Brand.New.Read", "__proto__"]).map(({ words }) => words)).toEqual([undefined, undefined]);
  });
});

test.each([
  ["en", /^npm @microsoft\/teamsfx-core [\d.]+$/, 300],
  ["de", /^this project/, 40],
] as const)("the file of %s names its source and license, and has words only", (language, source, least) => {
  const path = join(root, `shared/pages/permission-words/graph-${language}.json`);
  const file = JSON.parse(readFileSync(path, "utf8")) as { source: string; license: string[]; words: object };
  expect(Object.keys(file)).toEqual(["source", "license", "words"]);
  expect(file.source).toMatch(source);
  expect(file.license.join(" ")).toContain("MIT License");
  expect(Object.keys(file.words).length).toBeGreaterThanOrEqual(least);
  for (const [name, words] of Object.entries(file.words)) {
    expect(name).toMatch(/^[\w.-]+$/);
    expect(words).toMatch(/^\S.*\S$/);
  }
});
