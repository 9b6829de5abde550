/** The Bicep type of the policy matches the schema of the service. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { policySchema } from "../../shared/policy/rules.ts";
import { describeWithBicep, openBicepWorkspace } from "./support/compiler.ts";
import { deployMain, exampleParameters, refusalsOfMain, settingsOf } from "./support/scenarios.ts";

interface Definitions {
  readonly definitions: Readonly<Record<string, { readonly properties?: object } | undefined>>;
}

async function membersOf(...names: readonly string[]): Promise<string[][]> {
  const { bicep, infra } = openBicepWorkspace();
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

  test("has the same members as the schema of the service", async () => {
    expect(await membersOf("Policy", "ApplicationCaller", "UserCaller")).toEqual([
      // `$schema` is for editors of JSON. Bicep has its own types.
      Object.keys(policySchema.shape)
        .filter((name) => name !== "$schema")
        .sort(),
      Object.keys(caller).sort(),
      Object.keys(caller)
        .filter((name) => !forApplicationsOnly.includes(name))
        .sort(),
    ]);
  });

  test("accepts the example policy", async () => {
    expect(await refusalsOfPolicy((callers) => callers)).toBe("");
  });

  test("registrations and the names of their vault entries reach the setting POLICY unchanged", async () => {
    const policy = (await exampleParameters())["policy"] as object;
    const registrations = {
      narrow: {
        clientId: "55555555-5555-4555-8555-555555555555",
        appIdUri: "api://00000000-0000-4000-8000-00000000000b/graph-token-exchange.narrow",
        credential: { secretName: "narrow-client-secret" },
      },
    };
    const deployment = await deployMain({ policy: { ...policy, registrations }, clientCredential: "key-vault-secret" });
    const setting: unknown = JSON.parse(settingsOf(deployment)["POLICY"] ?? "");
    expect(policySchema.parse(setting).registrations).toEqual(registrations);
  });

  test.for([
    ["a client id that is not a GUID", PERSON, { clientId: "abc" }, "BCP333 'abc':"],
    ["an unknown member", PERSON, { scopes: [] }, 'BCP037 scopes: The property "scopes"'],
    ["an unknown flow", PERSON, { flows: ["password"] }, "BCP034 'password':"],
    ["an empty list of flows", PERSON, { flows: [] }, "BCP333 []:"],
    ["client credentials for a user caller", PERSON, { flows: ["client-credentials"] }, "BCP034 'client-credentials':"],
    ["unattended for a user caller", PERSON, { unattended: true }, 'BCP037 unattended: The property "unattended"'],
    ["an unknown kind", PERSON, { kind: "robot" }, "BCP036 'robot': The property \"kind\""],
    ["a grant for longer than a year", APPLICATION, { grantMaxDays: 366 }, "BCP327 366:"],
    ["a missing name", APPLICATION, { name: undefined }, 'required properties: "name"'],
    ["scopes that are not a list", APPLICATION, { apis: { graph: "User.Read" } }, 'The property "graph" expected'],
  ] as const)("refuses %s", async ([, which, change, problem]) => {
    const problems = await refusalsOfPolicy((callers) => [{ ...callers[which], ...change }]);
    expect(problems).toContain(problem);
    expect(problems.split("\n")).toHaveLength(1);
  });
});
