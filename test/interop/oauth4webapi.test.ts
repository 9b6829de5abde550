/** oauth4webapi, unmodified, against the whole stack: every grant a backend uses, each answer checked by the library. */
import * as oauth from "oauth4webapi";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_IDS } from "../../local/tenant/directory/seed-ids.ts";
import { CLIENT_ID, type RelyingParty, startRelyingParty, USER_READ } from "./support/relying-party.ts";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
/** The local stack speaks plain http on loopback; nothing else about the library is changed. */
const insecure = { [oauth.allowInsecureRequests]: true };
const client: oauth.Client = { client_id: CLIENT_ID };

let party: RelyingParty;
let server: oauth.AuthorizationServer;
let authenticate: oauth.ClientAuth;

beforeAll(async () => {
  party = await startRelyingParty();
  authenticate = party.authenticate;
  const response = await oauth.discoveryRequest(party.serviceUrl, { algorithm: "oauth2", ...insecure });
  server = await oauth.processDiscoveryResponse(party.serviceUrl, response);
});
afterEach(() => party.stack.tenant.state.reset());
afterAll(() => party.stack.stop());

interface Pushed {
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
}

async function push(changes: Record<string, string> = {}): Promise<Pushed> {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const params = {
    response_type: "code",
    redirect_uri: party.redirectUri,
    scope: `${USER_READ} offline_access`,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...changes,
  };
  const response = await oauth.pushedAuthorizationRequest(server, client, authenticate, params, insecure);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, response);
  const url = new URL(server.authorization_endpoint ?? "");
  url.search = new URLSearchParams({ client_id: CLIENT_ID, request_uri }).toString();
  return { url, verifier, state };
}

async function redeem(returned: URL, { verifier, state }: Pushed): Promise<oauth.TokenEndpointResponse> {
  const answer = oauth.validateAuthResponse(server, client, returned, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authenticate,
    answer,
    party.redirectUri,
    verifier,
    insecure,
  );
  return oauth.processAuthorizationCodeResponse(server, client, response);
}

