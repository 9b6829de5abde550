/**
 * The command line as a package: what npm packs of a fresh checkout, and that it runs where it is installed, from a
 * folder below node_modules and without any dependency.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let installed: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gte-cli-package-"));
  const checkout = join(folder, "checkout");
  for (const path of [
    "package.json",
    "README.md",
    "LICENSE",
    "tsconfig.json",
    "clients",
    "local/build/build-cli.mjs",
  ]) {
    cpSync(join(root, path), join(checkout, path), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"), "junction");
  npm(["pack", "--offline", "--pack-destination", folder], checkout);
  installed = join(folder, "somewhere/node_modules/graph-token-exchange");
  mkdirSync(installed, { recursive: true });
  const archive = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  execFileSync("tar", ["-xzf", join(folder, archive[0] ?? ""), "-C", installed, "--strip-components=1"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** npm as the one that runs the tests, if one does. */
function npm(args: string[], cwd: string): void {
  const path = process.env["npm_execpath"];
  const env = { ...process.env, npm_config_update_notifier: "false" };
  execFileSync(path === undefined ? "npm" : process.execPath, path === undefined ? args : [path, ...args], {
    cwd,
    env,
    stdio: "pipe",
  });
}

function gte(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(installed, "dist/gte.mjs"), ...args], {
    cwd: join(folder, "somewhere"),
    encoding: "utf8",
    env: { HOME: folder, APPDATA: folder },
  });
  return { code: status, out: stdout, notes: stderr };
}

test("holds the command line and what a reader needs, and nothing of the service", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name).sort()).toEqual(["LICENSE", "README.md", "gte.mjs", "package.json"]);
});

describe("below node_modules", () => {
  test("its command is there, and the system can start it", () => {
    const script = "import p from './package.json' with { type: 'json' }; process.stdout.write(p.bin.gte)";
    expect(
      execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: installed, encoding: "utf8" }),
    ).toBe("dist/gte.mjs");
    if (process.platform !== "win32") {
      const path = `${join(process.execPath, "..")}:/usr/bin:/bin`;
      const { status } = spawnSync(join(installed, "dist/gte.mjs"), ["--help"], { env: { PATH: path } });
      expect(status).toBe(0);
    }
  });

  test("--help", () => {
    const { code, out, notes } = gte("--help");
    expect([code, notes]).toEqual([0, ""]);
    expect(out).toMatch(/^gte: Microsoft Graph .* without a secret\n/);
  });

  test("a command that cannot work says why, and ends with its exit code", () => {
    expect(gte("header", "graph")).toEqual({
      code: 2,
      out: "",
      notes: "gte: Which service?\n     Run: gte login --service https://… --client-id …\n",
    });
  });

  test("as far as the network", () => {
    const login = ["login", "--service", "https://localhost:1", "--client-id", "11111111-2222-3333-4444-555555555555"];
    expect(gte(...login)).toMatchObject({ code: 5, out: "", notes: expect.stringContaining("localhost:1 cannot be") });
  });
});
