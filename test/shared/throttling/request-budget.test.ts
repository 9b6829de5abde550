/** How often a user may bypass the cache: a fixed window of one minute, bounded in users. */
import { expect, test } from "vitest";
import { createRequestBudget } from "../../../shared/throttling/request-budget.ts";

function frozen(start = 1_000) {
  const clock = { now: start };
  return { clock, budget: createRequestBudget(() => clock.now) };
}

test("take allows the budget, then returns the seconds until the minute ends", () => {
  const { clock, budget } = frozen();
  expect([budget.take("alice", 2), budget.take("alice", 2)]).toEqual([undefined, undefined]);
  expect(budget.take("alice", 2)).toBe(60);
  clock.now += 45;
  expect(budget.take("alice", 2)).toBe(15);
  clock.now += 14.5;
  expect(budget.take("alice", 2)).toBe(1);
});

test("a refused take spends nothing and does not extend the wait", () => {
  const { clock, budget } = frozen();
  budget.take("alice", 1);
  for (let second = 1; second < 60; second++) {
    clock.now += 1;
    expect(budget.take("alice", 1)).toBe(60 - second);
  }
  clock.now += 1;
  expect(budget.take("alice", 1)).toBeUndefined();
});

test("each user has a separate budget", () => {
  const { budget } = frozen();
  expect(budget.take("alice", 1)).toBeUndefined();
  expect(budget.take("bob", 1)).toBeUndefined();
  expect(budget.take("alice", 1)).toBe(60);
});

test("the memory is bounded: the least recently seen user is evicted", () => {
  const { budget } = frozen();
  budget.take("first", 1);
  for (let user = 0; user < 10_000; user++) {
    budget.take(`user ${user}`, 1);
  }
  expect(budget.take("first", 1)).toBeUndefined();
  expect(budget.take("user 9999", 1)).toBe(60);
});
