/** `npm run deploy` against a stand-in for Azure: a first run, a run after each failure, and what the checks find. */
import { describe, expect, test } from "vitest";
import { createScene, VERSION, WRITTEN_CLIENT_ID } from "./support/deploy-world.ts";
import { ADMINISTRATOR, PRINCIPAL, REGISTERED_CLIENT_ID, VAULT_TOKEN } from "./support/stand-in-az.ts";

const ALWAYS = 1_000;
const EVERYTHING = ["group", "identity", "application", "credential", "service", "key sealing-key", "package"];
const WRITING =
  /^(group create|provider register|deployment group create|role assignment (create|delete)|functionapp deployment)/;

describe("a first deployment", () => {
  test("makes everything in order, waits for its own version, and ends with the next commands", async () => {
    const scene = createScene();
    const { code, text, commands } = await scene.run();
    expect([code, text]).toEqual([0, expect.stringContaining(`is ready with version ${VERSION}`)]);
    expect(scene.cloud.made).toEqual(EVERYTHING);
    const names = commands.flatMap((command) => /--name (gte-[a-z]+)/.exec(command)?.[1] ?? []);
    expect(names).toEqual(["gte-identity", "gte-applications", "gte-registrations", "gte-service"]);
    expect(text).toContain("npm run registration -- ");
  });

  test("writes the client id into the parameter file, and deploys the identity that the registrations trust", async () => {
    const scene = createScene();
    const { text, commands } = await scene.run();
    expect(scene.fileText()).toContain(`param clientId = '${REGISTERED_CLIENT_ID}'`);
    expect(scene.fileText()).not.toContain(WRITTEN_CLIENT_ID);
    expect(text).toContain(`clientId is now ${REGISTERED_CLIENT_ID}. Commit this change.`);
    const registrations = commands.filter((command) => command.includes("entra.bicep"));
    expect(registrations).toHaveLength(2);
    expect(registrations[0]).toContain("onlyApplications=true");
    expect(registrations[1]).not.toContain("onlyApplications");
    for (const command of registrations) {
      expect(command).toContain(`managedIdentityPrincipalId=${PRINCIPAL}`);
      expect(command).toContain("serviceUrl=https://func-contoso-123.azurewebsites.net");
    }
  });

  test("shows every command as a line of a shell, and no key and no token", async () => {
    const scene = createScene();
    const { text, commands } = await scene.run();
    const shown = text.split("\n").filter((line) => line.startsWith("$ az "));
    const hidden = commands.filter((command) => command.startsWith("account get-access-token"));
    expect(shown).toHaveLength(commands.length - hidden.length);
    expect(hidden).toHaveLength(1);
    const [key = ""] = scene.keys.values();
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    for (const secret of [key, VAULT_TOKEN]) {
      expect(text).not.toContain(secret);
      expect(commands.join("\n")).not.toContain(secret);
      expect(scene.fileText()).not.toContain(secret);
    }
  });

  test("gives the account the role for the vault only while it makes the keys", async () => {
    const scene = createScene();
    const { commands } = await scene.run();
    const roles = commands.filter((command) => /^role assignment (create|delete)/.test(command));
    expect(roles).toEqual([
      expect.stringContaining(`Key Vault Secrets Officer --assignee-object-id ${ADMINISTRATOR}`),
      expect.stringContaining("/vaults/kv-contoso-123/providers/Microsoft.Authorization/roleAssignments/"),
    ]);
    expect(scene.cloud.roleAssignments).toEqual([]);
  });

  test("leaves a role that the account has of its own", async () => {
    const scene = createScene();
    scene.cloud.roleAssignments.push("of-the-team");
    expect((await scene.run()).code).toBe(0);
    expect(scene.cloud.roleAssignments).toEqual(["of-the-team"]);
  });

  test("makes the cache key too if Redis is used", async () => {
    const scene = createScene();
    scene.settings.settings["REDIS_URL"] = "rediss://redis.example:10000";
    await scene.run();
    expect([...scene.keys.keys()]).toEqual(["sealing-key", "cache-key"]);
  });
});

