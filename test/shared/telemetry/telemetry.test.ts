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

describe("nothing that goes wrong in there comes out", () => {
  test("a chunk that cannot be loaded", async () => {
    const observe = telemetry.forRoute("token");
    observe(observation);
    await later();
    loads[0]?.reject(new Error("no such file"));
    await turn();
    observe(observation);
    await telemetry.stop();
    expect({ loads: loads.length, recorded, unusable }).toEqual({ loads: 1, recorded: [], unusable: 1 });
  });

  test("a recorder that throws is not asked again", async () => {
    let asked = 0;
    const observe = telemetry.forRoute("token");
    observe(observation);
    await later();
    loads[0]?.resolve({
      ...recorder,
      record() {
        asked += 1;
        throw new Error("bug");
      },
    });
    await turn();
    observe(observation);
    observe(observation);
    expect({ asked, unusable }).toEqual({ asked: 1, unusable: 1 });
  });

  test("an end that does not come: two seconds, then the process may go", async () => {
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

  test("an end that fails", async () => {
    telemetry.start();
    await turn();
    loads[0]?.resolve({ ...recorder, stop: () => Promise.reject(new Error("no")) });
    await turn();
    await expect(telemetry.stop()).resolves.toBeUndefined();
  });
});

test("nothing is loaded until something is observed, and then not while the first answers are made", async () => {
  const observe = telemetry.forRoute("token");
  await later();
  expect(loads).toHaveLength(0);
  observe(observation);
  await vi.advanceTimersByTimeAsync(499);
  expect(loads).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(loads).toHaveLength(1);
});

test("what is observed meanwhile waits, in order and bounded", async () => {
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

test("the end before the beginning", async () => {
  await telemetry.stop();
  expect(loads).toHaveLength(0);
});

test.each(["before", "while"])("an end %s the chunk is loading sends what waits", async (when) => {
  telemetry.forRoute("token")(observation);
  if (when === "while") {
    await later();
  }
  const stopped = telemetry.stop();
  loads[0]?.resolve(recorder);
  await stopped;
  expect(recorded).toEqual(["token"]);
});
