/**
 * `npm start`, `npm run token` and `npm run demo` as a user runs them, with the built service (`npm run build`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readEnvironment } from "../../local/caller/environment.ts";
import { localRequest } from "../../local/caller/local-request.ts";
import { decodeClaims } from "../../local/caller/show-token.ts";
import { BoundedLog } from "../../local/process/bounded-log.ts";
import { GATEWAY_POLICY } from "../docs/support/run-snippet.ts";

const repository = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "gte-start-"));
const environmentPath = join(folder, "environment.json");

interface Run {
  child: ChildProcess;
  output: BoundedLog;
  exited: Promise<number | null>;
}

function run(script: string, parameters: string[] = [], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [join(repository, "local", script), ...parameters], {
    cwd: repository,
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      LOCAL_FOLDER: folder,
      PORT: "0",
      LOCAL_TENANT_PORT: "0",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = new BoundedLog(1_000);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => output.add(line));
  }
  return { child, output, exited: new Promise((done) => child.on("close", done)) };
}

let start: Run;
beforeAll(async () => {
  start = run("start.ts");
  const ended = start.exited.then((code) => {
    throw new Error(`start.ts ended with exit code ${code}:\n${start.output.tail(30)}`);
  });
  await Promise.race([start.output.waitFor("Ctrl+C stops everything."), ended]);
  ended.catch(() => undefined);
});
afterAll(async () => {
  start.child.kill("SIGKILL");
  await start.exited;
  rmSync(folder, { recursive: true, force: true });
});

test("npm start prints the first exchange without a complete token", () => {
  const text = start.output.tail(100);
  expect(text).toMatch(/GET \/AuthorizationHeader\/graph {2}200/);
  expect(text).toContain('"userPrincipalName":"alice@contoso.local"');
  expect(text).toMatch(/Bearer eyJ0eX…\(\d+ characters\)/);
  expect(text).not.toMatch(/eyJ[\w-]{40,}/);
  expect(statSync(environmentPath).mode & 0o777).toBe(0o600);
});

test("README.md shows the output of npm start, except for times, lengths and the order of scopes", () => {
  const withoutVariableParts = (text: string) =>
    text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "a time")
      .replaceAll(/\d+ characters/g, "some characters")
      .replaceAll(/(?<=scp=|scopes )\S+( \S+)*(?= {2}(?:exp|\())/g, (scopes) => scopes.split(" ").sort().join(" "));
  const TRANSCRIPT = /First exchange:\n(?: .*\n)+\nThe same request by three callers:\n(?: .*\n)+/;
  const printed = TRANSCRIPT.exec(start.output.tail(100))?.[0] ?? "nothing";
  const [shown = ""] = TRANSCRIPT.exec(readFileSync(join(repository, "README.md"), "utf8")) ?? [];
  expect(withoutVariableParts(shown)).toBe(withoutVariableParts(printed));
});

test("npm run token prints only a token", async () => {
  const alice = run("token.ts", ["alice"]);
  expect(await alice.exited).toBe(0);
  expect(alice.output.lines).toHaveLength(1);
  const environment = readEnvironment(environmentPath);
  expect(decodeClaims(alice.output.tail(1))["oid"]).toBe(environment?.users["alice"]?.oid);
});

test.concurrent.each([
  [["mallory"], 1, 'no user "mallory"'],
  [["--app", "nobody"], 1, 'no caller "nobody"'],
  [[], 2, "Usage:"],
  [["alice", "bob"], 2, "Usage:"],
  [["--unknown"], 2, "Usage:"],
])("npm run token with %j: exit code %d, %s", async (parameters, code, message) => {
  const refused = run("token.ts", parameters);
  expect(await refused.exited).toBe(code);
  expect(refused.output.tail(5)).toContain(message);
});

test.concurrent("npm start with a port in use fails with an error that names the variable", async () => {
  const port = new URL(readEnvironment(environmentPath)?.serviceUrl ?? "").port;
  const second = run("start.ts", [], { PORT: port, LOCAL_FOLDER: join(folder, "second") });
  expect(await second.exited).toBe(1);
  expect(second.output.tail(1)).toBe(
    `Port ${port} is in use. Is the local stack already running? Set PORT to another port.`,
  );
});

test.concurrent("npm start with LOCAL_POLICY uses the policy in this file", async () => {
  const own = join(folder, "own");
  const policyPath = join(folder, "gateways.json");
  writeFileSync(policyPath, GATEWAY_POLICY);
  const second = run("start.ts", [], { LOCAL_FOLDER: own, LOCAL_POLICY: policyPath });
  try {
    await Promise.race([second.output.waitFor("Ctrl+C stops everything."), second.exited]);
    expect(second.output.tail(20)).toContain(`Policy: ${policyPath}`);
    const environment = readEnvironment(join(own, "environment.json"));
    const { clientId = "", clientSecret = "" } = environment?.callers["daemon"] ?? {};
    const scope = "https://graph.microsoft.com/.default";
    const form = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret, scope };
    const answer = await localRequest(`${environment?.serviceUrl}/oauth2/token`, { form });
    expect([answer.status, answer.json()["token_type"]]).toEqual([200, "Bearer"]);
  } finally {
    second.child.kill("SIGTERM");
    await second.exited;
  }
});

test.concurrent("npm start with a LOCAL_POLICY that does not exist says so", async () => {
  const second = run("start.ts", [], { LOCAL_FOLDER: join(folder, "none"), LOCAL_POLICY: "nowhere.json" });
  expect(await second.exited).toBe(1);
  expect(second.output.tail(1)).toBe(
    "LOCAL_POLICY must be the path of a policy file, and nowhere.json cannot be read.",
  );
});

test.concurrent("a second npm start names the running stack and changes none of its files", async () => {
  const files = () =>
    ["ca.pem", "environment.json", "stack.lock"].map((name) => readFileSync(join(folder, name), "utf8"));
  const before = files();
  const { serviceUrl, caCertPath } = readEnvironment(environmentPath) ?? {};
  const second = run("start.ts");
  expect(await second.exited).toBe(1);
  expect(second.output.tail(1)).toBe(
    `The local stack is already running (process ${start.child.pid}, ${serviceUrl}). Use it, or end it first. To run a second stack, set LOCAL_FOLDER, PORT and LOCAL_TENANT_PORT.`,
  );
  expect(files()).toEqual(before);
  expect(readFileSync(caCertPath ?? "", "utf8")).toContain("BEGIN CERTIFICATE");
});

// The demo starts programs one after the other. On a busy machine this takes more than a minute.
test.concurrent("npm run demo passes against the running stack", { timeout: 240_000 }, async () => {
  const demo = run("demo.ts");
  const code = await demo.exited;
  expect({ code, last: demo.output.tail(1) }).toEqual({
    code: 0,
    last: expect.stringMatching(/^(\d+) of \1 steps passed\.$/),
  });
  expect(demo.output.tail(1_000)).toContain("Using the running stack");
  expect(demo.output.tail(1_000)).not.toMatch(/eyJ[\w-]{40,}|gte_[\w-]{40,}/);
});

test("SIGTERM, sent twice as by npm, stops everything, deletes environment.json and exits with code 0", async () => {
  start.child.kill("SIGTERM");
  start.child.kill("SIGTERM");
  expect(await start.exited).toBe(0);
  expect(existsSync(environmentPath)).toBe(false);
});
