/** `gte help`, `gte <command> --help` and `gte --version`. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMANDS, readCommandLine } from "../../clients/cli/command-line.ts";
import { COMMAND_HELP } from "../../clients/cli/help.ts";
import { runHere } from "./support/cli.ts";

const packageJson = JSON.parse(
  readFileSync(new URL("../../clients/cli/package.json", import.meta.url), "utf8"),
) as Record<string, unknown>;

test.each([["--version"], ["header", "--version"]])("gte %s prints the version of the package", async (...args) => {
  expect(await runHere(args)).toMatchObject({ code: 0, out: `gte ${packageJson["version"]}\n`, notes: "" });
});

test.each([["help"], ["--help"], ["-h"], ["help", "--json"]])(
  "gte %s prints the help of all commands",
  async (...args) => {
    const { code, out } = await runHere(args);
    expect([code, COMMANDS.filter((command) => !out.includes(`gte ${command}`))]).toEqual([0, []]);
  },
);

describe.each(COMMANDS)("the help of %s", (command) => {
  test("is the same for gte help <command> and gte <command> --help", async () => {
    const { code, out, notes } = await runHere(["help", command]);
    expect([code, notes]).toEqual([0, ""]);
    expect(out).toMatch(new RegExp(`^gte ${command}.*\n\n.*\n`));
    expect((await runHere([command, "--help"])).out).toBe(out);
    expect((await runHere([command, "graph", "-h", "--json"])).out).toBe(out);
  });

  test("fits 120 columns and names exactly the options that the command supports", async () => {
    const { out } = await runHere(["help", command]);
    expect(out.split("\n").filter((line) => line.length > 120)).toEqual([]);
    const listed = [...out.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => name ?? "");
    expect(listed).toContain("service");
    for (const name of ["browser", "claims", "replace", "scope", "data", "sign-in"]) {
      const { notes } = await runHere([
        command,
        `--${name}`,
        ...(["claims", "scope", "data"].includes(name) ? ["x"] : []),
        "--timeout",
        "0",
      ]);
      expect([name, notes.includes("does not support")]).toEqual([name, !listed.includes(name)]);
    }
  });

  test.each(COMMAND_HELP[command].examples)("has an example that can be parsed: %s", (example) => {
    const words = [...example.replace(/ < .*/, "").matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, bare]) => quoted ?? bare ?? "",
    );
    expect(readCommandLine(words.slice(1))).toMatchObject({ kind: "command", command });
  });
});

test("an unsupported option names the help of the command", async () => {
  expect((await runHere(["whoami", "--scope", "x"])).notes).toBe(
    'gte: "whoami" does not support --scope.\n     Run: gte whoami --help\n',
  );
});

test("gte help with an unknown command lists the commands", async () => {
  expect(await runHere(["help", "hearder"])).toMatchObject({
    code: 2,
    notes: expect.stringContaining("The commands are login, header"),
  });
});
