/** What outlives a version of the policy: the registrations and key sets that the newest two versions name. */
import { expect, test } from "vitest";
import { keepByKey } from "../../functions/composition/keep-by-key.ts";

function begin() {
  let created = 0;
  const kept = keepByKey(({ name }: { readonly name: string }) => ({ name, number: ++created }));
  return (...names: string[]) => {
    kept.startPolicy();
    return names.map((name) => kept.of({ name }).number);
  };
}

test("a value is made once for each key, and a new policy with the same key has it", () => {
  const policy = begin();
  expect(policy("a", "b", "a")).toEqual([1, 2, 1]);
  expect(policy("b", "c")).toEqual([2, 3]);
  expect(policy("c", "b")).toEqual([3, 2]);
});

test("what a policy no longer names is gone with the next one", () => {
  const policy = begin();
  policy("a", "b");
  policy("a");
  expect(policy("a", "b")).toEqual([1, 3]);
});
