/** `npm run bench -- --url`: a deployment, here the local stack, measured relative to its own /healthz. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DeploymentOptions, measureDeployment } from "../../bench/deployment.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const script = resolve(import.meta.dirname, "../../bench/run.ts");
let stack: Stack;
let folder: string;
let token: string;
beforeAll(async () => {
  stack = await startTestStack();
  folder = mkdtempSync(join(tmpdir(), "gte-bench-test-"));
  token = stack.tenant.state.mintUserToken({ user: "alice", client: "web" });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await stack.stop();
});

const readPath = (path: string) => ({ api: "graph", connections: 1, rounds: 1, roundMs: 50, tokenFile: path });

function tokenFile(text: string): string {
  const path = join(folder, "token");
  writeFileSync(path, `${text}\n`);
  return path;
}

test("both cached exchanges are reported relative to /healthz, without the token", async () => {
  const args = [script, "--smoke", "--url", stack.service.url, "--token-file", tokenFile(token)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  const output = stdout + stderr;
  expect(output).toContain(`Cached exchanges at ${stack.service.url}`);
  const rows = output.split("\n").map((line) => line.trim().split(/ {2,}/));
  expect(rows.find(([name]) => name === "GET /healthz")?.slice(4)).toEqual(["1.00", "1.00", "1.00"]);
  for (const name of ["GET /AuthorizationHeader/graph", "POST /oauth2/token"]) {
    const ratios =
      rows
        .find(([first]) => first === name)
        ?.slice(4)
        .map(Number) ?? [];
    expect(ratios).toHaveLength(3);
    expect(ratios.every((ratio) => ratio > 0)).toBe(true);
  }
  expect(output).not.toMatch(/eyJ/);
});

describe("nothing is measured, and the reason is given without the token:", () => {
  test.each<[string, () => Partial<DeploymentOptions>, RegExp]>([
    [
      "a token that is refused",
      () => readPath(tokenFile("eyJa.eyJb.c")),
      /graph was not always answered with 200: 40\d/,
    ],
    ["a file without a token", () => readPath(tokenFile("eyJ secret")), /does not contain an access token/],
    ["no token file for another deployment", () => ({ url: "https://a.example", tokenFile: undefined }), /is missing/],
    ["plain HTTP to another machine", () => ({ url: "http://a.example" }), /must begin with https/],
    ["a URL with a path", () => ({ url: "https://a.example/api" }), /must have no path/],
    ["an unknown API", () => ({ api: "nothing" }), /nothing was not always answered with 200: 40\d/],
    ["nothing at that address", () => ({ url: "http://localhost:9" }), /GET \/healthz: no connection/],
  ])("%s", async (_what, changes, reason) => {
    const options = { url: stack.service.url, ...readPath(tokenFile(token)), ...changes() };
    const problem = await measureDeployment(options).catch((error: Error) => error.message);
    expect(problem).toMatch(reason);
    expect(problem).not.toMatch(/eyJ/);
  });
});
