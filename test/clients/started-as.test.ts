/** Messages suggest commands in the form in which the command line was started. npm passes this form in variables. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nodeProblem } from "../../clients/cli/node-version.ts";
import { startedAs } from "../../clients/cli/started-as.ts";
import { newHome, runHere } from "./support/cli.ts";

type Env = Readonly<Record<string, string>>;

const NPX: Env = { npm_lifecycle_event: "npx", npm_lifecycle_script: "'gte'" };

test.each<[string, Env, string]>([
  ["started as an installed program", {}, "gte"],
  [
    "started by npm run",
    { npm_lifecycle_event: "gte", npm_lifecycle_script: "node clients/cli/gte.mjs" },
    "npm run -s gte --",
  ],
  ["started by npx in a checkout", { ...NPX, npm_config_package: "" }, "npx --no -- gte"],
  ["started by npx on Windows", { ...NPX, npm_lifecycle_script: '"gte"' }, "npx --no -- gte"],
  [
    "started by npx from a package",
    { ...NPX, npm_config_package: "./gte-0.1.0.tgz" },
    "npx --package=./gte-0.1.0.tgz gte",
  ],
  [
    "started by npx from git",
    { ...NPX, npm_config_package: "git+ssh://git@host/x.git#v1" },
    "npx --package=git+ssh://git@host/x.git#v1 gte",
  ],
  [
    "started by npx from a package name with special characters of a shell",
    { ...NPX, npm_config_package: "$(x) y" },
    "gte",
  ],
  ["started by another program that npx started", { ...NPX, npm_lifecycle_script: "'other' gte" }, "gte"],
  [
    "started by a script of another package",
    { npm_lifecycle_event: "test", npm_lifecycle_script: "gte token graph" },
    "gte",
  ],
])("the command line %s", (_name, env, expected) => {
  expect(startedAs(env)).toBe(expected);
});

describe("the command that a message suggests", () => {
  const home = newHome();

  test("has the form in which the command line was started", async () => {
    const { code, notes } = await runHere(["header", "graph", "--home", home], { env: NPX });
    expect([code, notes]).toEqual([
      2,
      "gte: No service is configured.\n     Run: npx --no -- gte login --service https://… --client-id …\n",
    ]);
    const env = { npm_lifecycle_event: "gte", GTE_SERVICE: "https://gte.example" };
    const asJson = await runHere(["header", "graph", "--home", home, "--json"], { env });
    expect(asJson.error()).toMatchObject({ run: "npm run -s gte -- login --service https://gte.example", exitCode: 3 });
  });

  test("--help explains gte if the command line was started with another command", async () => {
    expect((await runHere(["--help"])).out).toMatch(/^gte: Microsoft Graph/);
    const help = await runHere(["--help"], { env: NPX });
    expect(help.out).toMatch(/^In this text, gte stands for: npx --no -- gte\n\ngte: Microsoft/);
  });
});

describe("the oldest supported Node", () => {
  test.each([
    ["20.20.2", false],
    ["22.9.0", false],
    ["22.18.9", false],
    ["22.19.0", true],
    ["22.20.0", true],
    ["24.0.0", true],
    ["100.0.0", true],
  ])("version %s is supported: %s", (version, enough) => {
    expect(nodeProblem(version) === undefined).toBe(enough);
  });

  test("is the one of package.json", () => {
    const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(nodeProblem("1.0.0")).toContain(`Node ${engines.node.slice(2)}.0 or newer`);
  });
});
