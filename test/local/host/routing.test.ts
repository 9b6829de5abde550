/**
 * Route templates, constraints, precedence and paths, without a host.
 */
import { describe, expect, test } from "vitest";
import { parseRequestPath } from "../../../local/host/routing/request-path.ts";
import { createRouteTable } from "../../../local/host/routing/route-table.ts";

/** The template that wins for a path, with the templates registered in this order. */
function winner(templates: readonly string[], path: string): string | undefined {
  const table = createRouteTable(templates.map((template) => ({ template, methods: undefined, target: template })));
  return table.match("GET", path)?.target;
}

describe("route precedence is independent of the order of registration:", () => {
  test.each([
    ["a literal before a parameter", "/a/b", ["a/{x}", "a/b"], "a/b"],
    ["a literal first segment before a parameter", "/a/b", ["{x}/b", "a/{x}"], "a/{x}"],
    ["more constraints before fewer", "/1", ["{x}", "{x:int}"], "{x:int}"],
    ["the next route if constraints fail", "/one", ["{x}", "{x:int}"], "{x}"],
    ["longer before shorter", "/a", ["a", "a/{x?}"], "a/{x?}"],
    ["a catch-all last", "/a/b", ["{*rest}", "a/b"], "a/b"],
    ["a catch-all for the other paths", "/z/b", ["{*rest}", "a/b"], "{*rest}"],
  ])("%s", (_what, path, templates, expected) => {
    expect(winner(templates, path)).toBe(expected);
    expect(winner(templates.toReversed(), path)).toBe(expected);
  });

  test("a route without the method does not match, and the next one is tried", () => {
    const table = createRouteTable([
      { template: "a/b", methods: ["post"], target: "post" },
      { template: "a/{x}", methods: ["GET"], target: "get" },
    ]);
    expect(table.match("GET", "/a/b")?.target).toBe("get");
    expect(table.match("POST", "/a/b")?.target).toBe("post");
    expect(table.match("PUT", "/a/b")).toBeUndefined();
  });

  test("no path below /admin reaches a function", () => {
    expect(winner(["{*rest}"], "/admin/functions/x")).toBeUndefined();
    expect(winner(["{*rest}"], "/Admin")).toBeUndefined();
    expect(winner(["{*rest}"], "/administrators")).toBe("{*rest}");
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
    expect(good.map((value) => winner([template], `/${value}`))).toEqual(good.map(() => template));
    expect(bad.map((value) => winner([template], `/${value}`))).toEqual(bad.map(() => undefined));
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
  expect(() => winner([template], "/")).toThrow(message);
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
