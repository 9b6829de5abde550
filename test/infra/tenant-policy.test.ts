/** `npm run infra:policy`: the policy of a tenant's parameter file, as JSON for the policy tools. */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import { describeWithBicep, openBicepWorkspace } from "./support/compiler.ts";

function print(path: string) {
  const program = resolve(import.meta.dirname, "../../infra/tenant-policy.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, path], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describeWithBicep("npm run infra:policy", () => {
  test("prints the policy of the example tenant, which the service accepts", () => {
    const { status, stdout, stderr } = print(join(openBicepWorkspace().infra, "tenants/example.bicepparam"));
    expect([status, stderr]).toEqual([0, ""]);
    expect(parsePolicy(stdout)).toHaveProperty("policy.callers.1.name", "monthly-report");
  });

  test("exits with code 2 and the compiler's message for a file that does not compile", () => {
    const path = join(openBicepWorkspace().infra, "tenants/broken.bicepparam");
    writeFileSync(path, "using '../main.bicep'\nparam policy = 1\n");
    const { status, stderr } = print(path);
    rmSync(path);
    expect([status, stderr]).toEqual([2, expect.stringContaining("does not compile\nBCP")]);
  });
});

test("npm run infra:policy prints a policy without callers for a file that does not exist", () => {
  const { status, stdout } = print("infra/tenants/nowhere.bicepparam");
  expect([status, JSON.parse(stdout)]).toEqual([0, { apis: {}, callers: [] }]);
});
