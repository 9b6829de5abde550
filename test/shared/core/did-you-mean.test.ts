import fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean } from "../../../shared/core/did-you-mean.ts";

test.each<[string, readonly string[], string | undefined]>([
  ["scope", ["scopes", "grant", "claims"], "scopes"],
  ["user.read", ["User.Read", "Mail.Read"], "User.Read"],
  ["User.Raed", ["User.Read", "Mail.Read"], "User.Read"],
  ["graphs", ["graph", "orders"], "graph"],
  ["Graph", ["graph", "orders"], "graph"],
  ["Files.Read", ["User.Read", "Mail.Read"], undefined],
  ["User.Read", ["User.Read"], undefined],
  ["ab", ["cd"], undefined],
  ["", ["a"], undefined],
  ["x".repeat(101), ["x".repeat(100)], undefined],
])("%s with the known names %j: %s", (text, known, expected) => {
  expect(didYouMean(text, known)).toBe(expected);
});

test("property: the suggestion is one of the known names, and never the text itself", () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (text, known) => {
      const suggestion = didYouMean(text, known);
      expect(suggestion === undefined || (known.includes(suggestion) && suggestion !== text)).toBe(true);
    }),
  );
});
