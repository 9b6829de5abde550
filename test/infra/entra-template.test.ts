/** The registrations that entra.bicep creates. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readGraphPermissions } from "../../clients/registration/graph-permissions.ts";
import { requiredRegistrations } from "../../clients/registration/required-permissions.ts";
import { resolveRegistrations } from "../../clients/registration/resolve-registrations.ts";
import { templateParameters } from "../../clients/registration/template-parameters.ts";
import { policySchema } from "../../shared/policy/rules.ts";
import { ENTRA_CLOUDS } from "./clouds.ts";
import { describeWithBicep, infraFile } from "./support/compiler.ts";
import { type DeployOptions, deploy, type Parameters, refusals, TENANT_ID } from "./support/deploy.ts";
import { ofType, the, value } from "./support/look.ts";
import { deployMain, settingsOf } from "./support/scenarios.ts";

const SERVICE_URL = "https://tokens.example.com";
const IDENTITY = "55555555-5555-4555-8555-555555555555";
const CALLER = "66666666-6666-4666-8666-666666666666";
const OTHER_CALLER = "66666666-6666-4666-8666-66666666666b";
const PERSON = "88888888-8888-4888-8888-888888888888";

const TEMPLATE = "entra/entra.bicep";
const REQUIRED = { serviceUrl: SERVICE_URL, managedIdentityPrincipalId: IDENTITY };
const deployEntra = (changes: Parameters = {}, options: DeployOptions = {}) =>
  deploy(TEMPLATE, { ...REQUIRED, ...changes }, options);
const plain = () => deployEntra();
const GRAPH = "00000003-0000-0000-c000-000000000000";
const ORDERS = "04de4500-0000-4000-8000-000000000001";
const USER_READ = { id: "e1fe6dd8-ba31-4d61-89e7-88639da4683d", name: "User.Read" };
const MAIL_READ = { id: "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", name: "Mail.Read" };
const ORDERS_READ = { id: "a0000000-0000-4000-8000-000000000001", name: "Orders.Read" };
const ALL_USERS = { id: "df021288-bdef-4463-88db-98f22de89214", name: "User.Read.All" };

/** As `npm run registration -- … --parameters` writes them: a wide and a narrow tier, with two APIs. */
const REGISTRATIONS = [
  {
    apis: [
      { resourceAppId: GRAPH, permissions: [USER_READ, MAIL_READ] },
      { resourceAppId: ORDERS, permissions: [ORDERS_READ] },
    ],
    preAuthorizedClientIds: ["77777777-7777-4777-8777-777777777777"],
    callerPrincipalIds: [CALLER],
  },
  {
    name: "narrow",
    apis: [{ resourceAppId: GRAPH, permissions: [USER_READ] }],
    preAuthorizedClientIds: ["99999999-9999-4999-8999-999999999999"],
    callerPrincipalIds: [OTHER_CALLER],
  },
];
const everything = (options: DeployOptions = {}) =>
  deployEntra(
    {
      registrations: REGISTRATIONS,
      applicationCallers: [
        { principalId: CALLER, roles: ["Exchange.Call", "Policy.Explain"] },
        { principalId: OTHER_CALLER, registration: "narrow", roles: ["Grant.Create"] },
      ],
      assignedPrincipalIds: [PERSON],
      assignedPrincipalIdsByRegistration: { narrow: [CALLER] },
      appOnlyApis: [{ resourceAppId: GRAPH, permissions: [ALL_USERS] }],
    },
    options,
  );

