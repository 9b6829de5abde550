/** What happens to events when the host ends the process. */
import { expect, test, vi } from "vitest";
import { stopEvents } from "../../functions/composition/events.ts";
import { EVENTS_STOP_MS } from "../../shared/core/limits.ts";

const events = (settled: () => Promise<void>) => ({
  publish: () => undefined,
  sendDue: async () => ({ due: 0, sent: 0, failed: 0, givenUp: 0 }),
  settled,
});

test("the stop waits for events that are being written", async () => {
  const written = Promise.withResolvers<void>();
  let stopped = false;
  const stop = stopEvents(events(() => written.promise)).then(() => {
    stopped = true;
  });
  await Promise.resolve();
  expect(stopped).toBe(false);
  written.resolve();
  await stop;
  expect(stopped).toBe(true);
});

test("the stop does not wait for a receiver that does not answer", async () => {
  vi.useFakeTimers();
  try {
    const stop = stopEvents(events(() => new Promise(() => undefined)));
    await vi.advanceTimersByTimeAsync(EVENTS_STOP_MS + 1);
    await expect(stop).resolves.toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});
