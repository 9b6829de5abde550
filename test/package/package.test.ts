/**
 * The deployment package: its files, that each build gives the same bytes, and that it completes an exchange under the
 * local Functions host from a folder without node_modules and sources.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { npmSbom } from "../../local/build/npm-sbom.ts";
import { deployedPackageJson, packageEntries, stagePackage } from "../../local/build/package.ts";
import { serviceVersion } from "../../local/build/service-version.ts";
import { bundledPackages } from "../../local/build/third-party-notices.ts";
import { zip } from "../../local/build/zip.ts";
import { applicationToken, userToken } from "../../local/caller/caller-token.ts";
import { localRequest } from "../../local/caller/local-request.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { startTestStack } from "../support/test-stack.ts";
import { readZip } from "./read-zip.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let packed: Buffer;
let files: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-package-test-"));
  const distDirectory = join(folder, "built");
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: distDirectory });
  // A file of an earlier run must not be packed.
  writeFileSync(join(distDirectory, "package.zip"), "old");
  packed = zip(packageEntries({ root, distDirectory }));
  files = readZip(packed);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the deployment package", () => {
  test("contains only the bundle, its notices, host.json and package.json", () => {
    const others = [...files.keys()].filter((name) => !/^dist\/(chunks\/)?[\w-]+\.mjs$/.test(name));
    expect(others).toEqual(["THIRD-PARTY-NOTICES.txt", "host.json", "package.json"]);
    expect(files.has("dist/index.mjs")).toBe(true);
  });

  test("contains no source map, test, local stack or metafile, and an unchanged host.json", () => {
    for (const [name, content] of files) {
      expect(name).not.toMatch(/\.map$|meta\.json|(^|\/)(test|local|bench|clients|node_modules)\//);
      expect(content.includes("sourceMappingURL=")).toBe(false);
    }
    expect(files.get("host.json")).toEqual(readFileSync(join(root, "host.json")));
  });

  test("contains nothing of the playground, which only the local stack has", () => {
    for (const [name, content] of files) {
      expect(name).not.toMatch(/playground/i);
      expect(content.toString("utf8")).not.toMatch(/playground/i);
    }
  });

  test("has a package.json without scripts, dependencies and development settings", () => {
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

/** Their packages have no licence file: their licence is what package.json names. */
const WITHOUT_TEXT = ["@nodable/entities", "@redis/client", "proxy-agent-negotiate"];

describe("the notices in the package", () => {
  const notices = () => String(files.get("THIRD-PARTY-NOTICES.txt"));

  test("name every package whose code is in the bundle, with the text of its licence", () => {
    const metafile = JSON.parse(readFileSync(join(folder, "built/meta.json"), "utf8"));
    const packages = bundledPackages(root, metafile);
    expect(packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["@azure/msal-node", "@azure/functions", "@redis/client", "jose", "lru-cache", "zod"]),
    );
    for (const { name, version, license, texts } of packages) {
      expect(notices()).toContain(`\n${name} ${version} (${license})\n`);
      expect(license, name).toMatch(/^(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0)$/);
      if (!WITHOUT_TEXT.includes(name)) expect(texts.join("").length, `the licence of ${name}`).toBeGreaterThan(200);
    }
  });

  test("name no tool of the build and of the tests", () => {
    expect(notices()).not.toMatch(/^(esbuild|vitest|azurite|typescript|playwright-core) /m);
  });
});

