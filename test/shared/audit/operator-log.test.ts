/** The operator log: a bounded buffer, in order, that counts dropped events. */
import { expect, test } from "vitest";
import { createOperatorLog } from "../../../shared/audit/operator-log.ts";

function withFixedClock() {
  const clock = { nowMs: Date.parse("2026-08-13T21:24:29Z") };
  return { clock, log: createOperatorLog(() => clock.nowMs) };
}

test("drain returns each event once, oldest first, with the time of the event", () => {
  const { clock, log } = withFixedClock();
  log.add({ event: "keys", kind: "stale" });
  clock.nowMs += 1_000;
  log.add({ event: "credential", version: "v2" });
  expect(log.drain()).toEqual([
    { time: "2026-08-13T21:24:29.000Z", event: "keys", kind: "stale" },
    { time: "2026-08-13T21:24:30.000Z", event: "credential", version: "v2" },
  ]);
  expect(log.drain()).toEqual([]);
});

test("beyond two hundred events the oldest are dropped, and their number is reported once", () => {
  const { log } = withFixedClock();
  for (let number = 0; number < 250; number++) {
    log.add({ event: "grants", number });
  }
  const drained = log.drain();
  expect(drained).toHaveLength(201);
  expect(drained[0]).toEqual({ event: "grants", dropped: 50 });
  expect(drained[1]).toMatchObject({ number: 50 });
  expect(drained.at(-1)).toMatchObject({ number: 249 });
  log.add({ event: "keys" });
  expect(log.drain()).toHaveLength(1);
});
