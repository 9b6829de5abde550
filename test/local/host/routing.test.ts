/**
 * Route templates, constraints, the order of routes and paths, without a host.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRequestPath } from "../../../local/host/routing/request-path.ts";
import { createRouteTable } from "../../../local/host/routing/route-table.ts";

/** A function's name and its template. */
type Named = readonly [name: string, template: string];

/** The name of the function that answers a path. */
function winner(functions: readonly Named[], path: string): string | undefined {
  const definitions = functions.map(([name, template]) => ({ name, template, methods: undefined, target: name }));
  return createRouteTable(definitions).match("GET", path)?.target;
}

/** Whether one template answers a path. */
const matches = (template: string, path: string) => winner([["only", template]], path) !== undefined;

describe("the names of the functions alone decide which route wins, independent of the order of registration:", () => {
  test.each<[string, string, Named[], string]>([
    [
      "a parameter hides a later literal",
      "/a/b",
      [
        ["one", "a/{x}"],
        ["two", "a/b"],
      ],
      "one",
    ],
    [
      "a literal wins if its name comes first",
      "/a/b",
      [
        ["one", "a/b"],
        ["two", "a/{x}"],
      ],
      "one",
    ],
    [
      "a name sorts before the names that it begins",
      "/signin/links",
      [
        ["signin", "signin/{link}"],
        ["signin-links", "signin/links"],
      ],
      "signin",
    ],
    [
      "a hyphen sorts before letters",
      "/a",
      [
        ["ab", "{x}"],
        ["a-z", "a"],
      ],
      "a-z",
    ],
    [
      "case is ignored",
      "/a",
      [
        ["B", "a"],
        ["a", "{x}"],
      ],
      "a",
    ],
    [
      "an underscore sorts after letters",
      "/a",
      [
        ["a_", "a"],
        ["az", "{x}"],
      ],
      "az",
    ],
    [
      "no constraint hides a later constraint",
      "/1",
      [
        ["one", "{x}"],
        ["two", "{x:int}"],
      ],
      "one",
    ],
    [
      "the next route answers if constraints fail",
      "/one",
      [
        ["one", "{x:int}"],
        ["two", "{x}"],
      ],
      "two",
    ],
    [
      "a catch-all hides every later route",
      "/a/b",
      [
        ["one", "{*rest}"],
        ["two", "a/b"],
      ],
      "one",
    ],
  ])("%s", (_what, path, functions, expected) => {
    expect(winner(functions, path)).toBe(expected);
    expect(winner(functions.toReversed(), path)).toBe(expected);
  });

  test("of any functions with the same template, the first by upper-case name answers", () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/);
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 12, selector: (text) => text.toUpperCase() });
    fc.assert(
      fc.property(names, (all) => {
        const upper = all.map((each) => each.toUpperCase());
        const first = upper.reduce((least, each) =>
          Buffer.compare(Buffer.from(each), Buffer.from(least)) < 0 ? each : least,
        );
        expect(
          winner(
            all.map((each) => [each, "a/{x}"] as const),
            "/a/b",
          )?.toUpperCase(),
        ).toBe(first);
      }),
    );
  });

  test("a route without the method does not match, and the next one is tried", () => {
    const table = createRouteTable([
      { name: "one", template: "a/b", methods: ["post"], target: "post" },
      { name: "two", template: "a/{x}", methods: ["GET"], target: "get" },
    ]);
    expect(table.match("GET", "/a/b")?.target).toBe("get");
    expect(table.match("POST", "/a/b")?.target).toBe("post");
    expect(table.match("PUT", "/a/b")).toBeUndefined();
  });

  test("no path below /admin reaches a function", () => {
    expect(matches("{*rest}", "/admin/functions/x")).toBe(false);
    expect(matches("{*rest}", "/Admin")).toBe(false);
    expect(matches("{*rest}", "/administrators")).toBe(true);
  });
});

describe("the route constraint", () => {
  test.each([
    ["int", ["0", "-5", "+7", "2147483647"], ["1.5", "2147483648", "x", "1e3"]],
    ["long", ["9223372036854775807"], ["9223372036854775808", "x"]],
    ["guid", ["{10ca1000-7e57-4000-8000-000000000000}", "10CA10007e5740008000000000000000"], ["10ca1000-7e57"]],
    ["alpha", ["abcXYZ"], ["a1", "ä"]],
    ["bool", ["true", "FALSE"], ["1"]],
    ["decimal", ["1.5", "-2"], ["a"]],
    ["length(3)", ["abc"], ["ab", "abcd"]],
    ["length(2,3)", ["ab", "abc"], ["a", "abcd"]],
    ["minlength(2)", ["ab"], ["a"]],
    ["maxlength(2)", ["ab"], ["abc"]],
    ["min(3)", ["3"], ["2", "x"]],
    ["max(3)", ["3"], ["4"]],
    ["range(1,3)", ["1", "3"], ["0", "4"]],
    ["regex(^a{{2}}$)", ["aa", "AA"], ["a", "aaa"]],
    ["regex(^(x|y):z$)", ["x:z"], ["z"]],
    ["required", ["a"], []],
    ["int:min(1):max(9)", ["5"], ["0", "10"]],
  ])("%s", (constraint, good, bad) => {
    const template = `{x:${constraint}}`;
    expect(good.filter((value) => !matches(template, `/${value}`))).toEqual([]);
    expect(bad.filter((value) => matches(template, `/${value}`))).toEqual([]);
  });
});

test.each([
  ["{x:unknown}", /constraint "unknown" is unknown/],
  ["{x:maxlength(a)}", /needs an integer/],
  ["{x}.{y}", /mix text and parameters/],
  ["{*rest}/a", /only be the last segment/],
  ["{a}/{A}", /more than once/],
  ["{a", /not closed/],
  ["a//b", /segment is empty/],
  ["{x=1?}", /cannot be optional/],
])("the host does not start with the route %s", (template, message) => {
  expect(() => matches(template, "/")).toThrow(message);
});

test.each([
  ["/a/../b", "/b", "/b"],
  ["/a/./b/", "/a/b/", "/a/b/"],
  ["/a/..", "/", "/"],
  ["/%2e%2e/a", "/a", "/a"],
  ["/a%2fb", "/a%2fb", "/a%2fb"],
  ["/a%252Fb", "/a%2Fb", "/a%2Fb"],
  ["/%E2%82%AC%ff", "/€%ff", "/%E2%82%AC%ff"],
  ["/a%3Fb%23", "/a?b#", "/a%3Fb%23"],
  ["http://x.example:8080", "/", "/"],
])("the path of the request target %s is decoded and encoded as by Kestrel", (target, decoded, encoded) => {
  expect(parseRequestPath(target)).toEqual({ decoded, encoded, query: "" });
});

test("the query is not changed", () => {
  expect(parseRequestPath("/a?b=%2F&c#d")?.query).toBe("?b=%2F&c#d");
});
