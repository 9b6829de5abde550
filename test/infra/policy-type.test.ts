/** The policy as a Bicep type says the same as the policy that the service reads. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { policySchema } from "../../shared/policy/rules.ts";
import { describeWithBicep, openWorkshop } from "./support/compiler.ts";
import { exampleParameters, refusalsOfMain } from "./support/scenarios.ts";

interface Definitions {
  readonly definitions: Readonly<Record<string, { readonly properties?: object } | undefined>>;
}

async function membersOf(...names: readonly string[]): Promise<string[][]> {
  const { bicep, infra } = openWorkshop();
  const { contents } = await bicep.compile(join(infra, "types/policy.bicep"));
  const { definitions } = JSON.parse(contents ?? "") as Definitions;
  return names.map((name) => Object.keys(definitions[name]?.properties ?? {}).sort());
}

async function refusalsOfPolicy(change: (callers: readonly Caller[]) => readonly unknown[]): Promise<string> {
  const policy = (await exampleParameters())["policy"] as { callers: readonly Caller[] };
  return refusalsOfMain({ policy: { ...policy, callers: change(policy.callers) } });
}

type Caller = Readonly<Record<string, unknown>>;
const [PERSON, APPLICATION] = [0, 1] as const;

describeWithBicep("the policy type", () => {
  const caller = policySchema.shape.callers.def.element.shape;
  const forApplicationsOnly = ["redirectUris", "subjectClients", "unattended"];

  test("has the members that the service knows, and no others", async () => {
    expect(await membersOf("Policy", "ApplicationCaller", "UserCaller")).toEqual([
      Object.keys(policySchema.shape).sort(),
      Object.keys(caller).sort(),
      Object.keys(caller)
        .filter((name) => !forApplicationsOnly.includes(name))
        .sort(),
    ]);
  });

  test("accepts the example", async () => {
    expect(await refusalsOfPolicy((callers) => callers)).toBe("");
  });

  test.for([
    ["a client id that is no GUID", PERSON, { clientId: "abc" }, "BCP333 'abc':"],
    ["an unknown member", PERSON, { scopes: [] }, 'BCP037 scopes: The property "scopes"'],
    ["an unknown flow", PERSON, { flows: ["password"] }, "BCP034 'password':"],
    ["no flow", PERSON, { flows: [] }, "BCP333 []:"],
    ["client credentials for a person", PERSON, { flows: ["client-credentials"] }, "BCP034 'client-credentials':"],
    ["an unattended person", PERSON, { unattended: true }, 'BCP037 unattended: The property "unattended"'],
    ["another kind", PERSON, { kind: "robot" }, "BCP036 'robot': The property \"kind\""],
    ["a grant for longer than a year", APPLICATION, { grantMaxDays: 366 }, "BCP327 366:"],
    ["a missing name", APPLICATION, { name: undefined }, 'required properties: "name"'],
    ["scopes that are no list", APPLICATION, { apis: { graph: "User.Read" } }, 'The property "graph" expected'],
  ] as const)("refuses %s", async ([, which, change, problem]) => {
    const problems = await refusalsOfPolicy((callers) => [{ ...callers[which], ...change }]);
    expect(problems).toContain(problem);
    expect(problems.split("\n")).toHaveLength(1);
  });
});
