/**
 * The stack as a library, with a small app in place of the service: its services, restarts and stop.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applicationToken, userToken } from "../../../local/caller/caller-token.ts";
import { readEnvironment, removeEnvironment, writeEnvironment } from "../../../local/caller/environment.ts";
import { localRequest } from "../../../local/caller/local-request.ts";
import { decodeClaims } from "../../../local/caller/show-token.ts";
import { type Stack, startStack } from "../../../local/stack/stack.ts";
import { fixtureFolder } from "../host/support/fixture.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    appDirectory: fixtureFolder("probe"),
    serviceSettings: { EXTRA: "1", POLICY: undefined },
  });
});
afterAll(() => stack.stop());

const ask = async (path: string) => (await localRequest(stack.service.url + path)).json();

test("the service has its settings, including changed ones, and none of this process", async () => {
  const settings = await ask("/settings");
  expect(settings).toMatchObject({
    CLOUD: "local",
    LOCAL_TENANT_URL: stack.tenant.url,
    KEY_VAULT_URL: stack.tenant.url,
    SERVICE_URL: stack.service.url,
    CLIENT_CREDENTIAL: "key-vault-secret",
    GRANT_STORE_URL: stack.tables.url,
    EXTRA: "1",
  });
  expect(settings["POLICY"]).toBeUndefined();
  expect(settings["VITEST"]).toBeUndefined();
});

test("the service trusts the tenant's certificate and reads its secret", async () => {
  expect((await ask("/tenant"))["token_endpoint"]).toContain(stack.tenant.url);
  expect(await ask("/secret")).toEqual({ length: expect.any(Number) });
});

test("the environment lists callers and users in seed order", () => {
  const { environment } = stack;
  expect(Object.keys(environment.callers)[0]).toBe("web");
  expect(Object.keys(environment.users).slice(0, 2)).toEqual(["alice", "bob"]);
  expect(environment.callers["public"]).toEqual({ clientId: expect.any(String) });
  expect(environment.service.audience).toBe(`api://${environment.service.clientId}`);
});

test("callers' tokens are for the service, and an unknown user or caller is an error", async () => {
  const person = decodeClaims(await userToken(stack.environment, "bob", "public"));
  expect(person).toMatchObject({ aud: stack.environment.service.clientId, scp: "access_as_user" });
  expect(person["oid"]).toBe(stack.environment.users["bob"]?.oid);
  const application = decodeClaims(await applicationToken(stack.environment, "daemon"));
  expect(application).toMatchObject({ azp: stack.environment.callers["daemon"]?.clientId, roles: ["Exchange.Call"] });
  const operator = decodeClaims(await userToken(stack.environment, "erin"));
  expect([person["roles"], operator["roles"]]).toEqual([undefined, ["Grant.Create", "Policy.Explain", "Grant.Admin"]]);
  await expect(userToken(stack.environment, "mallory")).rejects.toThrow('no user "mallory"');
  await expect(applicationToken(stack.environment, "public")).rejects.toThrow("The local tenant refused: AADSTS");
});

test("the host restarts on its port with changed settings and keeps them at the next restart", async () => {
  const { pid, url } = stack.service;
  await stack.restartHost({ EXTRA: "2" });
  expect(stack.service).toMatchObject({ url });
  expect(stack.service.pid).not.toBe(pid);
  await stack.restartHost();
  expect((await ask("/settings"))["EXTRA"]).toBe("2");
});

test("the host passes only / and /playground/… on to the playground, and answers 502 if it is not there", async () => {
  await stack.restartHost({ LOCAL_PLAYGROUND_URL: "http://127.0.0.1:1" });
  const status = async (path: string) => (await localRequest(stack.service.url + path)).status;
  expect([await status("/"), await status("/playground/x")]).toEqual([502, 502]);
  expect([await status("/?app"), await status("/playground"), await status("/settings")]).toEqual([204, 404, 200]);
  await stack.restartHost({ LOCAL_PLAYGROUND_URL: undefined });
  expect(await status("/")).toBe(204);
});

test("environment.json is readable by its owner only and can be deleted", () => {
  const folder = mkdtempSync(join(tmpdir(), "gte-test-"));
  const path = join(folder, "environment.json");
  expect(readEnvironment(path)).toBeUndefined();
  writeEnvironment(stack.environment, path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readEnvironment(path)).toEqual(stack.environment);
  removeEnvironment(path);
  expect(existsSync(path)).toBe(false);
  rmSync(folder, { recursive: true });
});

test.concurrent("a host that ends unexpectedly is reported, and stopping the stack deletes and ends everything", async () => {
  const own = await startStack({ appDirectory: fixtureFolder("probe") });
  const { caCertPath } = own.environment;
  expect(readFileSync(caCertPath, "utf8")).toContain("BEGIN CERTIFICATE");
  process.kill(own.service.pid, "SIGKILL");
  expect(await own.broken).toContain("The Functions host ended (SIGKILL)");
  await own.stop();
  expect(existsSync(caCertPath)).toBe(false);
  await expect(localRequest(own.tenant.url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await expect(localRequest(own.tables.url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test.concurrent("an app that cannot be loaded fails the start with its reason and leaves no process", async () => {
  const failing = startStack({ appDirectory: fixtureFolder("load-failure") });
  await expect(failing).rejects.toThrow("unable to load entry point");
});