const APPLICATION = "Microsoft.Graph/applications";
const FEDERATION = "Microsoft.Graph/applications/federatedIdentityCredentials";
const ASSIGNMENT = "Microsoft.Graph/appRoleAssignedTo";
const CONSENT = "Microsoft.Graph/oauth2PermissionGrants";
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
      ["Grant.Admin", ["Application", "User"]],
    ]);
    expect(new Set(roles.map(({ id }) => id)).size).toBe(4);
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
    expect(applications).toHaveLength(4);
    for (const application of applications) {
      expect(value(application, "properties.servicePrincipalLockConfiguration")).toEqual({
        isEnabled: true,
        allProperties: true,
      });
      expect(value(application, "properties.passwordCredentials")).toBeUndefined();
    }
    expect(await propertiesOf(plain(), "Microsoft.Graph/servicePrincipals")).toContainEqual({
      appId: "[reference('services[0]').appId]",
      accountEnabled: true,
      appRoleAssignmentRequired: true,
    });
  });

  test("pre-authorizes the command line, so that users do not have to consent", async () => {
    // The client id of the command line is not known before the deployment, so the list stays an expression.
    expect(value(await serviceOf(), "properties.api.preAuthorizedApplications")).toContain(
      "union(createArray(), createArray(), createArray(reference('commandLine').appId))",
    );
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

  test("is the one credential of every registration", async () => {
    const federations = await propertiesOf(everything(), FEDERATION);
    expect(federations.map(({ name, subject }) => [name, subject])).toEqual([
      [`${SERVICE}/managed-identity`, IDENTITY],
      [`${SERVICE}.narrow/managed-identity`, IDENTITY],
      [`${SERVICE}-app-only/managed-identity`, IDENTITY],
    ]);
  });

  test("is omitted without an identity", async () => {
    expect(await propertiesOf(deployEntra({ managedIdentityPrincipalId: "" }), FEDERATION)).toEqual([]);
  });
});

describeWithBicep("the first of the two deployments", () => {
  const only = () =>
    deployEntra({
      registrations: REGISTRATIONS,
      assignedPrincipalIds: [PERSON],
      appOnlyApis: [{ resourceAppId: GRAPH, permissions: [ALL_USERS] }],
      onlyApplications: true,
    });

  test("creates every application and service principal, and nothing that Entra must find first", async () => {
    const types = (await only()).resources.map(({ type }) => type);
    expect([...new Set(types)].sort()).toEqual([APPLICATION, "Microsoft.Graph/servicePrincipals"]);
    expect(types.filter((type) => type === APPLICATION)).toHaveLength(4);
  });

  test("creates the same applications as the second", async () => {
    const applications = async (deployment: ReturnType<typeof only>) => ofType(await deployment, APPLICATION);
    expect(await applications(only())).toEqual(await applications(everything()));
  });
});

describeWithBicep("several registrations", () => {
  test("each has its own App ID URI, and otherwise the form of the first", async () => {
    const [first, narrow] = [await serviceOf(everything()), the(await everything(), APPLICATION, ".narrow")];
    expect(value(narrow, "properties.identifierUris")).toEqual([`api://${TENANT_ID}/${SERVICE}.narrow`]);
    expect(value(narrow, "properties.displayName")).toBe("Graph Token Exchange (narrow)");
    for (const path of [
      "api.requestedAccessTokenVersion",
      "api.oauth2PermissionScopes",
      "appRoles",
      "optionalClaims",
      "web",
    ]) {
      expect(value(narrow, `properties.${path}`), path).toEqual(value(first, `properties.${path}`));
    }
  });

  test("the outputs have what the policy needs to know about each", async () => {
    const expected = [
      `'name', '', 'clientId', reference('services[0]').appId, 'appIdUri', 'api://${TENANT_ID}/${SERVICE}'`,
      `'name', 'narrow', 'clientId', reference('services[1]').appId, 'appIdUri', 'api://${TENANT_ID}/${SERVICE}.narrow'`,
    ];
    expect((await everything()).outputs["registrations"]).toBe(
      `[createArray(${expected.map((members) => `createObject(${members})`).join(", ")})]`,
    );
  });

  test("each pre-authorizes its own clients only", async () => {
    const clientsOf = async (name: string) =>
      JSON.stringify(value(the(await everything(), APPLICATION, name), "properties.api.preAuthorizedApplications"));
    expect(await clientsOf(SERVICE)).toContain("77777777-7777-4777-8777-777777777777");
    expect(await clientsOf(SERVICE)).toContain("reference('commandLine').appId");
    expect(await clientsOf(".narrow")).toContain("99999999-9999-4999-8999-999999999999");
    expect(await clientsOf(".narrow")).not.toMatch(/7777|commandLine/);
  });

  test("each requires assignment, and people and applications are assigned to theirs only", async () => {
    const [call, create, explain] = value(await serviceOf(everything()), "properties.appRoles") as AppRole[];
    const assignments = (await propertiesOf(everything(), ASSIGNMENT)).map(({ principalId, resourceId, appRoleId }) => [
      /\d/.exec(String(resourceId))?.[0],
      principalId,
      appRoleId,
    ]);
    const access = "00000000-0000-0000-0000-000000000000";
    expect(assignments).toEqual(
      expect.arrayContaining([
        ["0", CALLER, call?.id],
        ["0", CALLER, explain?.id],
        ["1", OTHER_CALLER, call?.id],
        ["1", OTHER_CALLER, create?.id],
        ["0", PERSON, access],
        ["1", CALLER, access],
      ]),
    );
    // These six, and the application permission of the registration for application tokens.
    expect(assignments).toHaveLength(7);
    const principals = await propertiesOf(everything(), "Microsoft.Graph/servicePrincipals");
    expect(principals.filter(({ appRoleAssignmentRequired }) => appRoleAssignmentRequired === true)).toHaveLength(3);
  });
});