describe("a second deployment", () => {
  test("makes nothing twice: no group, no key, no package of the same version", async () => {
    const scene = createScene();
    await scene.run();
    const [key] = scene.keys.values();
    const { code, text, commands } = await scene.run();
    expect(code).toBe(0);
    expect(scene.cloud.made).toEqual(EVERYTHING);
    expect([...scene.keys.values()]).toEqual([key]);
    expect(text).toContain("The vault has every key: sealing-key.");
    expect(text).toContain(`The service runs ${VERSION} already.`);
    expect(commands.filter((command) => /^(group create|provider register|role)/.test(command))).toEqual([
      expect.stringMatching(/^role assignment list/),
    ]);
  });

  test("takes away the role that an interrupted run left", async () => {
    const scene = createScene();
    scene.cloud.failures.push({ command: "^role assignment delete", times: 1, error: "(Gone) no" });
    expect((await scene.run()).code).toBe(4);
    expect(scene.cloud.roleAssignments).toHaveLength(1);
    expect((await scene.run()).code).toBe(0);
    expect(scene.cloud.roleAssignments).toEqual([]);
    expect(scene.cloud.made).toEqual(EVERYTHING);
  });

  test("runs one step with --step", async () => {
    const scene = createScene();
    await scene.run();
    scene.keys.clear();
    scene.cloud.secrets = [];
    const { code, commands } = await scene.run("--step", "keys");
    expect(code).toBe(0);
    expect(scene.keys.size).toBe(1);
    expect(commands.filter((command) => WRITING.test(command))).toEqual([
      expect.stringMatching(/^role assignment create/),
      expect.stringMatching(/^role assignment delete/),
    ]);
  });
});

test.each(["keys", "package"])("the step %s alone makes no group, and names the step that is missing", async (step) => {
  const scene = createScene();
  expect(await scene.run("--step", step)).toMatchObject({
    code: 2,
    text: expect.stringContaining("The service is not deployed. Run the step service first."),
  });
  expect(scene.cloud.made).toEqual([]);
});

describe("a dry run", () => {
  test("changes nothing, and shows every command that would change something", async () => {
    const scene = createScene();
    const before = scene.fileText();
    const { code, text, commands } = await scene.run("--dry-run");
    expect(code).toBe(0);
    expect(commands.filter((command) => WRITING.test(command))).toEqual([]);
    expect([scene.cloud.made, scene.fileText(), scene.keys.size]).toEqual([[], before, 0]);
    const would = text.split("\n").filter((line) => line.startsWith("would run: "));
    for (const part of [
      "az group create",
      "gte-identity",
      "gte-applications",
      "gte-registrations",
      "gte-service",
      "config-zip",
    ])
      expect(would.filter((line) => line.includes(part))).toHaveLength(1);
    expect(text).toContain("would make: the key sealing-key in the vault kv-contoso-123");
  });

  test("of a deployed service shows what would change", async () => {
    const scene = createScene();
    await scene.run();
    const { text, commands } = await scene.run("--dry-run");
    expect(commands.some((command) => /what-if .*--validation-level ProviderNoRbac/.test(command))).toBe(true);
    expect(text).toContain("Resource changes");
  });
});

describe("the question before the change", () => {
  test("answered with no changes nothing in the service", async () => {
    const scene = createScene();
    scene.settings.confirms = false;
    expect(await scene.run()).toMatchObject({ code: 3, text: expect.stringContaining("You said no.") });
    expect(scene.cloud.made).not.toContain("service");
  });

  test("without a terminal needs --yes", async () => {
    const scene = createScene();
    scene.settings.attended = false;
    scene.settings.confirms = false;
    expect(await scene.run()).toMatchObject({ code: 2, text: expect.stringContaining("use --yes") });
    expect((await scene.run("--yes")).code).toBe(0);
  });
});

