/**
 * Unmodified clients that can send only a client id and a secret, or a private_key_jwt: simple-oauth2, openid-client with
 * default discovery, oauth4webapi. And the requests of gateways that are not on npm, byte for byte as their sources build
 * them (docs/facts.md, GW-1 to GW-3). The policy is the one of docs/gateways.md.
 */
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { ClientCredentials, type ModuleOptions } from "simple-oauth2";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_IDS } from "../../local/tenant/directory/seed-ids.ts";
import { GATEWAY_POLICY } from "../docs/support/run-snippet.ts";
import { ACCESS_TOKEN, JWT_BEARER, TOKEN_EXCHANGE } from "../support/callers.ts";
import { registerCertificate, type Signer, secretOf } from "../support/own-credentials.ts";
import { type RelyingParty, startRelyingParty, USER_READ } from "./support/relying-party.ts";

const APP_SCOPE = "https://graph.microsoft.com/.default";
let party: RelyingParty;
beforeAll(async () => {
  party = await startRelyingParty({ POLICY: GATEWAY_POLICY });
});
afterEach(() => party.stack.tenant.state.reset());
afterAll(() => party.stack.stop());

const secret = () => secretOf(party.stack, "daemon");
const subject = () => ({
  subject_token: party.userToken("alice"),
  subject_token_type: ACCESS_TOKEN,
  audience: "graph",
});

describe("simple-oauth2", () => {
  const simple = (options: ModuleOptions["options"], value = secret()) =>
    new ClientCredentials({
      client: { id: CLIENT_IDS.daemon, secret: value },
      auth: { tokenHost: party.serviceUrl.href, tokenPath: "/oauth2/token" },
      ...(options === undefined ? {} : { options }),
    });

  test.each<[string, ModuleOptions["options"]]>([
    ["by Basic, its default", undefined],
    ["by Basic without form-urlencoding", { credentialsEncodingMode: "loose" }],
    ["in the body", { authorizationMethod: "body" }],
  ])("gets an application token with client id and secret %s", async (_title, options) => {
    const { token } = await simple(options).getToken({ scope: APP_SCOPE });
    expect(token).toMatchObject({ token_type: "Bearer", access_token: expect.stringMatching(/^eyJ/) });
  });

  test("reports a wrong secret as invalid_client with status 401", async () => {
    const refused = simple(undefined, "wrong-secret-wrong-secret").getToken({ scope: APP_SCOPE });
    await expect(refused).rejects.toMatchObject({
      output: { statusCode: 401 },
      data: { payload: { error: "invalid_client", code: "client_secret_refused" } },
    });
  });
});

/** `aud` and the thumbprint that Entra requires; everything else is the library's. */
const forEntra =
  ({ thumbprint }: Signer) =>
  (header: Record<string, unknown>, payload: Record<string, unknown>) => {
    payload["aud"] = `${party.stack.environment.authority}/oauth2/v2.0/token`;
    header["x5t#S256"] = thumbprint;
  };
const cryptoKey = ({ privateKey }: Signer) =>
  crypto.subtle.importKey(
    "pkcs8",
    privateKey.export({ type: "pkcs8", format: "der" }),
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    false,
    ["sign"],
  );

describe("openid-client with its default discovery (openid-configuration)", () => {
  const discover = (authentication?: client.ClientAuth) =>
    client.discovery(party.serviceUrl, CLIENT_IDS.daemon, secret(), authentication, {
      execute: [client.allowInsecureRequests],
    });

  test.each([
    ["ClientSecretPost, its default", () => undefined],
    ["ClientSecretBasic", () => client.ClientSecretBasic(secret())],
  ])("exchanges a user's token with %s", async (_title, authentication) => {
    const token = await client.genericGrantRequest(await discover(authentication()), TOKEN_EXCHANGE, subject());
    expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
  });

  test("exchanges a user's token with PrivateKeyJwt", async () => {
    const signer = registerCertificate(party.stack, "daemon");
    const key = await cryptoKey(signer);
    const authentication = client.PrivateKeyJwt(key, { [client.modifyAssertion]: forEntra(signer) });
    const token = await client.genericGrantRequest(await discover(authentication), TOKEN_EXCHANGE, subject());
    expect(await party.whoIs(token.access_token)).toBe("alice@contoso.local");
  });

  test("GW-5: its PrivateKeyJwt without changes is for this service, which Entra would refuse", async () => {
    const key = await cryptoKey(registerCertificate(party.stack, "daemon"));
    const configuration = await discover(client.PrivateKeyJwt(key));
    await expect(client.genericGrantRequest(configuration, TOKEN_EXCHANGE, subject())).rejects.toMatchObject({
      status: 401,
    });
  });
});