describeWithBicep("a Power Platform connector", () => {
  const CONNECTOR_ID = "44444444-4444-4444-8444-444444444444";
  const AZURE_API_CONNECTIONS = "fe053c5f-3692-4f14-aef2-ee34fc081cae";
  const SAVED = {
    name: "finance",
    clientId: CONNECTOR_ID,
    connectorIssuer: "https://login.microsoftonline.com/x/v2.0",
    connectorSubject: "/eid1/c/pub/t/x/a/y/e/z",
    redirectUri: "https://global.consent.azure-apim.net/redirect/graphtokenexchange-5f01",
  };
  const withConnectors = (...powerPlatform: object[]) => deployEntra({ registrations: REGISTRATIONS, powerPlatform });
  const first = () => withConnectors({ name: "finance" });
  const second = () => withConnectors(SAVED);
  const connectorOf = async (deployment = second()) => the(await deployment, APPLICATION, "-connector-finance");

  test("is none without the parameter", async () => {
    const applications = ofType(await everything(), APPLICATION);
    expect(applications.filter(({ name }) => name.includes("connector"))).toEqual([]);
    expect((await plain()).outputs["powerPlatformConnectors"]).toEqual([]);
  });

  test("has a registration of its own, because Entra answers AADSTS90009 for that of the service", async () => {
    expect(value(await connectorOf(), "properties.identifierUris")).toEqual([
      `api://${TENANT_ID}/${SERVICE}-connector-finance`,
    ]);
    expect(value(await connectorOf(), "properties.displayName")).toBe("Graph Token Exchange (connector finance)");
    expect(value(await connectorOf(), "properties.passwordCredentials")).toBeUndefined();
  });

  test("has a scope that authorises Azure API Connections, and another id than the scope of the service", async () => {
    const [scope] = value(await connectorOf(), "properties.api.oauth2PermissionScopes") as { id: string }[];
    const [ofService] = value(await serviceOf(second()), "properties.api.oauth2PermissionScopes") as { id: string }[];
    expect(scope?.id).not.toBe(ofService?.id);
    expect(value(await connectorOf(), "properties.api.preAuthorizedApplications")).toEqual([
      { appId: AZURE_API_CONNECTIONS, delegatedPermissionIds: [scope?.id] },
    ]);
  });

  test("has the permissions User.Read of Graph and access_as_user of the service, with consent", async () => {
    const [ofService] = value(await serviceOf(second()), "properties.api.oauth2PermissionScopes") as { id: string }[];
    expect(value(await connectorOf(), "properties.requiredResourceAccess")).toEqual([
      { resourceAppId: GRAPH, resourceAccess: [{ id: USER_READ.id, type: "Scope" }] },
      {
        resourceAppId: "[reference('services[0]').appId]",
        resourceAccess: [{ id: ofService?.id, type: "Scope" }],
      },
    ]);
    const consents = (await propertiesOf(second(), CONSENT)).filter(({ clientId }) =>
      /connector/.test(String(clientId)),
    );
    expect(consents.map(({ scope, consentType }) => [scope, consentType])).toEqual([
      ["access_as_user", "AllPrincipals"],
      ["User.Read", "AllPrincipals"],
    ]);
  });

  test("has neither a redirect URI nor a credential in the first run, because both exist after the first save", async () => {
    expect(value(await connectorOf(first()), "properties.web.redirectUris")).toEqual([]);
    const federations = await propertiesOf(first(), FEDERATION);
    expect(federations.filter(({ name }) => String(name).includes("connector"))).toEqual([]);
    expect(JSON.stringify((await first()).outputs["powerPlatformConnectors"])).toContain("connectors[0]");
  });

  test("has its redirect URI and the federated credential of its managed identity in the second run", async () => {
    expect(value(await connectorOf(), "properties.web.redirectUris")).toEqual([SAVED.redirectUri]);
    const federations = await propertiesOf(second(), FEDERATION);
    expect(federations.find(({ name }) => String(name).includes("connector"))).toMatchObject({
      audiences: ["api://AzureADTokenExchange"],
      issuer: SAVED.connectorIssuer,
      subject: SAVED.connectorSubject,
    });
  });

  test("is pre-authorized at the service in the second run, so that people do not consent", async () => {
    const clientsOf = async (deployment: ReturnType<typeof first>, name = SERVICE) =>
      JSON.stringify(value(the(await deployment, APPLICATION, name), "properties.api.preAuthorizedApplications"));
    expect(await clientsOf(first())).not.toContain(CONNECTOR_ID);
    expect(await clientsOf(second())).toContain(CONNECTOR_ID);
    expect(await clientsOf(second(), ".narrow")).not.toContain(CONNECTOR_ID);
  });

  test("calls the registration that it names", async () => {
    const narrow = withConnectors({ ...SAVED, registration: "narrow" });
    const [, access] = value(await connectorOf(narrow), "properties.requiredResourceAccess") as {
      resourceAppId: string;
    }[];
    expect(access?.resourceAppId).toBe("[reference('services[1]').appId]");
    const clients = value(the(await narrow, APPLICATION, ".narrow"), "properties.api.preAuthorizedApplications");
    expect(JSON.stringify(clients)).toContain(CONNECTOR_ID);
  });

  test("gets no consent with grantConsent=false", async () => {
    const without = deployEntra({ grantConsent: false, powerPlatform: [SAVED] });
    expect(await propertiesOf(without, CONSENT)).toEqual([]);
  });
});

