/** Every workflow: actions pinned by commit, one pin for each, no rights by default, no token where packages install. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".github/workflows");
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
const uses = workflows.flatMap(({ name, text }) =>
  [...text.matchAll(/uses: (\S+)@(\S+)(?: # (\S+))?/g)].map(([, action = "", pin = "", version]) => ({
    name,
    action,
    pin,
    version,
  })),
);

test("the test finds the workflows and their actions", () => {
  expect(workflows.map(({ name }) => name)).toEqual(expect.arrayContaining(["ci.yml", "supply-chain.yml"]));
  expect(uses.length).toBeGreaterThan(10);
});

test.each(uses)("$name pins $action by commit hash and names its version", ({ pin, version }) => {
  expect(pin).toMatch(/^[0-9a-f]{40}$/);
  expect(version).toMatch(/^v\d+\.\d+\.\d+$/);
});

test("each action has one pin in all workflows", () => {
  const pins = Map.groupBy(uses, ({ action }) => action.split("/").slice(0, 2).join("/"));
  const several = [...pins].filter(([, found]) => new Set(found.map(({ pin }) => pin)).size > 1);
  expect(several.map(([action]) => action)).toEqual([]);
});

test.each(workflows)("$name gives no right to a job that does not name it", ({ text }) => {
  expect(text).toMatch(/^permissions: \{\}$/m);
});

describe("the supply chain workflow", () => {
  const { text } = workflows.find(({ name }) => name === "supply-chain.yml") ?? { text: "" };
  const jobs = text.split(/\n {2}(?=\w[\w-]*:\n {4}name:)/).slice(1);

  test("mints no token in a job that installs or runs packages", () => {
    const minting = jobs.filter((job) => job.includes("id-token: write"));
    expect(minting).toHaveLength(1);
    expect(minting[0]).not.toMatch(/run:|npm|setup-node|checkout/);
  });

  test("analyses with CodeQL, requires npm audit, and attests the package and its bill of materials", () => {
    expect(text).toContain("github/codeql-action/analyze@");
    expect(text).toContain("node .ci/audit.mjs --required");
    expect(text).toMatch(/subject-path: \|\n\s+package\.zip\n\s+sbom\.cdx\.json/);
  });
});

test("Dependabot proposes groups of npm packages and of actions", () => {
  const text = readFileSync(join(root, ".github/dependabot.yml"), "utf8");
  expect([...text.matchAll(/package-ecosystem: (\S+)/g)].map(([, name]) => name)).toEqual(["npm", "github-actions"]);
  expect(text.match(/^ {4}groups:$/gm)).toHaveLength(2);
  expect(text).toContain("applies-to: security-updates");
});

describe.skipIf(process.platform === "win32")("npm audit in CI", () => {
  const bin = mkdtempSync(join(tmpdir(), "gte-audit-"));
  afterAll(() => rmSync(bin, { recursive: true, force: true }));

  /** Runs the script with an npm that prints this. */
  function audit(printed: string, ...options: string[]) {
    writeFileSync(join(bin, "npm"), `#!/bin/sh\ncat <<'END'\n${printed}\nEND\n`);
    chmodSync(join(bin, "npm"), 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` };
    try {
      return {
        code: 0,
        output: execFileSync(process.execPath, [join(root, ".ci/audit.mjs"), ...options], { env, encoding: "utf8" }),
      };
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: string };
      return { code: status, output: stdout };
    }
  }
  const report = (high: number) =>
    JSON.stringify({
      vulnerabilities: { bad: { name: "bad", severity: "high", via: [{ url: "https://advisory.example/1" }] } },
      metadata: { vulnerabilities: { high, critical: 0, total: high } },
    });

  test("passes without a vulnerability of severity high", () => {
    expect(audit(report(0)).code).toBe(0);
  });

  test("fails for one, and names the package and the advisory", () => {
    const { code, output } = audit(report(1));
    expect(code).toBe(1);
    expect(output).toContain("high bad https://advisory.example/1");
  });

  test("says SKIPPED if the registry does not answer, and fails if it is required", () => {
    const refused = '{"error":{"summary":"audit endpoint returned an error"}}';
    expect(audit(refused)).toEqual({ code: 0, output: "SKIPPED npm audit: the registry does not answer it.\n" });
    expect(audit("", "--required")).toMatchObject({ code: 1, output: expect.stringMatching(/^SKIPPED/) });
  });
});
