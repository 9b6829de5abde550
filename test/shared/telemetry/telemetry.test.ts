import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  createLazyTelemetry,
  type Observation,
  type Recorder,
  type Telemetry,
} from "../../../shared/telemetry/telemetry.ts";

const observation: Observation = { outcome: "issued", code: "ok", startedMs: 0, endedMs: 1, trace: undefined };

let loads: PromiseWithResolvers<Recorder>[];
let recorded: string[];
let unusable: number;
let recorder: Recorder;
let telemetry: Telemetry;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  loads = [];
  recorded = [];
  unusable = 0;
  recorder = { record: (route) => void recorded.push(route), stop: () => Promise.resolve() };
  telemetry = createLazyTelemetry({
    load: () => {
      const load = Promise.withResolvers<Recorder>();
      loads.push(load);
      return load.promise;
    },
    onUnusable: () => {
      unusable += 1;
    },
  });
});
afterEach(() => void vi.useRealTimers());

const turn = () => new Promise((resolve) => setImmediate(resolve));
const later = () => vi.advanceTimersByTimeAsync(500);

describe("a failure of telemetry never reaches the service", () => {
  test("if the chunk cannot be loaded, it is reported once and not loaded again", async () => {
    const observe = telemetry.forRoute("token");
    observe(observation);
    await later();
    loads[0]?.reject(new Error("no such file"));
    await turn();
    observe(observation);
    await telemetry.stop();
    expect({ loads: loads.length, recorded, unusable }).toEqual({ loads: 1, recorded: [], unusable: 1 });
  });

  test("a recorder that throws is reported once and not called again", async () => {
    let calls = 0;
    const observe = telemetry.forRoute("token");
    observe(observation);
    await later();
    loads[0]?.resolve({
      ...recorder,
      record() {
        calls += 1;
        throw new Error("bug");
      },
    });
    await turn();
    observe(observation);
    observe(observation);
    expect({ calls, unusable }).toEqual({ calls: 1, unusable: 1 });
  });

  test("stop waits at most two seconds for a recorder that does not stop", async () => {
    telemetry.start();
    await turn();
    loads[0]?.resolve({ ...recorder, stop: () => new Promise(() => undefined) });
    await turn();
    let stopped = false;
    void telemetry.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(stopped).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("stop resolves although the recorder fails to stop", async () => {
    telemetry.start();
    await turn();
    loads[0]?.resolve({ ...recorder, stop: () => Promise.reject(new Error("no")) });
    await turn();
    await expect(telemetry.stop()).resolves.toBeUndefined();
  });
});

test("the chunk is loaded half a second after the first observation", async () => {
  const observe = telemetry.forRoute("token");
  await later();
  expect(loads).toHaveLength(0);
  observe(observation);
  await vi.advanceTimersByTimeAsync(499);
  expect(loads).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(loads).toHaveLength(1);
});

test("at most 1,024 observations wait for the chunk, and are recorded in order", async () => {
  const routes = Array.from({ length: 1_100 }, (_, index) => `route-${index}`);
  for (const route of routes) {
    telemetry.forRoute(route)(observation);
  }
  await later();
  loads[0]?.resolve(recorder);
  await turn();
  expect(recorded).toEqual(routes.slice(0, 1_024));
  telemetry.forRoute("after")(observation);
  expect(recorded.at(-1)).toBe("after");
  expect(loads).toHaveLength(1);
});

test("stop without an observation does not load the chunk", async () => {
  await telemetry.stop();
  expect(loads).toHaveLength(0);
});

test.each(["before", "while"])("stop %s the chunk is loading records the waiting observations", async (when) => {
  telemetry.forRoute("token")(observation);
  if (when === "while") {
    await later();
  }
  const stopped = telemetry.stop();
  loads[0]?.resolve(recorder);
  await stopped;
  expect(recorded).toEqual(["token"]);
});
