import { describe, expect, it } from "vitest";
import { createBackgroundRefresh } from "../../../shared/core/background-refresh.ts";

const PAUSE_MS = 1_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp(pauseMaxMs?: number) {
  const clock = { ms: 1_000_000 };
  const attempts: { readonly name: string; resolve(value: string): void; reject(error: Error): void }[] = [];
  const rejections: unknown[] = [];
  const refresh = createBackgroundRefresh({
    attempt(name: string) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      attempts.push({ name, resolve, reject });
      return promise;
    },
    nowMs: () => clock.ms,
    onRejected: (error) => rejections.push(error),
    ...(pauseMaxMs === undefined ? {} : { pauseMaxMs }),
  });
  const names = () => attempts.map(({ name }) => name);
  return { clock, attempts, names, rejections, refresh };
}

/** Each function brings a new refresh into one state. */
const states = {
  new: () => setUp(),
  paused() {
    const it = setUp();
    it.refresh.pause(PAUSE_MS);
    return it;
  },
  "due after a pause"() {
    const it = states.paused();
    it.clock.ms += PAUSE_MS;
    return it;
  },
  running() {
    const it = setUp();
    it.refresh.startIfDue("running");
    return it;
  },
  "paused while running"() {
    const it = states.running();
    it.refresh.pause(PAUSE_MS);
    return it;
  },
  "resolved without a pause"() {
    const it = states.running();
    it.attempts[0]?.resolve("");
    return it;
  },
  "rejected without a pause"() {
    const it = states.running();
    it.attempts[0]?.reject(new Error("failed"));
    return it;
  },
};

describe("a background refresh", () => {
  it.each<[keyof typeof states, object]>([
    ["new", { due: true, running: false, run: "starts", runIfDue: "starts", startIfDue: "starts" }],
    ["paused", { due: false, running: false, run: "starts", runIfDue: "no attempt", startIfDue: "no attempt" }],
    ["due after a pause", { due: true, running: false, run: "starts", runIfDue: "starts", startIfDue: "starts" }],
    ["running", { due: true, running: true, run: "joins", runIfDue: "joins", startIfDue: "no attempt" }],
    ["paused while running", { due: false, running: true, run: "joins", runIfDue: "joins", startIfDue: "no attempt" }],
    [
      "resolved without a pause",
      { due: true, running: false, run: "starts", runIfDue: "starts", startIfDue: "starts" },
    ],
    [
      "rejected without a pause",
      { due: true, running: false, run: "starts", runIfDue: "starts", startIfDue: "starts" },
    ],
  ])("that is %s", async (state, expected) => {
    const reach = async (call: "run" | "runIfDue" | "startIfDue") => {
      const { refresh, attempts } = states[state]();
      await settled();
      const before = attempts.length;
      const result = refresh[call]("next");
      if (attempts.length > before) return "starts";
      return result === undefined ? "no attempt" : "joins";
    };
    const { refresh } = states[state]();
    await settled();
    expect({
      due: refresh.isDue(),
      running: refresh.isRunning(),
      run: await reach("run"),
      runIfDue: await reach("runIfDue"),
      startIfDue: await reach("startIfDue"),
    }).toEqual(expected);
  });

  it("gives all callers that join an attempt its value, and passes on only the first caller's arguments", async () => {
    const { refresh, attempts, names } = setUp();
    const joined = [refresh.run("first"), refresh.run("second"), refresh.runIfDue("third")];
    attempts[0]?.resolve("value");
    expect(await Promise.all(joined)).toEqual(["value", "value", "value"]);
    expect(names()).toEqual(["first"]);
  });

  it("rejects for callers that wait, also if they joined an attempt in the background", async () => {
    const { refresh, attempts, rejections } = setUp();
    refresh.startIfDue("background");
    const joined = refresh.run("joined");
    const error = new Error("failed");
    attempts[0]?.reject(error);
    await expect(joined).rejects.toBe(error);
    expect(rejections).toEqual([error]);
    expect(refresh.isRunning()).toBe(false);
  });

  it("does not report the rejection of an attempt that a caller waits for", async () => {
    const { refresh, attempts, rejections } = setUp();
    const waiting = refresh.run("foreground");
    attempts[0]?.reject(new Error("failed"));
    await expect(waiting).rejects.toThrow("failed");
    expect(rejections).toEqual([]);
  });

  it("leaves no rejection unhandled in the background if the owner does not listen", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      const refresh = createBackgroundRefresh({ attempt: () => Promise.reject(new Error("failed")), nowMs: () => 0 });
      refresh.startIfDue();
      await settled();
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });

  it.each([
    ["no limit: the pause lasts", undefined, PAUSE_MS + 1, false],
    ["a wait up to the limit: the pause lasts", 2 * PAUSE_MS, PAUSE_MS, false],
    ["a wait above the limit: due", 2 * PAUSE_MS, PAUSE_MS + 1, true],
  ])("whose clock was set back, %s", (_name, pauseMaxMs, setBackMs, due) => {
    const { refresh, clock } = setUp(pauseMaxMs);
    refresh.pause(PAUSE_MS);
    clock.ms -= setBackMs;
    expect(refresh.isDue()).toBe(due);
  });
});
