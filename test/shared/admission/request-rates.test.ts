/** Requests in a minute: on one instance, on several with a shared counter, and while that counter is not available. */
import { describe, expect, test } from "vitest";
import { createRequestRates, type SharedCounters } from "../../../shared/admission/request-rates.ts";

const MINUTE_MS = 60_000;
/** The beginning of a minute. */
const NOW_MS = 1_800_000_000_000 - (1_800_000_000_000 % MINUTE_MS);

/** A counter as Redis has it. */
function counters() {
  const sums = new Map<string, number>();
  const state = { calls: 0, unavailable: false };
  const shared: SharedCounters = {
    async count(key, by) {
      state.calls += 1;
      if (state.unavailable) return undefined;
      const sum = (sums.get(key) ?? 0) + by;
      sums.set(key, sum);
      return sum;
    },
  };
  return { shared, state, sums };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("one instance", () => {
  test("counts the requests of a minute of the clock, and says how long the rest of it is", () => {
    const clock = { ms: NOW_MS + 15_000 };
    const rates = createRequestRates({ nowMs: () => clock.ms, shared: undefined });
    expect([1, 2, 3, 4].map(() => rates.spend("a", 3))).toEqual([undefined, undefined, undefined, 45]);
    clock.ms = NOW_MS + MINUTE_MS - 1;
    expect(rates.spend("a", 3)).toBe(1);
    clock.ms = NOW_MS + MINUTE_MS;
    expect(rates.spend("a", 3)).toBeUndefined();
  });

  test("a caller does not spend the requests of another", () => {
    const rates = createRequestRates({ nowMs: () => NOW_MS, shared: undefined });
    rates.spend("a", 1);
    expect(rates.spend("a", 1)).toBe(60);
    expect(rates.spend("b", 1)).toBeUndefined();
  });

  test("remembers a bounded number of callers", () => {
    const rates = createRequestRates({ nowMs: () => NOW_MS, shared: undefined });
    rates.spend("first", 1);
    for (let caller = 0; caller < 10_000; caller++) rates.spend(`caller ${caller}`, 1);
    expect(rates.spend("first", 1)).toBeUndefined();
    expect(rates.spend("caller 9999", 1)).toBe(60);
  });
});

describe("several instances", () => {
  test("accept the limit together, not each", async () => {
    const clock = { ms: NOW_MS };
    const { shared } = counters();
    const instances = [1, 2].map(() => createRequestRates({ nowMs: () => clock.ms, shared }));
    let accepted = 0;
    for (let second = 0; second < 50; second++) {
      clock.ms = NOW_MS + second * 1_000;
      for (const instance of instances) if (instance.spend("a", 20) === undefined) accepted += 1;
      await settle();
    }
    // The last one of each instance in the second in which the other reaches the limit.
    expect(accepted).toBeGreaterThanOrEqual(20);
    expect(accepted).toBeLessThanOrEqual(21);
  });

  test("exceed it by no more than what they accept in one second", async () => {
    const clock = { ms: NOW_MS };
    const { shared } = counters();
    const instances = [1, 2].map(() => createRequestRates({ nowMs: () => clock.ms, shared }));
    let accepted = 0;
    for (let tenth = 0; tenth < 100; tenth++) {
      clock.ms = NOW_MS + tenth * 100;
      for (const instance of instances) if (instance.spend("a", 30) === undefined) accepted += 1;
      await settle();
    }
    expect(accepted).toBeGreaterThanOrEqual(30);
    expect(accepted).toBeLessThanOrEqual(50);
  });

  test("tell the counter at most once a second", async () => {
    const clock = { ms: NOW_MS };
    const { shared, state } = counters();
    const rates = createRequestRates({ nowMs: () => clock.ms, shared });
    for (let request = 0; request < 100; request++) {
      clock.ms += 50;
      rates.spend("a", 1_000);
      await settle();
    }
    expect(state.calls).toBe(5);
  });

  test("count for themselves while the counter is not available, and add what they counted when it is back", async () => {
    const clock = { ms: NOW_MS };
    const { shared, state, sums } = counters();
    state.unavailable = true;
    const rates = createRequestRates({ nowMs: () => clock.ms, shared });
    for (let request = 0; request < 5; request++) {
      expect(rates.spend("a", 5)).toBeUndefined();
      clock.ms += 1_000;
      await settle();
    }
    expect(rates.spend("a", 5)).toBe(55);
    state.unavailable = false;
    rates.spend("a", 6);
    await settle();
    expect([...sums.values()]).toEqual([6]);
  });

  test("give the counter a key that names no caller", async () => {
    const { shared, sums } = counters();
    createRequestRates({ nowMs: () => NOW_MS, shared }).spend("application 5e471ce0", 5);
    await settle();
    expect([...sums.keys()]).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{43}$/)]);
  });
});
