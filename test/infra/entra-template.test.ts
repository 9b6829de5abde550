/** The registrations that entra.bicep creates. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ENTRA_CLOUDS } from "./clouds.ts";
import { GRAPH_PERMISSIONS } from "./support/azure-answers.ts";
import { describeWithBicep, infraFile } from "./support/compiler.ts";
import { type DeployOptions, deploy, type Parameters, refusals, TENANT_ID } from "./support/deploy.ts";
import { ofType, the, value } from "./support/look.ts";
import { deployMain, settingsOf } from "./support/scenarios.ts";

const SERVICE_URL = "https://tokens.example.com";
const IDENTITY = "55555555-5555-4555-8555-555555555555";
const CALLER = "66666666-6666-4666-8666-666666666666";
const PERSON = "88888888-8888-4888-8888-888888888888";

const TEMPLATE = "entra/entra.bicep";
const REQUIRED = { serviceUrl: SERVICE_URL, managedIdentityPrincipalId: IDENTITY };
const deployEntra = (changes: Parameters = {}, options: DeployOptions = {}) =>
  deploy(TEMPLATE, { ...REQUIRED, ...changes }, options);
const plain = () => deployEntra();
const everything = () =>
  deployEntra({
    graphScopes: ["User.Read", "Mail.Read"],
    preAuthorizedClientIds: ["77777777-7777-4777-8777-777777777777"],
    applicationCallers: [{ principalId: CALLER, roles: ["Exchange.Call", "Policy.Explain"] }],
    assignedPrincipalIds: [PERSON],
    appOnlyGraphRoles: ["User.Read.All"],
  });

const APPLICATION = "Microsoft.Graph/applications";
const FEDERATION = "Microsoft.Graph/applications/federatedIdentityCredentials";
const ASSIGNMENT = "Microsoft.Graph/appRoleAssignedTo";
const SERVICE = "graph-token-exchange";

const serviceOf = async (deployment = plain()) => the(await deployment, APPLICATION, SERVICE);

describeWithBicep("the registration of the service", () => {
  test("issues v2 tokens for its one scope, with the claims that the service checks", async () => {
    const service = await serviceOf();
    expect(value(service, "properties.signInAudience")).toBe("AzureADMyOrg");
    expect(value(service, "properties.api.requestedAccessTokenVersion")).toBe(2);
    expect(value(service, "properties.api.oauth2PermissionScopes")).toEqual([
      expect.objectContaining({ value: "access_as_user", isEnabled: true }),
    ]);
    const claims = value(service, "properties.optionalClaims.accessToken") as { name: string }[];
    expect(claims.map(({ name }) => name)).toEqual(["idtyp", "xms_cc", "acct"]);
    expect(claims[0]).toHaveProperty("additionalProperties", ["include_user_token"]);
  });

  test("has the app roles of the service", async () => {
    const roles = value(await serviceOf(), "properties.appRoles") as AppRole[];
    expect(roles.map((role) => [role.value, role.allowedMemberTypes])).toEqual([
      ["Exchange.Call", ["Application"]],
      ["Grant.Create", ["Application", "User"]],
      ["Policy.Explain", ["Application", "User"]],
    ]);
    expect(new Set(roles.map(({ id }) => id)).size).toBe(3);
  });

  test("has one redirect URI and no implicit grant", async () => {
    const service = await serviceOf();
    expect(value(service, "properties.web")).toEqual({
      homePageUrl: SERVICE_URL,
      redirectUris: [`${SERVICE_URL}/oauth2/callback`],
      implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false },
    });
    expect(value(service, "properties.isFallbackPublicClient")).toBe(false);
    expect(value(service, "properties.publicClient")).toBeUndefined();
    expect(value(service, "properties.identifierUris")).toEqual([`api://${TENANT_ID}/graph-token-exchange`]);
    expect((await plain()).outputs["scope"]).toBe(`api://${TENANT_ID}/graph-token-exchange/access_as_user`);
  });

  test("has the App ID URI that main.bicep sets by default, or the one of another uniqueName", async () => {
    const { outputs } = await plain();
    expect(outputs["appIdUri"]).toBe(`api://${TENANT_ID}/graph-token-exchange`);
    expect(settingsOf(await deployMain())["APP_ID_URI"]).toBe(outputs["appIdUri"]);
    const { appIdUri } = (await deployEntra({ uniqueName: "gte-mail" })).outputs;
    expect(appIdUri).toBe(`api://${TENANT_ID}/gte-mail`);
    expect(settingsOf(await deployMain({ appIdUri }))["APP_ID_URI"]).toBe(appIdUri);
  });

  test("is locked, and only assigned people and applications get tokens for it", async () => {
    const applications = ofType(await everything(), APPLICATION);
    expect(applications).toHaveLength(3);
    for (const application of applications) {
      expect(value(application, "properties.servicePrincipalLockConfiguration")).toEqual({
        isEnabled: true,
        allProperties: true,
      });
      expect(value(application, "properties.passwordCredentials")).toBeUndefined();
    }
    expect(await propertiesOf(plain(), "Microsoft.Graph/servicePrincipals")).toContainEqual({
      appId: "[reference('service').appId]",
      accountEnabled: true,
      appRoleAssignmentRequired: true,
    });
  });

  test("pre-authorizes the command line, so that users do not have to consent", async () => {
    const preAuthorized = value(await serviceOf(), "properties.api.preAuthorizedApplications") as { appId: string }[];
    expect(preAuthorized.map(({ appId }) => appId)).toEqual(["[reference('commandLine').appId]"]);
    expect(the(await plain(), APPLICATION, "-command-line").body["properties"]).toMatchObject({
      isFallbackPublicClient: true,
      publicClient: { redirectUris: ["http://localhost"] },
    });
    const without = deployEntra({ registerCommandLineClient: false });
    expect(value(await serviceOf(without), "properties.api.preAuthorizedApplications")).toEqual([]);
    expect(ofType(await without, APPLICATION)).toHaveLength(1);
  });
});

describeWithBicep("the managed identity as credential", () => {
  test.for(ENTRA_CLOUDS)("has the audience of the cloud: %s", async ([environment, audience, login]) => {
    expect(await propertiesOf(deployEntra({}, { environment }), FEDERATION)).toEqual([
      {
        name: "graph-token-exchange/managed-identity",
        description: expect.any(String),
        audiences: [audience],
        issuer: `${login}${TENANT_ID}/v2.0`,
        subject: IDENTITY,
      },
    ]);
  });

  test("is the credential of the second registration as well", async () => {
    const federation = the(await everything(), FEDERATION, "-app-only/managed-identity");
    expect(federation.body["properties"]).toMatchObject({ subject: IDENTITY });
  });

  test("is omitted without an identity", async () => {
    expect(await propertiesOf(deployEntra({ managedIdentityPrincipalId: "" }), FEDERATION)).toEqual([]);
  });
});

describeWithBicep("permissions and roles", () => {
  test("the registrations request exactly the configured permissions by their ids in Graph", async () => {
    const { oauth2PermissionScopes, appRoles } = GRAPH_PERMISSIONS;
    const idOf = (known: readonly { id: string; value: string }[], name: string) =>
      known.find((permission) => permission.value === name)?.id;
    const accessOf = async (name: string) =>
      value(the(await everything(), APPLICATION, name), "properties.requiredResourceAccess.0.resourceAccess");
    expect(await accessOf(SERVICE)).toEqual([
      { id: idOf(oauth2PermissionScopes, "User.Read"), type: "Scope" },
      { id: idOf(oauth2PermissionScopes, "Mail.Read"), type: "Scope" },
    ]);
    expect(await accessOf("-app-only")).toEqual([{ id: idOf(appRoles, "User.Read.All"), type: "Role" }]);
  });

  test("admin consent is granted, or omitted with grantConsent false", async () => {
    const CONSENT = "Microsoft.Graph/oauth2PermissionGrants";
    expect(await propertiesOf(everything(), CONSENT)).toEqual([
      {
        clientId: "[reference('servicePrincipal').id]",
        resourceId: "[reference('graph').id]",
        consentType: "AllPrincipals",
        scope: "User.Read Mail.Read",
      },
    ]);
    const without = await deployEntra({ grantConsent: false, appOnlyGraphRoles: ["User.Read.All"] });
    expect(ofType(without, CONSENT)).toEqual([]);
    expect(ofType(without, ASSIGNMENT)).toEqual([]);
  });

  test("application permissions are on the second registration only", async () => {
    const appOnly = the(await everything(), APPLICATION, "-app-only").body["properties"];
    expect(appOnly).not.toHaveProperty("api");
    expect(JSON.stringify(appOnly)).not.toContain('"Scope"');
    expect(await propertiesOf(everything(), ASSIGNMENT)).toContainEqual({
      principalId: "[reference('appOnlyPrincipal').id]",
      resourceId: "[reference('graph').id]",
      appRoleId: GRAPH_PERMISSIONS.appRoles[0].id,
    });
    expect(ofType(await plain(), APPLICATION).map(({ name }) => name)).toEqual([`${SERVICE}-command-line`, SERVICE]);
  });

  test("callers get their configured roles, and people get only default access", async () => {
    const [call, , explain] = value(await serviceOf(everything()), "properties.appRoles") as AppRole[];
    const given = (principalId: string, appRoleId: string | undefined) => ({
      principalId,
      resourceId: "[reference('servicePrincipal').id]",
      appRoleId,
    });
    const assignments = await propertiesOf(everything(), ASSIGNMENT);
    expect(assignments.filter(({ resourceId }) => resourceId === "[reference('servicePrincipal').id]")).toEqual([
      given(CALLER, call?.id),
      given(CALLER, explain?.id),
      given(PERSON, "00000000-0000-0000-0000-000000000000"),
    ]);
  });

  test("an unknown role fails the deployment", async () => {
    const callers = (role: string) => ({ ...REQUIRED, applicationCallers: [{ principalId: CALLER, roles: [role] }] });
    expect(await refusals(TEMPLATE, callers("Grant.Create"))).toEqual([]);
    expect((await refusals(TEMPLATE, callers("Owner"))).join("\n")).toContain("BCP034 'Owner':");
  });
});

describeWithBicep("entra-by-hand.md", () => {
  const commands = readFileSync(infraFile("entra-by-hand.md"), "utf8");

  test("contains every id, scope, role and text of the template", async () => {
    const service = await serviceOf();
    const texts = ["api.oauth2PermissionScopes", "appRoles", "optionalClaims"].flatMap((path) =>
      textsIn(value(service, `properties.${path}`)),
    );
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => !commands.includes(text))).toEqual([]);
  });

  test("contains the audiences of all clouds", () => {
    for (const [, audience] of ENTRA_CLOUDS) {
      expect(commands).toContain(`audience=${audience} `);
    }
    expect(commands).toContain("AzureChinaCloud) audience=api://AzureADTokenExchangeChina login=https://login.partner");
  });
});

describeWithBicep("passwords", () => {
  test("are not in the template, because the Graph extension does not support them", () => {
    expect(readFileSync(infraFile(TEMPLATE), "utf8")).not.toMatch(/passwordCredentials|addPassword/);
  });
});

interface AppRole {
  readonly id: string;
  readonly value: string;
  readonly allowedMemberTypes: readonly string[];
}

async function propertiesOf(deployment: ReturnType<typeof deployEntra>, type: string) {
  return ofType(await deployment, type).map(({ body }) => body["properties"] as Record<string, unknown>);
}

function textsIn(holder: unknown): string[] {
  if (typeof holder === "string") return [holder];
  return typeof holder === "object" && holder !== null ? Object.values(holder).flatMap(textsIn) : [];
}
