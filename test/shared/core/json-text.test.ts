/** JSON from outside the service has a limited depth, because functions that walk a value overflow the stack. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTooDeep, JSON_DEPTH_MAX, parseJson } from "../../../shared/core/json-text.ts";

const nested = (depth: number, inner = "1") => "[".repeat(depth) + inner + "]".repeat(depth);

describe("parseJson", () => {
  test.each<[string, string, unknown]>([
    ["an object", '{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
    ["brackets inside a string", `"${"[".repeat(100)}"`, "[".repeat(100)],
    ["an escaped quotation mark before brackets", `"\\"${"{".repeat(100)}"`, `"${"{".repeat(100)}`],
    ["an escaped backslash at the end of a string", `["\\\\",${nested(30)}]`, ["\\", JSON.parse(nested(30))]],
    ["text that is not JSON", "{", undefined],
    ["an empty text", "", undefined],
    ["one level too many", nested(JSON_DEPTH_MAX + 1), undefined],
    ["9,000 levels", nested(9_000), undefined],
    ["9,000 levels of objects", '{"a":'.repeat(9_000) + 1 + "}".repeat(9_000), undefined],
  ])("reads %s", (_name, text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test("reads exactly the maximum depth", () => {
    expect(parseJson(nested(JSON_DEPTH_MAX))).toEqual(JSON.parse(nested(JSON_DEPTH_MAX)));
  });

  test("reads every JSON text of allowed depth like JSON.parse", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("finds the depth of every JSON text", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.integer({ min: 0, max: 60 }), (text, depth) => {
        const levels = depth + depthOf(JSON.parse(text));
        expect(isTooDeep(nested(depth, text))).toBe(levels > JSON_DEPTH_MAX);
      }),
    );
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
