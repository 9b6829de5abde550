import { describe, expect, it } from "vitest";
import { beforeDeadline, DeadlineError } from "../../../shared/core/deadline.ts";

const DEADLINE_MS = 20;

/** Keeps the process busy, so that no timer and no reply is handled. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe("a call with a deadline", () => {
  it("gives the call's value if the call ends in time", async () => {
    expect(await beforeDeadline(Promise.resolve("value"), DEADLINE_MS)).toBe("value");
  });

  it("rejects as the call rejects if the call ends in time", async () => {
    await expect(beforeDeadline(Promise.reject(new TypeError("failed")), DEADLINE_MS)).rejects.toThrow(TypeError);
  });

  it("rejects with a DeadlineError if the call never ends", async () => {
    await expect(beforeDeadline(new Promise(() => undefined), DEADLINE_MS)).rejects.toThrow(DeadlineError);
  });

  it("leaves no rejection unhandled if the call rejects after the deadline", async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await expect(beforeDeadline(promise, DEADLINE_MS)).rejects.toThrow(DeadlineError);
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      reject(new Error("late"));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });

  it("takes a reply that arrived while the process was busy, although the deadline has passed", async () => {
    const reply = Promise.withResolvers<string>();
    const call = beforeDeadline(reply.promise, DEADLINE_MS);
    // As a socket does: the reply is handled in the turn after the timers.
    setTimeout(() => setImmediate(() => reply.resolve("value")), 1);
    block(2 * DEADLINE_MS);
    expect(await call).toBe("value");
  });
});