describe("the bill of materials", () => {
  const sbom = () => JSON.parse(npmSbom(root));

  test("lists every package of the lock file, each with name, version, licence, hash and package URL", () => {
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    const locked = Object.entries(lock.packages as Record<string, { version: string; name?: string; optional?: true }>)
      .filter(([path]) => path !== "")
      .map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, "")}@${version}`);
    const { components } = sbom();
    const listed = components.map(({ name, version }: { name: string; version: string }) => `${name}@${version}`);
    expect([...new Set(listed)].sort()).toEqual([...new Set(locked)].sort());
    for (const component of components) {
      expect(component.purl, component.name).toMatch(/^pkg:npm\//);
      expect(component.hashes?.[0]?.alg, component.name).toBe("SHA-512");
    }
  });

  test("is CycloneDX of this package, and the same for the same lock file", () => {
    const { bomFormat, specVersion, metadata } = sbom();
    expect([bomFormat, Number(specVersion) >= 1.5]).toEqual(["CycloneDX", true]);
    expect(metadata.component).toMatchObject({ name: "graph-token-exchange", type: "application" });
    expect(npmSbom(root)).toBe(npmSbom(root));
  });
});

describe("a reproducible package", () => {
  test("does not depend on the order of the files", () => {
    const entries = [...files].map(([name, content]) => ({ name, content }));
    expect(zip(entries.reverse()).equals(packed)).toBe(true);
  });

  test("a second build gives the same package", async () => {
    const distDirectory = join(folder, "again");
    await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: distDirectory });
    expect(zip(packageEntries({ root, distDirectory })).equals(packed)).toBe(true);
  });

  test("rejects a file name that is duplicated or outside of the folder", () => {
    const content = Buffer.from("x");
    for (const name of ["../x", "/x", "a//b", "a\\b", "", "a/../b"]) {
      expect(() => zip([{ name, content }]), name).toThrow("not a valid file name");
    }
    expect(() => zip([0, 1].map(() => ({ name: "x", content })))).toThrow("appears twice");
  });

  test("as a folder has the same files and nothing else, and is not a part of the next package", () => {
    const distDirectory = join(folder, "built");
    const staging = join(distDirectory, "package");
    const entries = packageEntries({ root, distDirectory });
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, "old.mjs"), "");
    stagePackage(entries, staging);
    const files = readdirSync(staging, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files).toHaveLength(entries.length);
    for (const { name, content } of entries) expect(readFileSync(join(staging, name)).equals(content)).toBe(true);
    expect(zip(packageEntries({ root, distDirectory })).equals(packed)).toBe(true);
  });

  test("is not packed without a build", () => {
    mkdirSync(join(folder, "empty"));
    expect(() => packageEntries({ root, distDirectory: join(folder, "empty") })).toThrow("npm run build");
  });

  test("contains no members of package.json that are added later", () => {
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

test("Python can read the deployment package, and everyone can read its files", ({ skip }) => {
  const path = join(folder, "package.zip");
  writeFileSync(path, packed);
  const script =
    "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),{i.external_attr>>16 for i in z.infolist()})";
  let listing: string;
  try {
    listing = execFileSync("python3", ["-c", script, path], { encoding: "utf8" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    skip("python3 is not installed");
    return;
  }
  expect(listing.trim()).toBe(`None {${0o100644}}`);
});

describe("the deployment package in an empty folder under the local host", () => {
  let stack: Stack;
  let deployed: string;
  beforeAll(async () => {
    deployed = mkdtempSync(join(tmpdir(), "gte-deployed-"));
    for (const [name, content] of files) {
      mkdirSync(dirname(join(deployed, name)), { recursive: true });
      writeFileSync(join(deployed, name), content);
    }
    stack = await startTestStack({ appDirectory: deployed });
  });
  afterAll(async () => {
    await stack?.stop();
    rmSync(deployed, { recursive: true, force: true });
  });

  test("is the only content of the folder", () => {
    expect(readdirSync(deployed).sort()).toEqual(["THIRD-PARTY-NOTICES.txt", "dist", "host.json", "package.json"]);
  });

  test("answers /healthz", async () => {
    expect(await localRequest(`${stack.service.url}/healthz`)).toMatchObject({ status: 200, text: "Healthy" });
  });

  test("names the version of package.json and the commit in /ready", async () => {
    const { text } = await localRequest(`${stack.service.url}/ready`);
    expect(JSON.parse(text)).toEqual({ status: "ready", version: serviceVersion() });
  });

  test("is ready and returns headers for Graph: it contains MSAL, the Key Vault SDK and jose", async () => {
    expect((await localRequest(`${stack.service.url}/ready`)).status).toBe(200);
    const authorization = `Bearer ${await userToken(stack.environment, "alice")}`;
    const answer = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, { headers: { authorization } });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ tokenType: "Bearer" });
  });

  test("creates and redeems a grant: it contains the table SDK and the sealing code", async () => {
    const authorization = `Bearer ${await userToken(stack.environment, "alice")}`;
    const created = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, {
      headers: { authorization },
      json: { scopes: ["offline_access"] },
    });
    expect(created.status).toBe(200);
    const redeemed = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, {
      headers: { authorization },
      json: { grant: created.json()["grant"] },
    });
    expect(redeemed.status).toBe(200);
    const application = `Bearer ${await applicationToken(stack.environment, "daemon")}`;
    const stranger = await localRequest(`${stack.service.url}/AuthorizationHeader/graph`, {
      headers: { authorization: application },
      json: { grant: created.json()["grant"] },
    });
    expect(stranger.status).toBe(403);
  });
});
