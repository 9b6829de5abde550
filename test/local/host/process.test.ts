/**
 * The host as a process: start, failed start and stop, ordered by events.
 */
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { startHostProcess } from "../../../local/host/host-process.ts";
import { WORKER_FAILED } from "../../../local/host/worker-failed.ts";
import { fixtureFolder, startFixture } from "./support/fixture.ts";
import { send } from "./support/send.ts";

test.concurrent("after SIGTERM the running request finishes, new ones are refused, appTerminate runs, and the exit code is 0", async () => {
  const host = await startFixture("shutdown");
  const slow = send(host.port, "/slow");
  await host.logs.waitFor("slow started");
  process.kill(host.pid, "SIGTERM");
  await refused(host.port);
  process.kill(host.pid, "SIGUSR2");
  expect(await slow).toMatchObject({ status: 200, text: "finished", headers: { connection: "close" } });
  expect(await host.exited).toEqual({ code: 0, signal: null });
  expect(host.logs.lines.at(-1)).toBe("appTerminate");
});

test.concurrent("an idle keep-alive connection does not delay the end of the host", async () => {
  const host = await startFixture("shutdown");
  const answer = await fetch(`http://127.0.0.1:${host.port}/quick`, { headers: { connection: "keep-alive" } });
  expect(await answer.text()).toBe("quick");
  expect(await host.stop()).toEqual({ code: 0, signal: null });
});

test.concurrent("after an uncaught exception the app starts again on the same port, at most three times", async () => {
  const host = await startFixture("shutdown");
  const pids = new Set([host.pid]);
  for (let crash = 0; crash < 3; crash++) {
    await expect(send(host.port, "/crash")).rejects.toThrow();
    expect(await whenUp(host.port)).toBe("quick");
    pids.add(host.pid);
  }
  expect(host.logs.tail(50)).toContain("uncaught in the app");
  expect(pids.size).toBe(4);
  await expect(send(host.port, "/crash")).rejects.toThrow();
  expect(await host.exited).toEqual({ code: WORKER_FAILED, signal: null });
});

test.concurrent("a host that was restarted stops in order", async () => {
  const host = await startFixture("shutdown");
  await expect(send(host.port, "/crash")).rejects.toThrow();
  expect(await whenUp(host.port)).toBe("quick");
  expect(await host.stop()).toEqual({ code: 0, signal: null });
  expect(host.logs.lines.at(-1)).toBe("appTerminate");
});

test.concurrent("an app that throws at load ends the host with the app's message and exit code 1", async () => {
  const started = startFixture("load-failure", { CLIENT_ID: "wrong" });
  await expect(started).rejects.toThrow(/exit code 1[\s\S]*unable to load entry point "app\.mjs": CLIENT_ID is wrong/);
});

test.concurrent("the host does not start without an app or with an app that requires HTTP streams", async () => {
  const missing = startHostProcess({ appDirectory: fixtureFolder(""), port: 0, settings: {} });
  await expect(missing).rejects.toThrow(/host\.json cannot be read/);
  await expect(startFixture("streaming")).rejects.toThrow(/does not imitate/);
});

test.concurrent("a port that is in use is an error that names the port", async () => {
  const host = await startFixture("prefix");
  const second = startHostProcess({ appDirectory: fixtureFolder("prefix"), port: host.port, settings: {} });
  await expect(second).rejects.toThrow(new RegExp(`EADDRINUSE.*${host.port}`));
  await host.stop();
});

test.concurrent("the default route prefix is api, and settings override host.json", async () => {
  const host = await startFixture("prefix", { AzureFunctionsJobHost__logging__logLevel__default: "Warning" });
  expect((await send(host.port, "/api/hello")).text).toBe("hello");
  expect((await send(host.port, "/hello")).status).toBe(404);
  await host.stop();
  expect(host.logs.lines).toEqual([]);
  const changed = await startFixture("prefix", { AzureFunctionsJobHost__extensions__http__routePrefix: "v1/x" });
  expect((await send(changed.port, "/v1/x/hello")).text).toBe("hello");
  await changed.stop();
});

test.concurrent("the page at / is 200 text/html, and 204 with AzureWebJobsDisableHomepage", async () => {
  const shown = await startFixture("shutdown");
  for (const method of ["GET", "POST", "DELETE"]) {
    const page = await send(shown.port, "/", { method });
    expect(page).toMatchObject({ status: 200, headers: { "content-type": "text/html" } });
    expect(page.text).toContain("Functions host");
  }
  expect(await send(shown.port, "/", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  await shown.stop();
  const hidden = await startFixture("shutdown", { AzureWebJobsDisableHomepage: "true" });
  expect(await send(hidden.port, "/")).toMatchObject({ status: 204, text: "" });
  await hidden.stop();
});

/** The first answer after the restart. */
async function whenUp(port: number): Promise<string> {
  for (;;) {
    const answer = await send(port, "/quick").catch(() => undefined);
    if (answer !== undefined) return answer.text;
    await setTimeout(10);
  }
}

/** Resolves when the port no longer accepts connections. */
async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      await send(port, "/quick");
    } catch {
      return;
    }
  }
}
