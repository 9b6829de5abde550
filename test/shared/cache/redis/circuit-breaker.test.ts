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

test("the circuit stays closed after four failures, and a success resets their number", () => {
  const { breaker, fail, changes } = setUp();
  fail(4);
  expect(breaker.allowsCall()).toBe(true);
  breaker.succeeded();
  fail(4);
  expect(breaker.allowsCall()).toBe(true);
  expect(changes).toEqual([]);
});

test("five failures in a row open the circuit once, and no call is allowed for five seconds", () => {
  const { clock, breaker, fail, changes } = setUp();
  fail(7);
  expect(changes).toEqual([{ open: true, reason: "late" }]);
  clock.now = 4_999;
  expect(breaker.allowsCall()).toBe(false);
});

test("after five seconds one call is allowed; if it fails, the five seconds begin again", () => {
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

test("a successful probe closes the circuit", () => {
  const { clock, breaker, fail, changes } = setUp();
  fail(5);
  clock.now = 5_000;
  breaker.allowsCall();
  breaker.succeeded();
  expect([breaker.allowsCall(), breaker.allowsCall()]).toEqual([true, true]);
  expect(changes).toEqual([{ open: true, reason: "late" }, { open: false }]);
});