describeWithBicep("permissions and roles", () => {
  const accessOf = async (name: string) =>
    value(the(await everything(), APPLICATION, name), "properties.requiredResourceAccess");
  const scopes = (...permissions: { id: string }[]) => permissions.map(({ id }) => ({ id, type: "Scope" }));

  test("each registration requests exactly its permissions of every API", async () => {
    expect(await accessOf(SERVICE)).toEqual([
      { resourceAppId: GRAPH, resourceAccess: scopes(USER_READ, MAIL_READ) },
      { resourceAppId: ORDERS, resourceAccess: scopes(ORDERS_READ) },
    ]);
    expect(await accessOf(".narrow")).toEqual([{ resourceAppId: GRAPH, resourceAccess: scopes(USER_READ) }]);
    expect(await accessOf("-app-only")).toEqual([
      { resourceAppId: GRAPH, resourceAccess: [{ id: ALL_USERS.id, type: "Role" }] },
    ]);
  });

  test("without parameters, the registration requests User.Read and the scopes of the sign-in, with Microsoft's ids", async () => {
    const [graph] = value(await serviceOf(), "properties.requiredResourceAccess") as {
      resourceAccess: { id: string }[];
    }[];
    const { delegated } = readGraphPermissions();
    const nameOf = ({ id }: { id: string }) => delegated.find((permission) => permission.id === id)?.name;
    expect(graph?.resourceAccess.map(nameOf)).toEqual(["User.Read", "openid", "profile", "offline_access"]);
    expect(await propertiesOf(plain(), CONSENT)).toMatchObject([{ scope: "User.Read openid profile offline_access" }]);
  });

  test("admin consent is granted for every registration and API, or omitted with grantConsent false", async () => {
    const consentOf = (registration: number, api: number, scope: string) => ({
      clientId: `[reference('servicePrincipals[${registration}]').id]`,
      resourceId: `[reference('apis[${api}]').id]`,
      consentType: "AllPrincipals",
      scope,
    });
    expect(await propertiesOf(everything(), CONSENT)).toEqual([
      consentOf(0, 0, "User.Read Mail.Read"),
      consentOf(0, 1, "Orders.Read"),
      consentOf(1, 0, "User.Read"),
    ]);
    const appOnlyApis = [{ resourceAppId: GRAPH, permissions: [ALL_USERS] }];
    const without = await deployEntra({ grantConsent: false, appOnlyApis });
    expect(ofType(without, CONSENT)).toEqual([]);
    expect(ofType(without, ASSIGNMENT)).toEqual([]);
  });

  test("application permissions are on the registration for application tokens only", async () => {
    const appOnly = the(await everything(), APPLICATION, "-app-only").body["properties"];
    expect(appOnly).not.toHaveProperty("api");
    expect(JSON.stringify(appOnly)).not.toContain('"Scope"');
    expect(await propertiesOf(everything(), ASSIGNMENT)).toContainEqual({
      principalId: "[reference('appOnlyPrincipal').id]",
      resourceId: "[reference('apis[0]').id]",
      appRoleId: ALL_USERS.id,
    });
    expect(ofType(await plain(), APPLICATION).map(({ name }) => name)).toEqual([`${SERVICE}-command-line`, SERVICE]);
  });

  test("the file that npm run registration writes fits the template", async () => {
    const policy = policySchema.parse({
      apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read", "Mail.Read"] } },
      registrations: { narrow: { clientId: CALLER } },
      callers: [
        { name: "wide", kind: "user", clientId: CALLER, flows: ["on-behalf-of"], apis: { graph: ["Mail.Read"] } },
        {
          name: "job",
          kind: "application",
          clientId: OTHER_CALLER,
          registration: "narrow",
          flows: ["on-behalf-of", "client-credentials"],
          apis: { graph: ["User.Read", ".default"] },
        },
      ],
    });
    const required = requiredRegistrations(
      policy,
      { clientId: undefined, appOnlyClientId: undefined },
      {
        graph: ["User.Read.All"],
      },
    );
    const sources = { graph: readGraphPermissions(), inFile: async () => undefined, inTenant: undefined };
    const { registrations } = await resolveRegistrations(required, sources);
    const written = templateParameters(registrations, new Map([[OTHER_CALLER, PERSON]])) as {
      parameters: Record<string, { value: unknown }>;
    };
    const parameters = Object.fromEntries(Object.entries(written.parameters).map(([name, one]) => [name, one.value]));
    expect(await refusals(TEMPLATE, { ...REQUIRED, ...parameters })).toEqual([]);
    expect((await propertiesOf(deployEntra(parameters), CONSENT)).map(({ scope }) => scope)).toEqual([
      "Mail.Read openid profile offline_access",
      "User.Read openid profile offline_access",
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
