/** The reader itself: it refuses what is not Bicep, and computes what Bicep computes. */
import { describe, expect, test } from "vitest";
import { deploy } from "./bicep/deploy.ts";
import { parseBicep } from "./bicep/parser.ts";
import { templateFrom } from "./bicep/template.ts";

/** Bicep's holes in strings are written «…» here, so that nobody takes them for JavaScript's. */
const bicep = (text: string) => text.replaceAll("«", "$" + "{").replaceAll("»", "}");
const outputOf = (expression: string, declarations = "") =>
  deploy(templateFrom("test.bicep", bicep(`${declarations}\noutput it string = ${expression}\n`)), {}).outputs["it"];

describe("refuses", () => {
  test.each([
    ["a comma at the end of a line of elements", "var x = [\n  1,,\n]"],
    ["elements without a separator", "var x = ['a' 'b']"],
    ["a string without an end", "var x = 'a"],
    ["an unknown escape", "var x = '\\q'"],
    ["two statements on a line", "var x = 1 var y = 2"],
    ["a loop with two names and no parentheses", "var x = [for a, i in b: a]"],
    ["an unknown statement", "variable x = 1"],
    ["a body that is no object", "resource x 'A/b@1' = 3"],
    ["text after an expression in a string", "var x = '«a b»'"],
    ["a character of no meaning", "var x = #"],
  ])("%s", (_, text) => {
    expect(() => parseBicep(bicep(text))).toThrow(/^line \d+: /);
  });

  test.each([
    ["a name that is not declared", "missing"],
    ["a function that is not there", "missing()"],
    ["a property that is not there", "{ a: 1 }.b"],
  ])("%s", (_, expression) => {
    expect(() => outputOf(expression)).toThrow();
  });

  test("declarations that need each other", () => {
    expect(() => outputOf("a", "var a = b\nvar b = a")).toThrow("need each other");
  });

  test("a name declared twice", () => {
    expect(() => templateFrom("test.bicep", "var a = 1\nvar a = 2\n")).toThrow("declared twice");
  });
});

describe("computes", () => {
  test.each([
    ["'a«1 == 1 ? 'b' : 'c'»d'", "abd"],
    ["'it\\'s \\«x»'", bicep("it's «x»")],
    ["true && !false", true],
    ["false || 2 > 1", true],
    ["null ?? 'else'", "else"],
    ["{ a: { b: 1 } }.?a.b", 1],
    ["{ a: 1 }.?b ?? 2", 2],
    ["[10, 20][1]", 20],
    ["join(map(filter([1, 2, 3], n => n != 2), n => 'n«n»'), '+')", "n1+n3"],
    ["flatten([[1], [2, 3]])", [1, 2, 3]],
    ["union({ a: 1, b: 1 }, { b: 2 })", { a: 1, b: 2 }],
    ["[for (item, i) in ['x', 'y']: '«i»«item»']", ["0x", "1y"]],
    ["replace(take('abcdef', 4), 'bc', '-')", "a-d"],
    ["string({ a: [1, true], b: null })", '{"a":[1,true]}'],
    ["empty([]) && empty('') && empty({}) && !empty('a')", true],
    ["contains(['a'], 'a') && contains('abc', 'b')", true],
  ])("%s", (expression, result) => {
    expect(outputOf(expression)).toEqual(result);
  });

  test("functions of its own, loops of resources and conditions", () => {
    const template = templateFrom(
      "test.bicep",
      bicep(`
        @description('Double.')
        func twice(text string) string => '«text»«text»'
        @description('Names.')
        param names string[] = ['a', 'b']
        resource parent 'Test.Provider/parents@2024-01-01' = [for name in names: if (name != 'b') {
          name: twice(name)
        }]
        resource only 'Test.Provider/things@2024-01-01' = if (length == 1) {
          name: 'only'
        }
        var length = 0
      `),
    );
    expect(deploy(template, {}).resources.map(({ path, name }) => [path, name])).toEqual([["parent[0]", "aa"]]);
  });
});
