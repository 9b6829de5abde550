/** `npm run policy -- check <file>`: its output for administrators and its exit codes for scripts. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policyText } from "../shared/policy/support/policies.ts";

const program = resolve(import.meta.dirname, "../../clients/policy.ts");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gte-policy-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): { code: number | null; out: string; notes: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, notes: stderr };
}

function check(text: string) {
  const file = join(folder, "policy.json");
  writeFileSync(file, text);
  return run("check", file);
}

describe("npm run policy -- check", () => {
  test("prints the permissions and warnings of a valid policy", () => {
    const { code, out, notes } = check(policyText({}, { acceptSurplus: true }));
    expect([code, notes]).toEqual([0, ""]);
    expect(out).toMatch(/^web-users \(user ca11e400-.*\)$/m);
    expect(out).toMatch(/^WARNING backend: acceptSurplus releases/m);
  });

  test("ignores a byte order mark, which editors on Windows write", () => {
    expect(check(`\ufeff${policyText()}\r\n`)).toMatchObject({ code: 0, notes: "" });
  });

  test("prints every problem of an invalid policy with its path and exits with code 1", () => {
    const text = policyText({ apis: {} }, { colour: "red", subjectClients: ["ca11e400-0000-4000-8000-00000000000c"] });
    const { code, out, notes } = check(text.replace('"apis":{}', '"apis":{},"apis":{}'));
    expect([code, out]).toEqual([1, ""]);
    expect(notes.trim().split("\n")).toEqual([
      "callers.0.apis appears more than once; write it once",
      "callers.1 has unknown members: colour",
      "callers.0.apis is empty; it must name at least one API",
      "callers.1.subjectClients.0 is a client without an entry of kind user; add the entry or remove the client",
    ]);
  });

  test("exits with code 1 if the file is not JSON", () => {
    expect(check("apis: {}")).toEqual({ code: 1, out: "", notes: "the policy is not JSON\n" });
  });
});

test.each([[[]], [["check"]], [["chekc", "policy.json"]]])(
  "npm run policy with the arguments %j exits with code 2",
  (args: string[]) => {
    expect(run(...args)).toEqual({ code: 2, out: "", notes: "usage: npm run policy -- check <file>\n" });
  },
);

test("npm run policy -- check exits with code 2 if the file does not exist", () => {
  expect(run("check", join(folder, "nowhere.json"))).toMatchObject({
    code: 2,
    notes: expect.stringMatching(/^cannot read/),
  });
});
