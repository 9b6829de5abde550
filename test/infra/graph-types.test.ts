/** The Graph types that stand in for Microsoft's where its registry is out of reach find what is wrong in entra.bicep. */
import { expect, test } from "vitest";
import { checkTemplate } from "../../infra/compiler/check-template.ts";
import { type Change, changedCopy } from "./support/changed-copy.ts";
import { describeWithBicep, openWorkshop } from "./support/compiler.ts";

const FILE = "entra/entra.bicep";
const change = (from: string, to: string): Change => ({ file: FILE, from, to });

describeWithBicep("entra.bicep", () => {
  test("has only properties that the extension knows, of the right types", async () => {
    const { bicep, infra } = openWorkshop();
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
      "a text where a list belongs",
      change("identifierUris: [identifierUri]", "identifierUris: identifierUri"),
      "BCP036",
    ],
    ["a text where a number belongs", change("TokenVersion: 2", "TokenVersion: '2'"), "BCP036"],
    ["a number where a switch belongs", change("accountEnabled: true", "accountEnabled: 1"), "BCP036"],
    ["an id that is none", change("appRoleId: defaultAccess", "appRoleId: 'default'"), "BCP333"],
    ["a missing property", change("  consentType: 'AllPrincipals'\n", ""), "BCP035"],
    ["what only Entra can set", change("  appId: service.appId\n", "  appId: service.appId\n  id: 'x'\n"), "BCP073"],
    ["a password", change("appRoles: appRoles", "appRoles: appRoles\n  passwordCredentials: []"), "BCP037"],
    ["a type that is not there", change("applications@v1.0' = {", "application@v1.0' = {"), "BCP029"],
    ["an output that is not there", change("= service.appId", "= service.clientId"), "BCP053"],
  ] as const)("does not pass with %s", async ([, wrong, code]) => {
    const { outcome, problems } = await checkTemplate(openWorkshop().bicep, changedCopy(wrong), FILE);
    expect(outcome).toBe("failed");
    expect(problems.join("\n")).toContain(`${code}: `);
  });
});