describe("the checks", () => {
  test("name all problems at once, before anything is made", async () => {
    const scene = createScene({
      cliVersion: "2.60.0",
      actions: ["*/read", "Microsoft.Resources/*"],
      directoryRoles: [],
      runtimes: ["20"],
      nameAvailable: false,
      storageAccounts: 250,
    });
    const { code, text, commands } = await scene.run();
    expect(code).toBe(1);
    const problems = text.split("\n").filter((line) => line.startsWith("problem: "));
    expect(problems).toEqual([
      expect.stringContaining("The Azure CLI is 2.60.0, and 2.76 is needed. Run: az upgrade"),
      expect.stringContaining("needs the role Contributor on the subscription for: identity, service, package."),
      expect.stringContaining(
        "needs the role Role Based Access Control Administrator on the subscription for: service, keys.",
      ),
      expect.stringContaining("needs the directory role Application Administrator."),
      expect.stringContaining("must register resource providers once: az provider register --namespace Microsoft.App;"),
      expect.stringContaining("westeurope offers Node.js 20 for Flex Consumption, and the app needs 24."),
      expect.stringContaining("The app name func-contoso-123 is not available"),
      expect.stringContaining("The vault name kv-contoso-123 is not available"),
      expect.stringContaining("The storage account name stcontoso123 is not available"),
      expect.stringContaining("250 of 250 storage accounts in westeurope"),
    ]);
    expect(text).toContain("The checks found 10 problems. Nothing was changed.");
    expect(commands.filter((command) => WRITING.test(command))).toEqual([]);
  });

  test.each([
    ["a deleted vault", { deletedVaults: ["kv-contoso-123"] }, "Set recoverDeletedVault to true"],
    [
      "a registration of another service",
      { redirectUri: "https://other.example/oauth2/callback" },
      "Name another key with --unique-name",
    ],
    [
      "a registration that trusts another identity",
      { redirectUri: "https://func-contoso-123.azurewebsites.net/oauth2/callback", subjects: ["of-another"] },
      "trusts the identity of-another, and id-contoso does not exist yet",
    ],
    ["another tenant", { tenantId: "00000000-0000-4000-8000-0000000000ff" }, "infra/entra-by-hand.md"],
  ])("stop at %s before anything is made", async (_, answers, problem) => {
    const scene = createScene(answers);
    const { code, text } = await scene.run();
    expect([code, text]).toEqual([1, expect.stringContaining(problem)]);
    expect(scene.cloud.made).toEqual([]);
  });

  test("stop at a permission that does not exist", async () => {
    const scene = createScene();
    scene.settings.registrations = 1;
    expect(await scene.run()).toMatchObject({ code: 1, text: expect.stringContaining("names that do not exist") });
    expect(scene.cloud.made).toEqual([]);
  });

  test("choose Node.js 22 with a notice where the region does not offer 24", async () => {
    const scene = createScene({ runtimes: ["20", "22"] });
    const { code, text, commands } = await scene.run();
    expect(code).toBe(0);
    expect(text).toContain("notice: westeurope does not offer Node.js 24 yet. The app gets Node.js 22.");
    const service = commands.filter((command) => /what-if|gte-service --parameters/.test(command));
    expect(service).toHaveLength(2);
    for (const command of service) expect(command).toContain("nodeVersion=22");
  });

  test("register missing resource providers and wait for them, once", async () => {
    const scene = createScene();
    const { commands } = await scene.run();
    const registered = commands.filter((command) => command.startsWith("provider register"));
    expect(registered).toEqual([
      "provider register --namespace Microsoft.App --wait",
      "provider register --namespace Microsoft.KeyVault --wait",
      "provider register --namespace Microsoft.ManagedIdentity --wait",
    ]);
  });

  test("that the account may not ask are named, and do not stop an account with rights on its group only", async () => {
    const scene = createScene();
    scene.cloud.failures.push({
      command: "list-deleted|show-usage",
      times: ALWAYS,
      error: "(AuthorizationFailed) read",
    });
    const { code, text } = await scene.run();
    expect(code).toBe(0);
    expect(text).toContain("notice: admin@contoso.example may not ask for the names, so this was not checked.");
    expect(text).toContain("notice: admin@contoso.example may not ask for the quotas, so this was not checked.");
  });

  test("stop where the account may not register a missing resource provider, and name the commands", async () => {
    const scene = createScene({ subscriptionActions: ["*/read"] });
    scene.cloud.made.push("group");
    const { code, text } = await scene.run();
    expect([code, text]).toEqual([1, expect.stringContaining("az provider register --namespace Microsoft.App;")]);
    expect(scene.cloud.registered).toEqual([]);
  });

  test("ask for the rights of the selected step only", async () => {
    const scene = createScene();
    await scene.run();
    scene.cloud.answers = { actions: ["Microsoft.Web/*"], directoryRoles: [] };
    expect((await scene.run("--step", "package")).code).toBe(0);
  });
});