async function grant(type: string, params: Record<string, string>): Promise<oauth.TokenEndpointResponse> {
  const response = await oauth.genericTokenEndpointRequest(server, client, authenticate, type, params, insecure);
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

async function refresh(handle: string): Promise<oauth.TokenEndpointResponse> {
  const response = await oauth.refreshTokenGrantRequest(server, client, authenticate, handle, insecure);
  return oauth.processRefreshTokenResponse(server, client, response);
}

test("discovery (RFC 8414): the library takes the document as it is", () => {
  expect(server).toMatchObject({
    issuer: party.stack.environment.serviceUrl,
    require_pushed_authorization_requests: true,
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ["S256"],
  });
});

describe("pushed request and code (RFC 9126, 6749, 7636, 9207)", () => {
  test("a person signs in, the code becomes a token, and a grant for later", async () => {
    const pushed = await push();
    const token = await redeem(await party.signIn(pushed.url), pushed);
    expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
    expect(token).toMatchObject({ token_type: "bearer", refresh_token: expect.stringMatching(/^gte_/) });
  });

  test("the person declines: access_denied, with our iss", async () => {
    const pushed = await push({ prompt: "consent" });
    const returned = await party.signIn(pushed.url, { consent: "cancel" });
    expect(returned.searchParams.get("iss")).toBe(server.issuer);
    expect(() => oauth.validateAuthResponse(server, client, returned, pushed.state)).toThrow(
      expect.objectContaining({ error: "access_denied" }),
    );
  });

  test("a code is used once; a wrong verifier opens nothing", async () => {
    const pushed = await push();
    const returned = await party.signIn(pushed.url);
    const stolen = { ...pushed, verifier: oauth.generateRandomCodeVerifier() };
    await expect(redeem(returned, stolen)).rejects.toMatchObject({ error: "invalid_grant" });
    await redeem(returned, pushed);
    await expect(redeem(returned, pushed)).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("a redirect URI that policy does not list is refused at the push", async () => {
    await expect(push({ redirect_uri: "https://elsewhere.example/" })).rejects.toMatchObject({
      cause: { error: expect.stringMatching(/^(invalid_request|unauthorized_client)$/) },
    });
  });
});

describe("token endpoint", () => {
  test("token exchange (RFC 8693)", async () => {
    const token = await grant(TOKEN_EXCHANGE, {
      subject_token: party.userToken("bob"),
      subject_token_type: ACCESS_TOKEN_TYPE,
      audience: "graph",
    });
    expect(token["issued_token_type"]).toBe(ACCESS_TOKEN_TYPE);
    expect(await party.whoIs(token.access_token)).toBe("bob@contoso.local");
  });

  test("jwt-bearer (RFC 7523), as Entra's clients send it", async () => {
    const assertion = party.userToken("alice");
    const token = await grant(JWT_BEARER, { assertion, requested_token_use: "on_behalf_of", scope: USER_READ });
    expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
  });

  test("refresh: the handle stays the same, and works until it is revoked (RFC 7009)", async () => {
    const pushed = await push();
    const { refresh_token: handle = "" } = await redeem(await party.signIn(pushed.url), pushed);
    const token = await refresh(handle);
    expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
    expect(token.refresh_token ?? handle).toBe(handle);
    const revoked = await oauth.revocationRequest(server, client, authenticate, handle, insecure);
    await expect(oauth.processRevocationResponse(revoked)).resolves.toBeUndefined();
    await expect(refresh(handle)).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("refusals come through as the library's own errors: subject, scope, grant type, claims", async () => {
    const subject = { subject_token: "x.y.z", subject_token_type: ACCESS_TOKEN_TYPE, audience: "graph" };
    await expect(grant(TOKEN_EXCHANGE, subject)).rejects.toMatchObject({ error: "invalid_request", status: 400 });
    const assertion = party.userToken("alice");
    const onBehalfOf = { assertion, requested_token_use: "on_behalf_of", scope: USER_READ };
    const wide = { ...onBehalfOf, scope: "https://graph.microsoft.com/Files.Read" };
    await expect(grant(JWT_BEARER, wide)).rejects.toMatchObject({ error: "invalid_scope" });
    await expect(grant("password", {})).rejects.toMatchObject({ error: "unsupported_grant_type" });
    const { claims } = party.stack.tenant.state.requireClaims({ user: "alice" });
    await expect(grant(JWT_BEARER, onBehalfOf)).rejects.toMatchObject({
      error: "interaction_required",
      cause: { claims, action: "sign_in" },
    });
  });

  test("an assertion that the client signed itself (private_key_jwt) is not promised, and refused", async () => {
    expect(server.token_endpoint_auth_methods_supported).not.toContain("private_key_jwt");
    const { privateKey } = await oauth.generateKeyPair("RS256");
    const own = oauth.PrivateKeyJwt(privateKey);
    const params = { scope: "https://graph.microsoft.com/.default" };
    const response = await oauth.clientCredentialsGrantRequest(server, client, own, params, insecure);
    const refusal = oauth.processClientCredentialsResponse(server, client, response);
    await expect(refusal).rejects.toMatchObject({ status: 401 });
  });

  test("client_credentials, by the application that is entitled to it", async () => {
    const reports: oauth.Client = { client_id: CLIENT_IDS.reports };
    const assertion = party.stack.tenant.state.mintAppToken({ client: "reports", clientAuth: "1" });
    const clientAuthentication: oauth.ClientAuth = (_server, { client_id }, body) => {
      body.set("client_id", client_id);
      body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      body.set("client_assertion", assertion);
    };
    const params = { scope: "https://graph.microsoft.com/.default" };
    const response = await oauth.clientCredentialsGrantRequest(server, reports, clientAuthentication, params, insecure);
    const token = await oauth.processClientCredentialsResponse(server, reports, response);
    expect(token).toMatchObject({ token_type: "bearer", access_token: expect.stringMatching(/^eyJ/) });
  });

  test("a client that is not who it says: 401 with a challenge that the library can read", async () => {
    const forged: oauth.ClientAuth = (_server, _client, body, headers) => {
      body.set("client_id", CLIENT_ID);
      headers.set("authorization", "Bearer not.a.token");
    };
    const params = { subject_token: "x", subject_token_type: ACCESS_TOKEN_TYPE };
    const response = await oauth.genericTokenEndpointRequest(server, client, forged, TOKEN_EXCHANGE, params, insecure);
    const refusal = oauth.processGenericTokenEndpointResponse(server, client, response);
    await expect(refusal).rejects.toMatchObject({
      status: 401,
      cause: [{ scheme: "bearer", parameters: { error: "invalid_token" } }],
    });
  });
});

test("protected resource metadata (RFC 9728): Entra is where tokens for the service come from", async () => {
  const response = await oauth.resourceDiscoveryRequest(party.serviceUrl, insecure);
  const resource = await oauth.processResourceDiscoveryResponse(party.serviceUrl, response);
  expect(resource.authorization_servers).toEqual([`${party.stack.environment.authority}/v2.0`]);
});
