/** The Graph types of this repository, which replace Microsoft's if its registry is unreachable, find mistakes in entra.bicep. */
import { expect, test } from "vitest";
import { checkTemplate } from "../../infra/compiler/check-template.ts";
import { type Change, changedCopy } from "./support/changed-copy.ts";
import { describeWithBicep, openBicepWorkspace } from "./support/compiler.ts";

const FILE = "entra/entra.bicep";
const change = (from: string, to: string): Change => ({ file: FILE, from, to });

describeWithBicep("entra.bicep with the Graph types of this repository", () => {
  test("has only known properties with correct types", async () => {
    const { bicep, infra } = openBicepWorkspace();
    expect(await checkTemplate(bicep, infra, FILE)).toEqual({
      path: FILE,
      outcome: "passed",
      problems: [],
      information: [],
    });
  });

  test.for([
    ["a misspelt property", change("appRoleAssignmentRequired: true", "appRoleAssignementRequired: true"), "BCP089"],
    ["a misspelt property inside another", change("homePageUrl: serviceUrl", "homepageUrl: serviceUrl"), "BCP089"],
    [
      "a string instead of a list",
      change("identifierUris: [identifierUris[index]]", "identifierUris: identifierUris[index]"),
      "BCP036",
    ],
    ["a string instead of a number", change("TokenVersion: 2", "TokenVersion: '2'"), "BCP036"],
    ["a number instead of a boolean", change("accountEnabled: true", "accountEnabled: 1"), "BCP036"],
    ["an id that is not a GUID", change("appRoleId: defaultAccess", "appRoleId: 'default'"), "BCP333"],
    ["a missing property", change("    consentType: 'AllPrincipals'\n", ""), "BCP035"],
    [
      "a read-only property",
      change("    appId: services[index].appId\n", "    appId: services[index].appId\n    id: 'x'\n"),
      "BCP073",
    ],
    ["a password", change("appRoles: appRoles", "appRoles: appRoles\n    passwordCredentials: []"), "BCP037"],
    ["an unknown resource type", change("applications@v1.0' = [", "application@v1.0' = ["), "BCP029"],
    ["an unknown property in an output", change("= services[0].appId", "= services[0].clientId"), "BCP053"],
  ] as const)("fails with %s", async ([, wrong, code]) => {
    const { outcome, problems } = await checkTemplate(openBicepWorkspace().bicep, changedCopy(wrong), FILE);
    expect(outcome).toBe("failed");
    expect(problems.join("\n")).toContain(`${code}: `);
  });
});
