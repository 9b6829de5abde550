/**
 * MSAL Node, unmodified, against the local tenant, for every flow of the service.
 */
import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";
import { afterEach, expect, test } from "vitest";
import { CLIENT_IDS, TENANT_ID } from "../../../local/tenant/directory/seed-ids.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { passwordOf, secretOf, send } from "./tenant-client.ts";

const tenant = useTenant();
const GRAPH_SCOPE = "https://graph.microsoft.com/User.Read";

afterEach(() => {
  tenant.state.clearOrders();
  tenant.state.clearRequirements();
  tenant.state.clearLog();
});

function confidential(name: "service" | "daemon" | "appOnly", clientCapabilities: string[] = []) {
  const { host } = new URL(tenant.url);
  return new ConfidentialClientApplication({
    auth: {
      clientId: CLIENT_IDS[name],
      clientSecret: secretOf(tenant, name),
      authority: `${tenant.url}/${TENANT_ID}`,
      knownAuthorities: [host],
      clientCapabilities,
    },
  });
}

test("on-behalf-of through MSAL: the answer names the user and contains every consented scope", async () => {
  const result = await confidential("service").acquireTokenOnBehalfOf({
    oboAssertion: tenant.state.mintUserToken({ user: "alice" }),
    scopes: [GRAPH_SCOPE],
  });
  expect(result?.account?.username).toBe("alice@contoso.local");
  expect(result?.scopes).toContain("https://graph.microsoft.com/Mail.Read");
  const me = await send(`${tenant.url}/v1.0/me`, { headers: { authorization: `Bearer ${result?.accessToken}` } });
  expect(me.body["userPrincipalName"]).toBe("alice@contoso.local");
  expect(tenant.state.requestCounts()["token:on-behalf-of"]).toBe(1);
});

test("password and then refresh through MSAL: the old refresh token stays usable (E-91)", async () => {
  const app = new PublicClientApplication({
    auth: {
      clientId: CLIENT_IDS.cli,
      authority: `${tenant.url}/${TENANT_ID}`,
      knownAuthorities: [new URL(tenant.url).host],
    },
  });
  const scopes = [`api://${CLIENT_IDS.service}/access_as_user`];
  const first = await app.acquireTokenByUsernamePassword({
    scopes,
    username: "bob@contoso.local",
    password: passwordOf(tenant, "bob"),
  });
  expect(first?.scopes).toEqual(scopes);
  const refreshToken = /"secret":"(1\.AX[^"]+)"/.exec(app.getTokenCache().serialize())?.[1] ?? "";
  for (const round of [1, 2]) {
    const again = await app.acquireTokenByRefreshToken({ refreshToken, scopes });
    expect(again?.account?.homeAccountId, `round ${round}`).toBe(first?.account?.homeAccountId);
  }
});

test("authorization code with PKCE through MSAL", async () => {
  const codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  const redirectUri = "http://localhost:7071/oauth2/callback";
  const code = tenant.state.issueCode({
    user: "alice",
    client: "service",
    redirectUri,
    scope: `${GRAPH_SCOPE} openid profile offline_access`,
    codeChallenge,
    codeChallengeMethod: "S256",
  });
  const result = await confidential("service").acquireTokenByCode({
    code,
    redirectUri,
    scopes: [GRAPH_SCOPE],
    codeVerifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  });
  expect(result.account?.username).toBe("alice@contoso.local");
});

test("client credentials through MSAL", async () => {
  const result = await confidential("appOnly").acquireTokenByClientCredential({
    scopes: ["https://graph.microsoft.com/.default"],
  });
  const users = await send(`${tenant.url}/v1.0/users`, { headers: { authorization: `Bearer ${result?.accessToken}` } });
  expect(users.status).toBe(200);
});

test("MSAL gets a long-lived Graph token with refreshOn for declared capabilities (E-39)", async () => {
  const result = await confidential("service", ["CP1"]).acquireTokenOnBehalfOf({
    oboAssertion: tenant.state.mintUserToken(),
    scopes: [GRAPH_SCOPE],
  });
  const seconds = ((result?.expiresOn?.getTime() ?? 0) - Date.now()) / 1000;
  expect(seconds).toBeGreaterThan(19 * 3_600);
  expect(result?.refreshOn).toBeInstanceOf(Date);
});

test("MSAL receives the complete claims challenge, and a token that satisfies the claims is accepted (CC-3)", async () => {
  const claims = '{"access_token":{"capolids":{"essential":true,"values":["c0a1b000-0000-4000-8000-00000000000f"]}}}';
  tenant.state.requireClaims({ user: "alice", claims });
  const exchange = (oboAssertion: string) =>
    confidential("service").acquireTokenOnBehalfOf({ oboAssertion, scopes: [GRAPH_SCOPE] });
  await expect(exchange(tenant.state.mintUserToken())).rejects.toMatchObject({ claims, subError: "basic_action" });
  const satisfied = tenant.state.mintUserToken({ satisfied: ["capolids:c0a1b000-0000-4000-8000-00000000000f"] });
  expect((await exchange(satisfied))?.accessToken).toBeTypeOf("string");
});