/** Command, error of the CLI, exit code, and a part of the message. */
const FINAL: readonly (readonly [string, string, string, number, string])[] = [
  ["no sign-in", "^account show", "Please run 'az login' to setup account.", 3, "Run: az login"],
  ["an unreadable check", "^provider list", "an error of the CLI itself", 1, "Could not check the resource providers"],
  ["an expired sign-in", "^identity list|gte-identity", "AADSTS700082: expired", 3, "Run: az login"],
  [
    "no right to make the group",
    "^group create",
    "(AuthorizationFailed) no action write",
    4,
    "The account lacks a right.",
  ],
  [
    "no right for the provider",
    "^provider register",
    "(AuthorizationFailed) register",
    4,
    "The account lacks a right.",
  ],
  ["a policy of the landing zone", "gte-identity", "(RequestDisallowedByPolicy) tags", 4, "RequestDisallowedByPolicy"],
  ["throttling that does not end", "gte-applications", "(TooManyRequests) 429", 5, "Azure still limits"],
  ["no consent", "gte-registrations", "Authorization_RequestDenied: Insufficient privileges", 4, "lacks a right"],
  [
    "an Entra that does not catch up",
    "gte-registrations",
    "NoBackingApplicationObject",
    4,
    "Entra still does not find",
  ],
  ["what-if without rights", "what-if", "(AuthorizationFailed) whatIf", 4, "docs/deploy.md lists the rights"],
  ["a failed deployment", "gte-service", "(51021) site configuration is invalid", 4, "site configuration is invalid"],
  ["a quota", "gte-service", "(QuotaExceeded) Flex", 4, "Request a higher quota"],
  ["a vault deleted meanwhile", "gte-service", "already exists in deleted state", 4, "Set recoverDeletedVault"],
  [
    "no right to give the role",
    "role assignment create",
    "(AuthorizationFailed) roleAssignments/write",
    4,
    "lacks a right",
  ],
  ["no network", "role assignment list", "ConnectionError: name resolution", 5, "Azure still does not answer"],
  [
    "an upload that is always refused",
    "config-zip",
    "BlobUploadFailedException: 403",
    4,
    "did not take effect in ten minutes",
  ],
];

describe("a failure", () => {
  test.each(FINAL)("by %s says what to do, and the next run goes on and makes nothing twice", async (...row) => {
    const [, command, error, exitCode, message] = row;
    const scene = createScene();
    const failure = { command, times: ALWAYS, error };
    scene.cloud.failures.push(failure);
    const failed = await scene.run();
    expect([failed.code, failed.text]).toEqual([exitCode, expect.stringContaining(message)]);
    failure.times = 0;
    expect((await scene.run()).code).toBe(0);
    expect([...scene.cloud.made].sort()).toEqual([...EVERYTHING].sort());
    expect(scene.cloud.roleAssignments).toEqual([]);
  });

  test.each([
    "gte-identity",
    "gte-applications",
    "gte-registrations",
    "what-if",
    "gte-service",
    "role assignment create",
    "config-zip",
  ])("of %s by throttling is repeated in the same run", async (command) => {
    const scene = createScene();
    scene.cloud.failures.push({ command, times: 2, error: "(TooManyRequests) Retry later" });
    const { code, text, waited } = await scene.run();
    expect([code, text]).toEqual([0, expect.stringContaining("Azure limits the number of requests.")]);
    expect(waited).toBe(15);
    expect(scene.cloud.made).toEqual(EVERYTHING);
  });

  test.each([
    ["gte-applications", "Request_ResourceNotFound: Resource 'x' does not exist"],
    ["gte-registrations", "Error in query syntax."],
    ["gte-registrations", "Not a valid reference update."],
    ["gte-registrations", "NoBackingApplicationObject"],
  ])("of %s by the lag of Entra (%s) is repeated in the same run", async (command, error) => {
    const scene = createScene();
    scene.cloud.failures.push({ command, times: 3, error });
    const { code, text } = await scene.run();
    expect([code, text]).toEqual([0, expect.stringContaining("Entra does not find yet what it has just created.")]);
  });

  test("of the upload while the role of the app is new is repeated with the reason", async () => {
    const scene = createScene();
    scene.cloud.failures.push({ command: "config-zip", times: 2, error: "BlobUploadFailedException (403)" });
    const { code, text } = await scene.run();
    expect([code, text]).toEqual([0, expect.stringContaining("The role assignment is new")]);
  });

  test("of the check after the upload is left to the next step", async () => {
    const scene = createScene();
    scene.cloud.failures.push({ command: "config-zip", times: 1, error: "Failed to fetch host key" });
    scene.readyAnswers.push({ status: 200, version: VERSION });
    expect((await scene.run()).code).toBe(0);
  });

  test("by another address than the registered one stops before the keys", async () => {
    const scene = createScene({ serviceUrl: "https://func-contoso-123-a1b2.westeurope-01.azurewebsites.net" });
    expect(await scene.run()).toMatchObject({ code: 2, text: expect.stringContaining("is registered") });
    expect(scene.keys.size).toBe(0);
  });

  test("by another identity than the trusted one stops before the keys", async () => {
    const scene = createScene({ principalId: "66666666-6666-4666-8666-666666666666" });
    expect(await scene.run()).toMatchObject({ code: 2, text: expect.stringContaining("and the registrations trust") });
    expect(scene.keys.size).toBe(0);
  });
});

