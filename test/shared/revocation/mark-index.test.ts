import { describe, expect, test } from "vitest";
import { createMarkIndex, NEVER } from "../../../shared/revocation/mark-index.ts";

describe("the index of marks", () => {
  test("is empty until the first mark, and then no longer", () => {
    const index = createMarkIndex(10);
    expect([index.isEmpty(), index.at("person", "a")]).toEqual([true, NEVER]);
    index.add("person", "a", 7);
    expect([index.isEmpty(), index.at("person", "a"), index.at("caller", "a")]).toEqual([false, 7, NEVER]);
  });

  test("keeps the later of two marks, in any order", () => {
    const index = createMarkIndex(10);
    index.add("person", "a", 7);
    index.add("person", "a", 5);
    expect(index.at("person", "a")).toBe(7);
  });

  test("forgets the oldest mark of a full index only together with everything of its time", () => {
    const index = createMarkIndex(2);
    index.add("person", "a", 1);
    index.add("person", "b", 2);
    index.add("grant", "c", 3);
    expect([index.at("person", "a"), index.at("everything", "")]).toEqual([NEVER, 1]);
    expect([index.at("person", "b"), index.at("grant", "c")]).toEqual([2, 3]);
  });

  test("a mark that comes again is the newest", () => {
    const index = createMarkIndex(2);
    index.add("person", "a", 1);
    index.add("person", "b", 2);
    index.add("person", "a", 3);
    index.add("person", "c", 4);
    expect([index.at("person", "a"), index.at("person", "b"), index.at("everything", "")]).toEqual([3, NEVER, 2]);
  });
});
