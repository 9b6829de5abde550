/**
 * The programs of docs/gateways.md, run unmodified against a local stack whose policy is the one on that page: simple-oauth2,
 * openid-client with default discovery, Duende IdentityModel from NuGet, and Python's standard library. Without the .NET SDK
 * or Python, their tests are skipped with a message.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { CLIENT_IDS } from "../../local/tenant/directory/seed-ids.ts";
import { claimsOf } from "../support/callers.ts";
import { root } from "./support/markdown.ts";
import { dotnetVersion, GATEWAY_POLICY, removePrograms, runSnippet } from "./support/run-snippet.ts";

/** The first .NET test restores a package and compiles. */
const TIMEOUT_MS = 240_000;
const dotnet = dotnetVersion() !== undefined;
const python = spawnSync("python3", ["--version"]).status === 0;
for (const [missing, what] of [
  [!dotnet, "the .NET program of docs/gateways.md. Install the .NET SDK 8 or later to run it."],
  [!python, "the Python program of docs/gateways.md. Install Python 3 to run it."],
] as const) {
  if (missing) process.stderr.write(`\nSKIPPED: ${what}\n\n`);
}

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-gateways-"));
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
  for (const name of ["host.json", "package.json"]) cpSync(join(root, name), join(folder, name));
  stack = await startStack({ appDirectory: folder, serviceSettings: { POLICY: GATEWAY_POLICY } });
});
afterAll(async () => {
  await stack?.stop();
  await removePrograms();
  rmSync(folder, { recursive: true, force: true });
});

const secretOf = (app: "daemon" | "web") => stack.tenant.state.directory.registration(app)?.secrets[0]?.value ?? "";
const userToken = () => stack.tenant.state.mintUserToken({ user: "alice", client: "web" });
/** The gateway with its own secret, which Entra proves. */
const gateway = () => ({ CLIENT_ID: CLIENT_IDS.daemon, CLIENT_SECRET: secretOf("daemon"), USER_TOKEN: userToken() });
/** The client that obtained the user's token, with a secret that is none. */
const chat = () => ({ CLIENT_ID: CLIENT_IDS.web, CLIENT_SECRET: "not-a-secret", USER_TOKEN: userToken() });

test("simple-oauth2 gets an application token with the application's own secret", async () => {
  const input = { heading: "simple-oauth2 (JavaScript)", language: "js", serviceUrl: stack.service.url } as const;
  const printed = await runSnippet({ ...input, env: gateway() });
  expect(claimsOf(printed)).toMatchObject({ aud: "https://graph.microsoft.com", appid: CLIENT_IDS.appOnly });
});

describe.each([
  ["openid-client (JavaScript)", "js", true],
  ["Duende IdentityModel (.NET)", "csharp", dotnet],
  ["Python", "python", python],
] as const)("%s", { timeout: TIMEOUT_MS }, (heading, language, runs) => {
  // The local stack has no TLS. The libraries of .NET and Python accept that for this machine.
  const change = (code: string) =>
    code.replace("CLIENT_SECRET);", "CLIENT_SECRET, undefined, { execute: [client.allowInsecureRequests] });");
  const run = (env: Record<string, string>) =>
    runSnippet({ heading, language, serviceUrl: stack.service.url, env, ...(language === "js" ? { change } : {}) });

  test.skipIf(!runs)("exchanges a user's token, with the gateway's own secret", async () => {
    const printed = await run(gateway());
    expect(claimsOf(printed)).toMatchObject({ aud: "https://graph.microsoft.com", appid: CLIENT_IDS.service });
  });

  test.skipIf(!runs)("exchanges a user's token, with a secret that the service ignores", async () => {
    const printed = await run(chat());
    expect(claimsOf(printed)).toMatchObject({
      aud: "https://graph.microsoft.com",
      scp: expect.stringContaining("User.Read"),
    });
  });

  test.skipIf(!runs)("fails with a wrong secret of the gateway", async () => {
    const wrong = { ...gateway(), CLIENT_SECRET: "wrong-secret-wrong-secret" };
    await expect(run(wrong)).rejects.toThrow();
  });
});
