/** The registrations as entra.bicep makes them. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DeployOptions, deploy } from "./bicep/deploy.ts";
import { TENANT_ID } from "./bicep/functions.ts";
import { readTemplate } from "./bicep/template.ts";
import { ENTRA_CLOUDS } from "./clouds.ts";
import { at, deployMain, infraFile, ofType, settingsOf } from "./scenarios.ts";

const template = readTemplate(infraFile("entra/entra.bicep"));
const SERVICE_URL = "https://tokens.example.com";
const IDENTITY = "55555555-5555-4555-8555-555555555555";
const CALLER = "66666666-6666-4666-8666-666666666666";
const deployEntra = (changes: Readonly<Record<string, unknown>> = {}, options: DeployOptions = {}) =>
  deploy(template, { serviceUrl: SERVICE_URL, managedIdentityPrincipalId: IDENTITY, ...changes }, options);

const plain = deployEntra();
const everything = deployEntra({
  graphScopes: ["User.Read", "Mail.Read"],
  preAuthorizedClientIds: ["77777777-7777-4777-8777-777777777777"],
  applicationCallers: [{ principalId: CALLER, roles: ["Exchange.Call", "Policy.Explain"] }],
  assignedPrincipalIds: ["88888888-8888-4888-8888-888888888888"],
  appOnlyGraphRoles: ["User.Read.All"],
});
const service = at(plain, "service").body as Record<string, Record<string, unknown>>;

describe("the registration", () => {
  test("issues v2 tokens for its one scope, with the claims that the service checks", () => {
    expect(service["signInAudience"]).toBe("AzureADMyOrg");
    expect(service["api"]?.["requestedAccessTokenVersion"]).toBe(2);
    expect(service["api"]?.["oauth2PermissionScopes"]).toEqual([
      expect.objectContaining({ value: "access_as_user", isEnabled: true }),
    ]);
    const claims = service["optionalClaims"]?.["accessToken"] as { name: string }[];
    expect(claims.map(({ name }) => name)).toEqual(["idtyp", "xms_cc", "acct"]);
    expect(claims[0]).toHaveProperty("additionalProperties", ["include_user_token"]);
  });

  test("has the app roles of the service", () => {
    const roles = at(plain, "service").body["appRoles"] as {
      value: string;
      allowedMemberTypes: string[];
      id: string;
    }[];
    expect(roles.map(({ value, allowedMemberTypes }) => [value, allowedMemberTypes])).toEqual([
      ["Exchange.Call", ["Application"]],
      ["Grant.Create", ["Application", "User"]],
      ["Policy.Explain", ["Application", "User"]],
    ]);
    expect(new Set(roles.map(({ id }) => id)).size).toBe(3);
  });

  test("sends browsers back to one address only and issues nothing from the authorization endpoint", () => {
    expect(service["web"]).toEqual({
      homePageUrl: SERVICE_URL,
      redirectUris: [`${SERVICE_URL}/oauth2/callback`],
      implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false },
    });
    expect(service["isFallbackPublicClient"]).toBe(false);
    expect(service["publicClient"]).toBeUndefined();
    expect(service["identifierUris"]).toEqual([`api://${TENANT_ID}/graph-token-exchange`]);
    expect(plain.outputs["scope"]).toBe(`api://${TENANT_ID}/graph-token-exchange/access_as_user`);
  });

  test("has the App ID URI that main.bicep tells the service, unless a name of its own is given", () => {
    expect(plain.outputs["appIdUri"]).toBe(`api://${TENANT_ID}/graph-token-exchange`);
    expect(settingsOf(deployMain())["APP_ID_URI"]).toBe(plain.outputs["appIdUri"]);
    const { appIdUri } = deployEntra({ uniqueName: "gte-mail" }).outputs;
    expect(appIdUri).toBe(`api://${TENANT_ID}/gte-mail`);
    expect(settingsOf(deployMain({ appIdUri }))["APP_ID_URI"]).toBe(appIdUri);
  });

  test("is locked, and only assigned people and applications get tokens for it", () => {
    for (const application of ofType(everything, "Microsoft.Graph/applications")) {
      expect(application.body["servicePrincipalLockConfiguration"]).toEqual({ isEnabled: true, allProperties: true });
      expect(application.body["passwordCredentials"]).toBeUndefined();
    }
    expect(at(plain, "servicePrincipal").body).toMatchObject({ appRoleAssignmentRequired: true });
  });

  test("is used by the command line without asking each user", () => {
    const preAuthorized = service["api"]?.["preAuthorizedApplications"] as { appId: string }[];
    expect(preAuthorized.map(({ appId }) => appId)).toEqual(["«commandLine.appId»"]);
    expect(at(plain, "commandLine").body).toMatchObject({
      isFallbackPublicClient: true,
      publicClient: { redirectUris: ["http://localhost"] },
    });
    const without = deployEntra({ registerCommandLineClient: false });
    expect(at(without, "service").body).toHaveProperty("api.preAuthorizedApplications", []);
    expect(ofType(without, "Microsoft.Graph/applications")).toHaveLength(1);
  });
});

describe("the managed identity as credential", () => {
  test.each(ENTRA_CLOUDS)("has the audience of the cloud: %s", (environment, audience, login) => {
    const deployment = deployEntra({}, { environment });
    expect(at(deployment, "federation").body).toMatchObject({
      name: "graph-token-exchange/managed-identity",
      audiences: [audience],
      issuer: `${login}${TENANT_ID}/v2.0`,
      subject: IDENTITY,
    });
  });

  test("stands for the second registration too", () => {
    expect(at(everything, "appOnlyFederation").body).toMatchObject({ subject: IDENTITY });
  });

  test("is left out without an identity", () => {
    const without = deployEntra({ managedIdentityPrincipalId: "" });
    expect(ofType(without, "Microsoft.Graph/applications/federatedIdentityCredentials")).toEqual([]);
  });
});

describe("permissions", () => {
  test("are consented to for everybody, or left to an administrator", () => {
    expect(at(everything, "consent").body).toEqual({
      clientId: "«servicePrincipal.id»",
      resourceId: "«graph.id»",
      consentType: "AllPrincipals",
      scope: "User.Read Mail.Read",
    });
    const without = deployEntra({ grantConsent: false, appOnlyGraphRoles: ["User.Read.All"] });
    expect(ofType(without, "Microsoft.Graph/oauth2PermissionGrants")).toEqual([]);
    expect(ofType(without, "Microsoft.Graph/appRoleAssignedTo")).toEqual([]);
  });

  test("application tokens come from a registration of their own", () => {
    expect(at(everything, "appOnly").body).not.toHaveProperty("api");
    expect(JSON.stringify(at(everything, "appOnly").body)).not.toContain('"Scope"');
    expect(at(everything, "appOnlyConsent[0]").body).toMatchObject({ principalId: "«appOnlyPrincipal.id»" });
    expect(ofType(plain, "Microsoft.Graph/applications").map(({ path }) => path)).not.toContain("appOnly");
  });

  test("callers get the roles that are written, people nothing but access", () => {
    const roles = at(everything, "service").body["appRoles"] as { id: string }[];
    expect([at(everything, "callers[0]").body, at(everything, "callers[1]").body]).toEqual([
      { principalId: CALLER, resourceId: "«servicePrincipal.id»", appRoleId: roles[0]?.id },
      { principalId: CALLER, resourceId: "«servicePrincipal.id»", appRoleId: roles[2]?.id },
    ]);
    expect(at(everything, "people[0]").body).toMatchObject({ appRoleId: "00000000-0000-0000-0000-000000000000" });
  });

  test("an unknown role stops the deployment", () => {
    expect(() => deployEntra({ applicationCallers: [{ principalId: CALLER, roles: ["Owner"] }] })).toThrow(
      "applicationCallers[0].roles[0]",
    );
  });
});

describe("entra-by-hand.md", () => {
  const byHand = readFileSync(infraFile("entra-by-hand.md"), "utf8");

  test("says the same: every id, scope, role and text of the template", () => {
    const { api, appRoles, optionalClaims } = at(plain, "service").body as Record<string, Record<string, unknown>>;
    const texts = [api?.["oauth2PermissionScopes"], appRoles, optionalClaims].flatMap(textsIn);
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => !byHand.includes(text))).toEqual([]);
  });

  test("knows the clouds", () => {
    for (const [, audience] of ENTRA_CLOUDS) {
      expect(byHand).toContain(`audience=${audience} `);
    }
  });
});

function textsIn(holder: unknown): string[] {
  if (typeof holder === "string") {
    return [holder];
  }
  return typeof holder === "object" && holder !== null ? Object.values(holder).flatMap(textsIn) : [];
}

describe("the Graph extension", () => {
  test("cannot make passwords, and none is asked for", () => {
    expect(template.text).not.toMatch(/passwordCredentials|addPassword/);
  });
});
