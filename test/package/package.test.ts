/**
 * The deployment package: what is in it, that it is the same every time, and that it runs from a bare folder (no
 * node_modules, no sources) under the local Functions host, as far as a whole exchange.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { deployedPackageJson, packageEntries } from "../../local/build/package.ts";
import { zip } from "../../local/build/zip.ts";
import { applicationToken, userToken } from "../../local/caller/caller-token.ts";
import { localRequest } from "../../local/caller/local-request.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { readZip } from "./read-zip.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let packed: Buffer;
let files: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-package-test-"));
  const distDirectory = join(folder, "built");
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: distDirectory });
  // Left by an earlier run, or by the build of the command line: must not get into the package.
  writeFileSync(join(distDirectory, "package.zip"), "old");
  writeFileSync(join(distDirectory, "gte.mjs"), "the command line");
  packed = zip(packageEntries({ root, distDirectory }));
  files = readZip(packed);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what is in the package", () => {
  test("the bundle, host.json and package.json, and nothing else", () => {
    const others = [...files.keys()].filter((name) => !/^dist\/(chunks\/)?[\w-]+\.mjs$/.test(name));
    expect(others).toEqual(["host.json", "package.json"]);
    expect(files.has("dist/index.mjs")).toBe(true);
    expect(files.has("dist/gte.mjs")).toBe(false);
  });

  test("no source map, test, local stack or metafile; host.json as it is", () => {
    for (const [name, content] of files) {
      expect(name).not.toMatch(/\.map$|meta\.json|(^|\/)(test|local|bench|clients|node_modules)\//);
      expect(content.includes("sourceMappingURL=")).toBe(false);
    }
    expect(files.get("host.json")).toEqual(readFileSync(join(root, "host.json")));
  });

  test("no script, no dependency to install, nothing for developers in package.json", () => {
    const deployed = JSON.parse(String(files.get("package.json")));
    expect(deployed).toEqual({
      name: "graph-token-exchange",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      private: true,
      type: "module",
      main: "dist/index.mjs",
    });
  });

  test("no secret: neither the local tenant's ids nor anything that looks like a key", () => {
    for (const content of files.values()) {
      const text = content.toString("utf8");
      expect(text).not.toMatch(/-----BEGIN (RSA |EC )?PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=]{40}/);
      expect(text).not.toMatch(/[0-9a-zA-Z]{3}8Q~[\w.~-]{30,}/);
      expect(text).not.toMatch(/eyJ[\w-]{30,}\.eyJ[\w-]{30,}\./);
      expect(text).not.toContain("contoso.local");
    }
  });
});

describe("the same sources give the same bytes", () => {
  test("whatever the order in which files are found", () => {
    const entries = [...files].map(([name, content]) => ({ name, content }));
    expect(zip(entries.reverse()).equals(packed)).toBe(true);
  });

  test("a second build gives the same package", async () => {
    const distDirectory = join(folder, "again");
    await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: distDirectory });
    expect(zip(packageEntries({ root, distDirectory })).equals(packed)).toBe(true);
  });

  test("a name that leaves the folder or comes twice is refused", () => {
    const content = Buffer.from("x");
    for (const name of ["../x", "/x", "a//b", "a\\b", "", "a/../b"]) {
      expect(() => zip([{ name, content }]), name).toThrow("not a valid file name");
    }
    expect(() => zip([0, 1].map(() => ({ name: "x", content })))).toThrow("appears twice");
  });

  test("without a build there is no package", () => {
    mkdirSync(join(folder, "empty"));
    expect(() => packageEntries({ root, distDirectory: join(folder, "empty") })).toThrow("npm run build");
  });

  test("package.json keeps nothing that is added later", () => {
    const text = JSON.stringify({
      name: "n",
      version: "1.0.0",
      main: "m",
      scripts: { postinstall: "x" },
      type: "module",
    });
    expect(JSON.parse(deployedPackageJson(text))).not.toHaveProperty("scripts");
  });
});

test("another program reads the zip as well, with permissions for all", ({ skip }) => {
  const path = join(folder, "package.zip");
  writeFileSync(path, packed);
  const script =
    "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),{i.external_attr>>16 for i in z.infolist()})";
  let told: string;
  try {
    told = execFileSync("python3", ["-c", script, path], { encoding: "utf8" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    skip("there is no python3");
    return;
  }
  expect(told.trim()).toBe(`None {${0o100644}}`);
});

describe("the package in a bare folder under the local host", () => {
  let stack: Stack;
  let deployed: string;
  beforeAll(async () => {
    deployed = mkdtempSync(join(tmpdir(), "gte-deployed-"));
    for (const [name, content] of files) {
      mkdirSync(dirname(join(deployed, name)), { recursive: true });
      writeFileSync(join(deployed, name), content);
    }
    stack = await startStack({ appDirectory: deployed });
  });
  afterAll(async () => {
    await stack?.stop();
    rmSync(deployed, { recursive: true, force: true });
  });

  test("is alone there", () => {
    expect(readdirSync(deployed).sort()).toEqual(["dist", "host.json", "package.json"]);
  });

  test("answers /healthz", async () => {
    expect(await localRequest(`${stack.service.url}/healthz`)).toMatchObject({ status: 200, text: "Healthy" });
  });

  test("is ready, and gives a user a header for Graph: MSAL, Key Vault and jose are all inside", async () => {
    expect((await localRequest(`${stack.service.url}/ready`)).status).toBe(200);
    const authorization = `Bearer ${await userToken(stack.environment, "alice")}`;
    const answer = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, { headers: { authorization } });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ tokenType: "Bearer" });
  });

  test("keeps and redeems a grant: the table SDK and the sealing are inside", async () => {
    const authorization = `Bearer ${await userToken(stack.environment, "alice")}`;
    const made = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, {
      headers: { authorization },
      json: { scopes: ["offline_access"] },
    });
    expect(made.status).toBe(200);
    const redeemed = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, {
      headers: { authorization },
      json: { grant: made.json()["grant"] },
    });
    expect(redeemed.status).toBe(200);
    const application = `Bearer ${await applicationToken(stack.environment, "daemon")}`;
    const stranger = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, {
      headers: { authorization: application },
      json: { grant: made.json()["grant"] },
    });
    expect(stranger.status).toBe(403);
  });
});
