import { expect, test } from "vitest";
import { createCircuitBreaker } from "../../../../shared/cache/redis/circuit-breaker.ts";

function setUp() {
  const clock = { now: 0 };
  const changes: unknown[] = [];
  const breaker = createCircuitBreaker({ steadyMs: () => clock.now, onChange: (change) => changes.push(change) });
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) {
      breaker.failed("late");
    }
  };
  return { clock, changes, breaker, fail };
}

test("four failures are nothing, and a success forgets them", () => {
  const { breaker, fail, changes } = setUp();
  fail(4);
  expect(breaker.allowsCall()).toBe(true);
  breaker.succeeded();
  fail(4);
  expect(breaker.allowsCall()).toBe(true);
  expect(changes).toEqual([]);
});

test("five in a row open it, once; for five seconds nothing is asked", () => {
  const { clock, breaker, fail, changes } = setUp();
  fail(7);
  expect(changes).toEqual([{ open: true, reason: "late" }]);
  clock.now = 4_999;
  expect(breaker.allowsCall()).toBe(false);
});

test("then one question goes through; if it fails, the five seconds begin again", () => {
  const { clock, breaker, fail } = setUp();
  fail(5);
  clock.now = 5_000;
  expect([breaker.allowsCall(), breaker.allowsCall()]).toEqual([true, false]);
  clock.now = 5_040;
  breaker.failed("late");
  clock.now = 10_039;
  expect(breaker.allowsCall()).toBe(false);
  clock.now = 10_040;
  expect(breaker.allowsCall()).toBe(true);
});

test("if it succeeds, everything goes on", () => {
  const { clock, breaker, fail, changes } = setUp();
  fail(5);
  clock.now = 5_000;
  breaker.allowsCall();
  breaker.succeeded();
  expect([breaker.allowsCall(), breaker.allowsCall()]).toEqual([true, true]);
  expect(changes).toEqual([{ open: true, reason: "late" }, { open: false }]);
});
