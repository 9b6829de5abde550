/** The pure parts of `npm run deploy`. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { classifyAzError, messageOf } from "../../clients/deploy/az/az-failure.ts";
import { shellLine } from "../../clients/deploy/az/shell-line.ts";
import { missingDirectoryRoles, permits } from "../../clients/deploy/plan/rights.ts";
import { chooseRuntime } from "../../clients/deploy/plan/runtime.ts";
import { writeClientIds } from "../../clients/deploy/plan/write-client-ids.ts";

describe("a command as a line of a shell", () => {
  test.each([["plain"], ["two words"], [`it's "quoted" $HOME \`x\` \\ !`], ["[?name=='x'].location"], [""]])(
    "gives the shell the argument %j",
    (argument) => {
      const line = shellLine("printf", ["%s|", argument, "end"]);
      expect(spawnSync("sh", ["-c", line], { encoding: "utf8" }).stdout).toBe(`${argument}|end|`);
    },
  );
});

describe("a right", () => {
  const contributor = {
    actions: ["*"],
    notActions: ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
  };
  const rbacAdministrator = { actions: ["Microsoft.Authorization/roleAssignments/write"], notActions: [] };

  test("is what a role allows and does not except", () => {
    expect(permits([contributor], "Microsoft.Web/sites/write")).toBe(true);
    expect(permits([contributor], "Microsoft.Authorization/roleAssignments/write")).toBe(false);
    expect(permits([contributor, rbacAdministrator], "microsoft.authorization/roleassignments/write")).toBe(true);
    expect(permits([], "Microsoft.Web/sites/write")).toBe(false);
    expect(permits([{ actions: ["Microsoft.Web/sites/*"], notActions: [] }], "MicrosoftXWeb/sites/write")).toBe(false);
  });

  test("to consent to application permissions needs more than the registration", () => {
    const applicationAdministrator = ["9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"];
    expect(missingDirectoryRoles(applicationAdministrator, false)).toEqual([]);
    expect(missingDirectoryRoles(applicationAdministrator, true)).toEqual([
      expect.stringContaining("Privileged Role Administrator"),
    ]);
    expect(missingDirectoryRoles(["62e90394-69f5-4237-9190-012177145e10"], true)).toEqual([]);
  });
});

describe("the version of Node.js", () => {
  test.each([
    ["24", ["22", "24"], "wanted"],
    ["24", ["20", "22"], "fallback"],
    ["24", ["20"], "none"],
    ["22", ["24"], "none"],
    ["22", [], "none"],
  ])("%s in a region with %j: %s", (wanted, offered, kind) => {
    expect(chooseRuntime(wanted, offered, "westeurope").kind).toBe(kind);
  });
});

describe("client ids in a parameter file", () => {
  const [OLD, NARROW, NEW] = [1, 2, 3].map((digit) => `0000000${digit}-0000-4000-8000-000000000000`) as [
    string,
    string,
    string,
  ];
  const written = [
    { registration: "", clientId: OLD },
    { registration: "narrow", clientId: NARROW },
  ];
  const registered = [{ registration: "", clientId: NEW }];

  test("are replaced where the old one is in the text once", () => {
    expect(writeClientIds(`param clientId = '${OLD}'`, written, registered)).toEqual({
      text: `param clientId = '${NEW}'`,
      changed: registered,
      unclear: [],
    });
  });

  test.each([
    ["more than once", `'${OLD}' '${OLD}'`],
    ["not at all", "param clientId = guid()"],
  ])("are left to a person where the old one is in the text %s", (_, text) => {
    expect(writeClientIds(text, written, registered)).toEqual({ text, changed: [], unclear: registered });
  });

  test("that are right are not changed, in any case of letters", () => {
    const same = [{ registration: "narrow", clientId: NARROW.toUpperCase() }];
    expect(writeClientIds(NARROW, written, same)).toEqual({ text: NARROW, changed: [], unclear: [] });
  });
});

describe("the error output of the CLI", () => {
  test.each([
    ["ERROR: (TooManyRequests) The request is being throttled.", "throttled"],
    ["ERROR: (DeploymentActive) Unable to edit or replace deployment", "busy"],
    ["ERROR: AADSTS50076: Due to a configuration change made by your administrator", "not_signed_in"],
    ["ERROR: (AuthorizationFailed) The client does not have authorization", "forbidden"],
    ["ERROR: something new", "other"],
  ])("%s is understood as %s", (text, kind) => {
    expect(classifyAzError(text)).toBe(kind);
  });

  test("is one line without warnings and tokens", () => {
    expect(messageOf("WARNING: preview\nERROR: no\n  eyJhbGciOi.eyJzdWIi.c2lnbg in a line\n")).toBe(
      "ERROR: no <token> in a line",
    );
  });
});
