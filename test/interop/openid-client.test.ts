/** Unmodified openid-client against the whole stack: the same flows through its higher-level functions. */
import * as client from "openid-client";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CLIENT_ID, type RelyingParty, startRelyingParty, USER_READ } from "./support/relying-party.ts";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

let party: RelyingParty;
let configuration: client.Configuration;

beforeAll(async () => {
  party = await startRelyingParty();
  configuration = await client.discovery(party.serviceUrl, CLIENT_ID, undefined, party.authenticate, {
    algorithm: "oauth2",
    execute: [client.allowInsecureRequests], // The local stack uses http on loopback.
  });
});
afterEach(() => party.stack.tenant.state.reset());
afterAll(() => party.stack.stop());

async function codeFlow(): Promise<{ returned: URL; checks: client.AuthorizationCodeGrantChecks }> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = await client.buildAuthorizationUrlWithPAR(configuration, {
    redirect_uri: party.redirectUri,
    scope: `${USER_READ} offline_access`,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  expect([...url.searchParams.keys()].sort()).toEqual(["client_id", "request_uri"]);
  return { returned: await party.signIn(url), checks: { pkceCodeVerifier, expectedState } };
}

test("a pushed request, its code, a refresh and the revocation succeed", async () => {
  const { returned, checks } = await codeFlow();
  const token = await client.authorizationCodeGrant(configuration, returned, checks);
  expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
  expect(token.expiresIn()).toBeGreaterThan(3_000);
  const handle = token.refresh_token ?? "";
  const again = await client.refreshTokenGrant(configuration, handle, { scope: USER_READ });
  expect(await party.whoIs(again.access_token)).toBe("alice@contoso.local");
  await client.tokenRevocation(configuration, handle, { token_type_hint: "refresh_token" });
  await expect(client.refreshTokenGrant(configuration, handle)).rejects.toMatchObject({ error: "invalid_grant" });
});

test("the library refuses a response with another issuer (RFC 9207) or another state", async () => {
  const { returned, checks } = await codeFlow();
  const elsewhere = new URL(returned);
  elsewhere.searchParams.set("iss", "https://elsewhere.example");
  await expect(client.authorizationCodeGrant(configuration, elsewhere, checks)).rejects.toThrow();
  const other = { ...checks, expectedState: client.randomState() };
  await expect(client.authorizationCodeGrant(configuration, returned, other)).rejects.toThrow();
  const token = await client.authorizationCodeGrant(configuration, returned, checks);
  expect(token.access_token).toBeTypeOf("string");
});

test("token exchange (RFC 8693)", async () => {
  const token = await client.genericGrantRequest(configuration, TOKEN_EXCHANGE, {
    subject_token: party.userToken("bob"),
    subject_token_type: ACCESS_TOKEN_TYPE,
    resource: "https://graph.microsoft.com",
  });
  expect(await party.whoIs(token.access_token)).toBe("bob@contoso.local");
});

test("jwt-bearer (RFC 7523)", async () => {
  const token = await client.genericGrantRequest(configuration, JWT_BEARER, {
    assertion: party.userToken("alice"),
    requested_token_use: "on_behalf_of",
    scope: USER_READ,
  });
  expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
});

test("the library reports a refusal as ResponseBodyError with the members of the service in its cause", async () => {
  const request = client.genericGrantRequest(configuration, JWT_BEARER, {
    assertion: party.userToken("carol"),
    requested_token_use: "on_behalf_of",
    scope: USER_READ,
  });
  await expect(request).rejects.toMatchObject({
    error: "invalid_grant",
    status: 400,
    cause: { suberror: "consent_required", action: expect.any(String), correlation_id: expect.any(String) },
  });
});
