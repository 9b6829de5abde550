/** Names that senders write wrong. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { didYouMean } from "../../../shared/core/did-you-mean.ts";

const NAMES = ["scopes", "grant", "claims", "minimumSeconds", "forceRefresh", "code"];

test.each([
  ["scope", "scopes"],
  ["Scopes", "scopes"],
  ["SCOPES", "scopes"],
  ["scopes[]", "scopes"],
  ["socpes", "scopes"],
  ["force_refresh", "forceRefresh"],
  ["ForceRefresh", "forceRefresh"],
  ["forcerefesh", "forceRefresh"],
  ["minimum-seconds", "minimumSeconds"],
  ["minimumSecond", "minimumSeconds"],
  ["Code", "code"],
])("%s means %s", (given, meant) => {
  expect(didYouMean(given, NAMES)).toBe(meant);
});

test.each(["mode", "codes", "utm_source", "gclid", "x", "", "scopes", "s".repeat(200), "optionsOverride.Scopes"])(
  "%j means none of the names",
  (given) => {
    expect(didYouMean(given, NAMES)).toBeUndefined();
  },
);

test("of two similar names, the more similar one is meant", () => {
  expect(didYouMean("User.Raed", ["User.ReadWrite", "User.Read"])).toBe("User.Read");
});

test("property: a name with one removed, added or swapped character is recognized, and the answer is one of the names", () => {
  const [long] = [NAMES[4] ?? ""];
  fc.assert(
    fc.property(fc.nat(long.length - 2), fc.constantFrom("removed", "added", "swapped"), (at, change) => {
      const [head, tail] = [long.slice(0, at), long.slice(at)];
      const changed = {
        removed: head + tail.slice(1),
        added: `${head}q${tail}`,
        swapped: head + (tail[1] ?? "") + (tail[0] ?? "") + tail.slice(2),
      }[change];
      expect(didYouMean(changed, NAMES)).toBe(changed === long ? undefined : long);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (given) => {
      expect([undefined, ...NAMES]).toContain(didYouMean(given, NAMES));
    }),
  );
});
