/**
 * Hooks in the worker's order, and what they may change, with a CommonJS app that has two entry points.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HostProcess } from "../../../local/host/host-process.ts";
import { startFixture } from "./support/fixture.ts";
import { send } from "./support/send.ts";

let host: HostProcess;
beforeAll(async () => {
  host = await startFixture("hooks");
});
afterAll(() => host.stop());

const get = (path: string) => send(host.port, path);

test("hooks run in the worker's order at start and at each invocation", async () => {
  const before = ["load first", "load second", "appStart"];
  expect((await get("/events")).json).toEqual([...before, "pre 1", "pre 2", "replaced", "handler"]);
  expect((await get("/events")).json.slice(7)).toEqual(["post 1 ok", "pre 1", "pre 2", "replaced", "handler"]);
});

test("a function registered in an appStart hook answers", async () => {
  expect((await get("/from-app-start")).text).toBe("ok");
});

test("an exception in preInvocation fails the invocation before the function runs", async () => {
  expect(await get("/refused-by-hook")).toMatchObject({ status: 500, text: "" });
  await host.logs.waitFor("pre refuses");
});

test("postInvocation may clear an error or set one", async () => {
  expect(await get("/rescued")).toMatchObject({ status: 200, text: "rescued" });
  expect(await get("/spoiled")).toMatchObject({ status: 500, text: "" });
});

test("the log hook may change the app's lines, and an exception in it does not hide a line", async () => {
  await get("/masked");
  expect(JSON.parse(await host.logs.waitFor("token [masked]")).message).toBe("token [masked] end");
  expect(JSON.parse(await host.logs.waitFor("hook throws")).message).toBe("hook throws secret-def");
});

test("appTerminate runs when the host stops, with the hook data of appStart", async () => {
  const own = await startFixture("hooks");
  expect(await own.stop()).toEqual({ code: 0, signal: null });
  expect(own.logs.lines).toContain("appTerminate after appStart: true");
});
