/** Paths and queries of requests to an API: one reading, or a refusal. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  foldCase,
  parseTarget,
  respell,
  type TargetProblem,
  toRelativeUrl,
} from "../../../shared/core/downstream-target.ts";
import { targetTexts } from "../../relay/support/target-texts.ts";

function written(text: string): string {
  const target = parseTarget(text);
  return target.ok ? toRelativeUrl(target.value) : `refused: ${target.failure}`;
}

describe("accepted targets have one spelling", () => {
  test.each([
    ["/v1.0/me", "/v1.0/me"],
    ["v1.0/me", "/v1.0/me"],
    ["/v1.0/%6De", "/v1.0/me"],
    ["/v1.0/me/photo/%24value", "/v1.0/me/photo/$value"],
    ["/v1.0/users/bob@contoso.com", "/v1.0/users/bob@contoso.com"],
    ["/v1.0/users('bob')", "/v1.0/users('bob')"],
    ["/a%20b/caf%C3%A9", "/a%20b/caf%C3%A9"],
    ["/a b/café", "/a%20b/caf%C3%A9"],
    ["/root:/a/b.txt:/content", "/root:/a/b.txt:/content"],
    ["/a+b", "/a%2Bb"],
    ["/a...b/x", "/a...b/x"],
    ["/me?$top=5&$select=id,subject", "/me?$top=5&$select=id%2Csubject"],
    ["/me?%24top=5", "/me?$top=5"],
    ["/me?a=1+2", "/me?a=1%202"],
    ["/me?a=1%2B2", "/me?a=1%2B2"],
    ["/me?a=%2525", "/me?a=%2525"],
    ["/me?a", "/me?a="],
    ["/me?a=b=c", "/me?a=b%3Dc"],
    ["/me?&a=1&&b=2&", "/me?a=1&b=2"],
    ["/me?a=x?y", "/me?a=x%3Fy"],
    ["/me?$expand=messages($top=1;$select=id)", "/me?$expand=messages(%24top%3D1%3B%24select%3Did)"],
  ])("%s", (text, expected) => {
    expect(written(text)).toBe(expected);
  });
});

describe("other targets are refused", () => {
  test.each<[string, TargetProblem]>([
    ["", "empty_segment"],
    ["/", "empty_segment"],
    ["//evil.example/me", "empty_segment"],
    ["/me//messages", "empty_segment"],
    ["/me/", "empty_segment"],
    ["https://evil.example/me", "empty_segment"],
    ["/me/..", "dot_segment"],
    ["/me/./x", "dot_segment"],
    ["/me/%2e%2e/users", "dot_segment"],
    ["/me/.%2E", "dot_segment"],
    ["/root:/..:/content", "dot_segment"],
    ["/me/...", "dot_segment"],
    ["/me/messages.", "trailing_dot"],
    ["/me/messages%20", "trailing_dot"],
    ["/me/x.:/y", "trailing_dot"],
    ["/me%2fusers", "slash"],
    ["/me%2Fusers", "slash"],
    ["/me%5cusers", "slash"],
    ["/me\\users", "slash"],
    ["/me/a%252fb", "double_encoding"],
    ["/me/%252e%252e", "double_encoding"],
    ["/me/100%25", "double_encoding"],
    ["/me;v=1", "matrix_parameter"],
    ["/me%3bv=1", "matrix_parameter"],
    ["/me%3fx=1", "reserved_character"],
    ["/me%23x", "reserved_character"],
    ["/me#x", "reserved_character"],
    ["/me%00", "control_character"],
    ["/me%0d%0aHost:x", "control_character"],
    ["/me/a%7fb", "control_character"],
    ["/me/a%e2%80%aeb", "control_character"],
    ["/me/%c0%ae%c0%ae", "not_utf8"],
    ["/me/%ff", "not_utf8"],
    ["/me/%zz", "not_utf8"],
    ["/me/%", "not_utf8"],
    ["/me/%ed%a0%80", "not_utf8"],
    ["/me/\u{ff0e}\u{ff0e}/users", "dot_segment"],
    ["/me/\u{2025}/users", "dot_segment"],
    ["/me\u{ff0f}users", "slash"],
    ["/me\u{2215}users", "slash"],
    ["/me/a\u{ff05}2fb", "double_encoding"],
    ["/me/a\u{ff1b}b", "matrix_parameter"],
    ["/me?a=1&a=2", "query_repeated"],
    ["/me?$top=1&%24TOP=2", "query_repeated"],
    ["/me?$top=1&top=2", "query_repeated"],
    ["/me?=1", "query_name"],
    ["/me?a%26b=1", "query_name"],
    ["/me?a%3Db=1", "query_name"],
    ["/me?\u{ff04}top=1", "query_name"],
    ["/me?a%2524=1", "double_encoding"],
    ["/me?a=%0a", "control_character"],
    ["/me?a=%ff", "not_utf8"],
    [`/${"x".repeat(8_192)}`, "too_long"],
    [`/me?${Array.from({ length: 65 }, (_, index) => `a${index}=`).join("&")}`, "too_long"],
  ])("%s", (text, problem) => {
    expect(written(text)).toBe(`refused: ${problem}`);
  });
});

describe("properties", () => {
  test("whatever is sent, an accepted target reads the same again", () => {
    fc.assert(
      fc.property(targetTexts, (text) => {
        const once = written(text);
        if (!once.startsWith("refused: ")) expect(written(once)).toBe(once);
      }),
      { numRuns: 20_000 },
    );
  });

  test("whatever is sent, a URL parser reads the host of the base URL and the same segments and options", () => {
    fc.assert(
      fc.property(targetTexts, (text) => {
        const target = parseTarget(text);
        if (!target.ok) return;
        const url = new URL(`https://graph.example${toRelativeUrl(target.value)}`);
        expect([url.origin, url.hash, url.username]).toEqual(["https://graph.example", "", ""]);
        expect(url.pathname.slice(1).split("/").map(decodeURIComponent)).toEqual(target.value.segments);
        expect([...url.searchParams]).toEqual(target.value.query);
      }),
      { numRuns: 20_000 },
    );
  });
});

test("only the case of ASCII letters is folded, and a target takes no other spelling", () => {
  expect(foldCase("ABC \u{212a} İ")).toBe("abc \u{212a} İ");
  const target = parseTarget("/V1.0/Me");
  if (!target.ok) throw new Error(target.failure);
  expect(toRelativeUrl(respell(target.value, ["v1.0", "me"]))).toBe("/v1.0/me");
  expect(() => respell(target.value, ["v1.0", "users"])).toThrow(TypeError);
  expect(() => respell(target.value, ["v1.0"])).toThrow(TypeError);
});