describe("the vault", () => {
  test("is asked until the new role works", async () => {
    const scene = createScene();
    scene.vaultAnswers.push(...Array.from({ length: 3 }, () => ({ status: 403, code: "ForbiddenByRbac" })));
    const { code, text, waited } = await scene.run();
    expect([code, waited]).toEqual([0, 45]);
    expect(text).toContain("the vault does not apply it yet. Next attempt in 15 seconds.");
    expect(scene.keys.size).toBe(1);
  });

  test.each([
    ["a network that does not admit the machine", { status: 403, code: "ForbiddenByConnection" }, 4, "allowedIpRanges"],
    ["a firewall", { status: 403, code: "ForbiddenByFirewall" }, 4, "allowedIpRanges"],
  ])("with %s names the remedy and takes the role away", async (_, answer, exitCode, remedy) => {
    const scene = createScene();
    scene.vaultAnswers.push(answer);
    expect(await scene.run()).toMatchObject({ code: exitCode, text: expect.stringContaining(remedy) });
    expect(scene.cloud.roleAssignments).toEqual([]);
    expect((await scene.run()).code).toBe(0);
    expect(scene.cloud.made).toEqual(EVERYTHING);
  });

  test("keeps a key that Resource Manager does not list", async () => {
    const scene = createScene();
    scene.keys.set("sealing-key", "of-the-team");
    expect(await scene.run()).toMatchObject({
      code: 0,
      text: expect.stringContaining("has the key sealing-key already"),
    });
    expect(scene.keys.get("sealing-key")).toBe("of-the-team");
  });

  test("with a deleted key names the command that restores it", async () => {
    const scene = createScene();
    const original = scene.vaultAnswers;
    original.push({ status: 404, code: "SecretNotFound" }, { status: 409, code: "ObjectIsDeletedButRecoverable" });
    expect(await scene.run()).toMatchObject({ code: 4, text: expect.stringContaining("az keyvault secret recover") });
  });
});

describe("readiness", () => {
  test("of an older version does not count", async () => {
    const scene = createScene();
    scene.readyAnswers.push({ status: 200, version: "0.0.9+old" }, { status: 503, version: VERSION });
    const { code, text, waited } = await scene.run();
    expect([code, waited]).toEqual([0, 20]);
    expect(text).toContain(`Version 0.0.9+old answers, and ${VERSION} is deployed. Waiting.`);
    expect(text).toContain("The service is not ready: a key, a credential or the grant table is missing. Waiting.");
  });

  test("that does not come ends after ten minutes with the last state", async () => {
    const scene = createScene();
    scene.readyAnswers.push(...Array.from({ length: 60 }, () => ({ status: 200, version: "0.0.9+old" })));
    const { code, text, waited } = await scene.run();
    expect([code, waited]).toEqual([5, 600]);
    expect(text).toContain("did not become ready in ten minutes. Version 0.0.9+old answers");
  });
});

test.each([
  [["--step", "everything"], "There is no step everything."],
  [["--wrong"], "Unknown option '--wrong'"],
  [["second.bicepparam"], "Name one parameter file"],
])("the arguments %j are explained", async (args, message) => {
  const { code, text, commands } = await createScene().run(...args);
  expect([code, commands]).toEqual([2, []]);
  expect(text).toContain(message);
  expect(text).toContain("usage: npm run deploy");
});
