/** The policy as a Bicep type says the same as the policy that the service reads. */
import { describe, expect, test } from "vitest";
import { policySchema } from "../../shared/policy/rules.ts";
import { misfits } from "./bicep/conforms.ts";
import { readTemplate, typeNamed } from "./bicep/template.ts";
import { deployMain, EXAMPLE, infraFile } from "./scenarios.ts";

const types = readTemplate(infraFile("types/policy.bicep"));
const members = (name: string): string[] => {
  const named = typeNamed(types, name)?.type;
  return named?.kind === "type-object" ? named.members.map((member) => member.name).sort() : [];
};
const policy = EXAMPLE.values["policy"] as { apis: object; callers: Record<string, unknown>[] };
const [userCaller = {}, applicationCaller = {}] = policy.callers;
const problems = (callers: unknown[]) =>
  misfits({ ...policy, callers }, { kind: "type-name", name: "Policy", line: 0 }, types, "policy");

describe("the policy type", () => {
  const caller = policySchema.shape.callers.def.element.shape;
  const forApplicationsOnly = ["redirectUris", "subjectClients", "unattended"];

  test("has the members that the service knows, and no others", () => {
    expect(members("Policy")).toEqual(Object.keys(policySchema.shape).sort());
    expect(members("ApplicationCaller")).toEqual(Object.keys(caller).sort());
    expect(members("UserCaller")).toEqual(
      Object.keys(caller)
        .filter((name) => !forApplicationsOnly.includes(name))
        .sort(),
    );
  });

  test("accepts the example", () => {
    expect(problems(policy.callers)).toEqual([]);
  });

  test.each([
    ["a client id that is no GUID", { ...userCaller, clientId: "abc" }, "minLength"],
    ["an unknown member", { ...userCaller, scopes: [] }, "policy.callers[0].scopes is unknown"],
    ["an unknown flow", { ...userCaller, flows: ["password"] }, "policy.callers[0].flows[0] fits none"],
    ["no flow", { ...userCaller, flows: [] }, "policy.callers[0].flows: minLength is 1"],
    ["client credentials for a person", { ...userCaller, flows: ["client-credentials"] }, "flows[0] fits none"],
    ["an unattended person", { ...userCaller, unattended: true }, "policy.callers[0].unattended is unknown"],
    ["another kind", { ...userCaller, kind: "robot" }, "policy.callers[0] fits none"],
    ["a grant for longer than a year", { ...applicationCaller, grantMaxDays: 366 }, "grantMaxDays: maxValue is 365"],
    ["a missing name", { ...applicationCaller, name: undefined }, "policy.callers[0].name is missing"],
    ["scopes that are no list", { ...applicationCaller, apis: { graph: "User.Read" } }, "apis.graph must be an array"],
  ])("refuses %s", (_, wrong, problem) => {
    expect(problems([wrong]).join("; ")).toContain(problem);
  });

  test("stops a deployment", () => {
    expect(() => deployMain({ policy: { ...policy, callers: [{ ...userCaller, flows: ["password"] }] } })).toThrow(
      "main.bicep: policy.callers[0].flows[0]",
    );
  });
});
