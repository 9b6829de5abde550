/** What an administrator reads in the tenant's part of Graph: service principals, consent and app role assignments. */
import { describe, expect, test } from "vitest";
import { CLIENT_IDS, OBJECT_IDS, USER_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { send } from "./tenant-client.ts";

const tenant = useTenant();

function get(path: string, scopes = ["Directory.Read.All"]) {
  const token = tenant.state.mintUserToken({ user: "erin", resource: "graph", scopes });
  return send(`${tenant.url}/v1.0/servicePrincipals${path}`, { headers: { authorization: `Bearer ${token}` } });
}

const filter = (text: string) => get(`?$filter=${encodeURIComponent(text)}`);

describe("GET /v1.0/servicePrincipals", () => {
  test.each([
    `servicePrincipalNames/any(n:n eq 'https://graph.microsoft.com')`,
    `servicePrincipalNames/any(name: name eq '${CLIENT_IDS.graph}')`,
    `appId eq '${CLIENT_IDS.graph}'`,
    `id eq '${OBJECT_IDS.graph}'`,
  ])("finds Microsoft Graph by %s, with the ids that Microsoft gives its permissions", async (text) => {
    const { status, body } = await filter(text);
    expect(status).toBe(200);
    expect(body["value"]).toEqual([
      expect.objectContaining({
        id: OBJECT_IDS.graph,
        appId: CLIENT_IDS.graph,
        oauth2PermissionScopes: expect.arrayContaining([
          expect.objectContaining({ value: "Mail.Read", id: "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", type: "User" }),
          expect.objectContaining({ value: "User.Read.All", type: "Admin" }),
        ]),
        appRoles: expect.arrayContaining([
          expect.objectContaining({ value: "User.Read.All", id: "df021288-bdef-4463-88db-98f22de89214" }),
        ]),
      }),
    ]);
  });

  test("a filter compares a name exactly, also one slash at the end", async () => {
    expect((await filter("servicePrincipalNames/any(n:n eq 'https://graph.microsoft.com/')")).body["value"]).toEqual(
      [],
    );
    expect((await filter("servicePrincipalNames/any(n:n eq 'it''s')")).body["value"]).toEqual([]);
  });

  test.each(["displayName eq 'Microsoft Graph'", "appId eq", ""])("the filter %j is refused", async (text) => {
    const { status, body } = await filter(text);
    expect([status, body["error"]]).toEqual([400, expect.objectContaining({ code: "Request_UnsupportedQuery" })]);
  });

  test("a token without a permission to read the directory is refused", async () => {
    const { status, body } = await get("", ["User.Read"]);
    expect([status, body["error"]]).toEqual([403, expect.objectContaining({ code: "Authorization_RequestDenied" })]);
  });
});

describe("the collections of a service principal", () => {
  test("oauth2PermissionGrants has the consent of persons and of administrators", async () => {
    const { body } = await get(`/${OBJECT_IDS.service}/oauth2PermissionGrants`);
    expect(body["value"]).toContainEqual({
      id: expect.stringMatching(/^[\w-]{43}$/),
      clientId: OBJECT_IDS.service,
      consentType: "Principal",
      principalId: USER_IDS.alice,
      resourceId: OBJECT_IDS.orders,
      scope: "Orders.Read",
    });
    const all = (await get(`/${OBJECT_IDS.web}/oauth2PermissionGrants`)).body["value"];
    expect(all).toContainEqual(
      expect.objectContaining({ consentType: "AllPrincipals", principalId: null, scope: "access_as_user" }),
    );
  });

  test("appRoleAssignments has the roles that it holds, and appRoleAssignedTo the roles that others hold", async () => {
    const role = { appRoleId: "df021288-bdef-4463-88db-98f22de89214", principalId: OBJECT_IDS.appOnly };
    const held = (await get(`/${OBJECT_IDS.appOnly}/appRoleAssignments`)).body["value"];
    expect(held).toEqual([expect.objectContaining({ ...role, resourceId: OBJECT_IDS.graph })]);
    const given = (await get(`/${OBJECT_IDS.service}/appRoleAssignedTo`)).body["value"];
    expect(given).toContainEqual(
      expect.objectContaining({ principalId: OBJECT_IDS.daemon, principalType: "ServicePrincipal" }),
    );
    expect(given).toContainEqual(expect.objectContaining({ principalId: USER_IDS.erin, principalType: "User" }));
  });

  test("an unknown object or collection is refused", async () => {
    expect((await get("/99999999-9999-4999-8999-999999999999/oauth2PermissionGrants")).status).toBe(404);
    expect((await get(`/${OBJECT_IDS.service}/owners`)).status).toBe(400);
  });
});
