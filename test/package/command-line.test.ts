/** The package of the command line: what npm packs, and that it is installed offline as one package and runs. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCli } from "../../local/build/build-cli.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let tarball: string;
/** An empty folder into which the package is installed. */
let somewhere: string;
let installed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-cli-package-"));
  const checkout = join(folder, "checkout");
  for (const name of ["package.json", "README.md"]) {
    cpSync(join(root, "clients/cli", name), join(checkout, name));
  }
  await buildCli(join(checkout, "dist"));
  npm(["pack", "--offline", "--pack-destination", folder], checkout);
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "");
  somewhere = join(folder, "somewhere");
  mkdirSync(somewhere);
  npm(["install", "--offline", "--no-audit", "--no-fund", tarball], somewhere);
  installed = join(somewhere, "node_modules/graph-token-exchange-cli");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Uses the npm that runs the tests, if there is one. */
function npm(args: string[], cwd: string): void {
  const path = process.env["npm_execpath"];
  const env = { ...process.env, npm_config_update_notifier: "false", npm_config_cache: join(folder, "empty-cache") };
  execFileSync(path === undefined ? "npm" : process.execPath, path === undefined ? args : [path, ...args], {
    cwd,
    env,
    stdio: "pipe",
  });
}

function gte(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(installed, "dist/gte.mjs"), ...args], {
    cwd: somewhere,
    encoding: "utf8",
    env: { HOME: folder, APPDATA: folder },
  });
  return { code: status, out: stdout, notes: stderr };
}

const filesBelow = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

describe("the tarball of the command line", () => {
  test("is installed into an empty folder without network access as one package", () => {
    const lock = JSON.parse(readFileSync(join(somewhere, "package-lock.json"), "utf8")) as { packages: object };
    expect(Object.keys(lock.packages)).toEqual(["", "node_modules/graph-token-exchange-cli"]);
    expect(readdirSync(join(somewhere, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
      "graph-token-exchange-cli",
    ]);
  });

  test("contains only the program, its README and licenses, less than 200 KB packed and 700 KB installed", () => {
    const files = filesBelow(installed);
    expect(files.map(({ name }) => name).sort()).toEqual([
      "LICENSE",
      "README.md",
      "THIRD-PARTY-NOTICES.txt",
      "gte.mjs",
      "package.json",
    ]);
    expect(statSync(tarball).size).toBeLessThan(200 * 1024);
    const sizes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
    expect(sizes.reduce((total, size) => total + size, 0)).toBeLessThan(700 * 1024);
  });

  test("has no dependency and no script in its package.json, and the version of the repository", () => {
    const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    const { version, bin, ...rest } = read(join(installed, "package.json"));
    expect([version, bin]).toEqual([read(join(root, "package.json"))["version"], { gte: "dist/gte.mjs" }]);
    expect(Object.keys(rest).filter((name) => /dependencies|scripts/i.test(name))).toEqual([]);
  });

  test("has the license of every package whose code is in the program", () => {
    const notices = readFileSync(join(installed, "dist/THIRD-PARTY-NOTICES.txt"), "utf8");
    const named = [...notices.matchAll(/^-{80}\n\n(\S+) \d+\.\d+\.\d+\S* \([\w.-]+\)$/gm)].map(([, name]) => name);
    expect(named).toEqual(expect.arrayContaining(["@azure/msal-node", "@azure/msal-common"]));
    expect(named.length).toBe(new Set(named).size);
    expect(notices).toContain("Copyright (c) Microsoft");
  });
});

describe("the installed command line", () => {
  test("is started by the command gte", () => {
    const program = join(somewhere, "node_modules/.bin", process.platform === "win32" ? "gte.cmd" : "gte");
    const path = `${join(process.execPath, "..")}:/usr/bin:/bin`;
    const { stdout } = spawnSync(program, ["--version"], {
      env: process.platform === "win32" ? process.env : { PATH: path },
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    expect(stdout).toMatch(/^gte \d+\.\d+\.\d+\n$/);
  });

  test("starts with less than 500 ms of processor time", () => {
    const report = 'process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1000)})';
    const times = Array.from({ length: 3 }, () => {
      const preload = `--import=data:text/javascript,${encodeURIComponent(report)}`;
      const run = spawnSync(process.execPath, [preload, join(installed, "dist/gte.mjs"), "--version"], {
        encoding: "utf8",
      });
      expect(run.stdout).toMatch(/^gte /);
      return Number(run.stderr);
    });
    expect(Math.min(...times)).toBeLessThan(500);
  });

  test("prints its help", () => {
    const { code, out, notes } = gte("--help");
    expect([code, notes]).toEqual([0, ""]);
    expect(out).toMatch(/^gte: Microsoft Graph .* without a secret\n/);
  });

  test("explains a failed command and exits with its code", () => {
    expect(gte("header", "graph")).toEqual({
      code: 2,
      out: "",
      notes: "gte: No service is configured.\n     Run: gte login --service https://… --client-id …\n",
    });
  });

  test("sends a request to the service", () => {
    const login = ["login", "--service", "https://localhost:1", "--client-id", "11111111-2222-3333-4444-555555555555"];
    expect(gte(...login)).toMatchObject({ code: 5, out: "", notes: expect.stringContaining("localhost:1 cannot be") });
  });
});