test("oauth4webapi: default discovery, and client credentials with ClientSecretBasic", async () => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const response = await oauth.discoveryRequest(party.serviceUrl, insecure);
  const server = await oauth.processDiscoveryResponse(party.serviceUrl, response);
  expect(server.token_endpoint_auth_methods_supported).toEqual(
    expect.arrayContaining(["client_secret_basic", "client_secret_post", "private_key_jwt"]),
  );
  const gateway: oauth.Client = { client_id: CLIENT_IDS.daemon };
  const authentication = oauth.ClientSecretBasic(secret());
  const params = { scope: APP_SCOPE };
  const answer = await oauth.clientCredentialsGrantRequest(server, gateway, authentication, params, insecure);
  const token = await oauth.processClientCredentialsResponse(server, gateway, answer);
  expect(token).toMatchObject({ token_type: "bearer", access_token: expect.stringMatching(/^eyJ/) });
});

describe("requests as the sources of gateways build them", () => {
  interface Replayed {
    readonly headers?: Record<string, string>;
    /** In the order of the source. */
    readonly form: readonly (readonly [string, string])[];
  }
  async function replay({ headers = {}, form }: Replayed) {
    const body = new URLSearchParams(form.map(([name, value]): [string, string] => [name, value]));
    const answer = await fetch(new URL("/oauth2/token", party.serviceUrl), {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: body.toString(),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }
  const basic = (id: string, value: string) =>
    `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(value)}`)}`;
  const exchange = (): (readonly [string, string])[] => [
    ["grant_type", TOKEN_EXCHANGE],
    ["subject_token", party.userToken("alice")],
    ["subject_token_type", ACCESS_TOKEN],
  ];
  const accept = { accept: "application/json" };

  test.each<[string, () => Replayed]>([
    [
      "GW-1: LiteLLM, client_secret_post, with a secret that is ignored",
      () => ({
        form: [
          ...exchange(),
          ["client_id", CLIENT_IDS.web],
          ["client_secret", "not-a-secret"],
          ["audience", "graph"],
          ["scope", "User.Read"],
        ],
      }),
    ],
    [
      "GW-1: LiteLLM, client_secret_basic, with its own secret",
      () => ({
        headers: { authorization: basic(CLIENT_IDS.daemon, secret()) },
        form: [...exchange(), ["audience", "graph"], ["scope", "User.Read"]],
      }),
    ],
    [
      "GW-2: agentgateway without client authentication",
      () => ({ headers: accept, form: [...exchange(), ["audience", "graph"], ["scope", "User.Read"]] }),
    ],
    [
      "GW-2: agentgateway with its own secret by Basic, an actor token and requested_token_type",
      () => ({
        headers: { ...accept, authorization: basic(CLIENT_IDS.daemon, secret()) },
        form: [
          ...exchange(),
          ["actor_token", party.stack.tenant.state.mintAppToken({ client: "daemon" })],
          ["actor_token_type", ACCESS_TOKEN],
          ["requested_token_type", ACCESS_TOKEN],
          ["audience", "graph"],
          ["scope", "User.Read"],
          ["resource", "https://graph.microsoft.com"],
        ],
      }),
    ],
    [
      "GW-2: agentgateway, jwtBearer with additionalParams",
      () => ({
        headers: accept,
        form: [
          ["grant_type", JWT_BEARER],
          ["assertion", party.userToken("alice")],
          ["scope", USER_READ],
          ["requested_token_use", "on_behalf_of"],
          ["client_id", CLIENT_IDS.daemon],
          ["client_secret", secret()],
        ],
      }),
    ],
    [
      "GW-3: LibreChat, the exchange of openid-client",
      () => ({
        headers: accept,
        form: [
          ["scope", USER_READ],
          ["assertion", party.userToken("alice")],
          ["requested_token_use", "on_behalf_of"],
          ["grant_type", JWT_BEARER],
          ["client_id", CLIENT_IDS.daemon],
          ["client_secret", secret()],
        ],
      }),
    ],
  ])("%s: the service answers with a token of Graph for the user", async (_title, request) => {
    const { status, body } = await replay(request());
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { token_type: "Bearer", expires_in: expect.any(Number) },
    });
    expect(await party.whoIs(String(body["access_token"]))).toBe("alice@contoso.local");
  });
});
