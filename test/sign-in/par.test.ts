/** `POST /oauth2/par`: RFC 9126, RFC 6749 section 4.1.1, RFC 7636 section 4, SEC-6 (redirect URIs), SEC-7 (PKCE). */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, clientAssertion, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";
import { newPkce, parForm, REDIRECT_URI } from "./support/sign-in.ts";

const { world, service } = useWorld();

const push = (changes: Record<string, string | undefined>, token = appToken(service)) =>
  service.call("/oauth2/par", { form: parForm(newPkce(), changes), headers: bearer(token) });

test("POST /oauth2/par returns 201, an opaque request_uri and its lifetime (RFC 9126 section 2.2)", async () => {
  const answer = await push({});
  expect(answer.status).toBe(201);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.json()).toEqual({
    request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/),
    expires_in: 60,
  });
  expect(service.lastEvent()).toMatchObject({
    route: "par",
    outcome: "answered",
    flow: "authorization-code",
    policyEntry: "web-backend",
    api: "graph",
    scopesAsked: ["Mail.Read", "User.Read"],
  });
});

test("POST /oauth2/par accepts a client assertion (RFC 9126 section 2)", async () => {
  const form = { ...parForm(newPkce()), ...clientAssertion(appToken(service)) };
  expect((await service.call("/oauth2/par", { form })).status).toBe(201);
});

test("POST /oauth2/par accepts prompt=none without offline_access", async () => {
  expect((await push({ prompt: "none" })).status).toBe(201);
});

test("POST /oauth2/par accepts state, hints and claims", async () => {
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
  const hints = { prompt: "login", login_hint: "zoë@contoso.local", domain_hint: "contoso.local", claims };
  expect((await push({ ...hints, state: "x".repeat(512), scope: undefined })).status).toBe(201);
});

describe("POST /oauth2/par refuses", () => {
  const refused: [string, Record<string, string | undefined>, string, string?][] = [
    ["a missing response_type", { response_type: undefined }, "invalid_request"],
    ["response_type token", { response_type: "token" }, "unsupported_response_type"],
    ["response_type code id_token", { response_type: "code id_token" }, "unsupported_response_type"],
    ["response_mode fragment", { response_mode: "fragment" }, "invalid_request"],
    ["a missing client_id", { client_id: undefined }, "invalid_request"],
    ["another client_id", { client_id: CLIENT_IDS.daemon }, "invalid_request", "client_id_mismatch"],
    ["a missing redirect_uri", { redirect_uri: undefined }, "invalid_request"],
    ["a missing code_challenge", { code_challenge: undefined }, "invalid_request"],
    [
      "a missing code_challenge_method, which would mean plain",
      { code_challenge_method: undefined },
      "invalid_request",
    ],
    ["code_challenge_method plain", { code_challenge_method: "plain" }, "invalid_request"],
    ["code_challenge_method in lower case", { code_challenge_method: "s256" }, "invalid_request"],
    ["a challenge of 42 characters", { code_challenge: "a".repeat(42) }, "invalid_request"],
    ["a challenge of 44 characters", { code_challenge: "a".repeat(44) }, "invalid_request"],
    ["a challenge of 129 characters", { code_challenge: "a".repeat(129) }, "invalid_request"],
    ["a challenge in base64 instead of base64url", { code_challenge: `${"a".repeat(41)}+/` }, "invalid_request"],
    ["a request_uri (RFC 9126 section 2.1)", { request_uri: "urn:x" }, "invalid_request", "parameter_not_supported"],
    ["a request object (RFC 9101)", { request: "e30.e30." }, "invalid_request", "parameter_not_supported"],
    ["max_age, which the service does not enforce", { max_age: "0" }, "invalid_request", "parameter_not_supported"],
    [
      "acr_values, which the service does not enforce",
      { acr_values: "c1" },
      "invalid_request",
      "parameter_not_supported",
    ],
    ["an unknown prompt", { prompt: "create" }, "invalid_request"],
    [
      "prompt=none with offline_access, because the person must confirm",
      { prompt: "none", scope: "User.Read offline_access" },
      "invalid_request",
      "parameter_invalid",
    ],
    ["two prompts", { prompt: "login consent" }, "invalid_request"],
    ["state with a line break", { state: "a\r\nSet-Cookie: x=1" }, "invalid_request"],
    ["a state that is too long", { state: "x".repeat(513) }, "invalid_request"],
    ["login_hint with NUL", { login_hint: "a\0b" }, "invalid_request"],
    ["domain_hint with a path", { domain_hint: "contoso.local/x" }, "invalid_request"],
    ["claims that are not an object", { claims: "[]" }, "invalid_request"],
    ["claims too long for a URL", { claims: JSON.stringify({ id_token: { x: "y".repeat(1100) } }) }, "invalid_request"],
    ["an unknown API", { audience: "nothing" }, "invalid_target"],
    ["a scope that the entry does not list", { scope: "Files.Read" }, "invalid_scope"],
    [
      "a client secret besides the bearer token",
      { client_secret: "x" },
      "invalid_request",
      "two_client_authentications",
    ],
  ];
  test.each(refused)("%s", async (_name, changes, error, code) => {
    const answer = await push(changes);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error, ...(code === undefined ? {} : { code }) });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(service.lastEvent()).toMatchObject({ route: "par", outcome: "refused" });
  });

  test("a repeated parameter", async () => {
    const form = [...Object.entries(parForm(newPkce())), ["state", "again"]] as [string, string][];
    const answer = await service.call("/oauth2/par", { form, headers: bearer(appToken(service)) });
    expect(answer.json()).toMatchObject({ error: "invalid_request", code: "parameter_repeated" });
  });
});

describe("redirect URIs are compared character for character (SEC-6, RFC 9700 section 2.1)", () => {
  const near = [
    `${REDIRECT_URI}/`,
    `${REDIRECT_URI}/x`,
    `${REDIRECT_URI}?x=1`,
    `${REDIRECT_URI}#x`,
    REDIRECT_URI.replace("callback", "Callback"),
    REDIRECT_URI.replace("callback", "callbac%6B"),
    REDIRECT_URI.replace("callback", "./callback"),
    REDIRECT_URI.replace("callback", "x/../callback"),
    REDIRECT_URI.replace("callback", "x%2f..%2fcallback"),
    REDIRECT_URI.replace("localhost", "LOCALHOST"),
    REDIRECT_URI.replace("localhost", "127.0.0.1"),
    REDIRECT_URI.replace("localhost", "user@localhost"),
    REDIRECT_URI.replace("localhost", "localhost.evil.example"),
    REDIRECT_URI.replace("9999", "9998"),
    REDIRECT_URI.replace("http:", "https:"),
    "http://localhost:9999",
    "https://evil.example/callback",
    "javascript:alert(1)",
    "//localhost:9999/callback",
  ];
  test.each(near)("%s", async (uri) => {
    const answer = await push({ redirect_uri: uri });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: "invalid_request", code: "redirect_uri_not_allowed" });
  });
});

describe("the caller of POST /oauth2/par", () => {
  test("must authenticate: 401 with a challenge", async () => {
    const answer = await service.call("/oauth2/par", { form: parForm(newPkce()) });
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: "invalid_client" });
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  });
  test("must not be a user, even of the same client", async () => {
    expect((await push({}, userToken(service))).json()).toMatchObject({ error: "unauthorized_client" });
  });
  test("must be an application with the flow", async () => {
    const answer = await push({ client_id: CLIENT_IDS.daemon }, appToken(service, { client: "daemon" }));
    expect(answer.json()).toMatchObject({ error: "unauthorized_client", code: "flow_not_allowed" });
  });
  test("gets offline_access only with offlineAccess in the entry", async () => {
    const POLICY = policyWithEntries({ "web-backend": { offlineAccess: false } });
    const other = world.serve({ settings: { POLICY } });
    const form = parForm(newPkce(), { scope: "User.Read offline_access" });
    const answer = await other.call("/oauth2/par", { form, headers: bearer(appToken(service)) });
    expect(answer.json()).toMatchObject({ error: "invalid_scope", code: "offline_access_not_allowed" });
  });
  test("must use POST: 405", async () => {
    const answer = await service.call("/oauth2/par");
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("POST");
  });
});

test("the metadata names the endpoints and features of sign-in (RFC 8414, RFC 9126 section 5, RFC 9207 section 3)", async () => {
  const url = "http://localhost:7071";
  expect((await service.call("/.well-known/oauth-authorization-server")).json()).toMatchObject({
    issuer: url,
    pushed_authorization_request_endpoint: `${url}/oauth2/par`,
    require_pushed_authorization_requests: true,
    authorization_endpoint: `${url}/oauth2/authorize`,
    code_challenge_methods_supported: ["S256"],
    response_types_supported: ["code"],
    authorization_response_iss_parameter_supported: true,
    grant_types_supported: expect.arrayContaining(["authorization_code"]),
  });
});

test("without a policy entry that uses sign-in, its routes and metadata do not exist", async () => {
  const POLICY = policyWithEntries({
    "web-backend": { flows: ["on-behalf-of"], redirectUris: [], offlineAccess: false, unattended: false },
    daemon: { offlineAccess: false },
  });
  const other = world.serve({ settings: { POLICY } });
  for (const path of ["/oauth2/par", "/oauth2/authorize", "/signin/links", "/signin/x"]) {
    await expect(other.call(path)).rejects.toThrow("no route");
  }
  const metadata = (await other.call("/.well-known/oauth-authorization-server")).json();
  expect(metadata["grant_types_supported"]).not.toContain("authorization_code");
  expect(metadata).not.toHaveProperty("authorization_endpoint");
  const answer = await other.call("/oauth2/token", {
    form: { grant_type: "authorization_code", code: "x", redirect_uri: REDIRECT_URI, code_verifier: "v".repeat(43) },
    headers: bearer(appToken(service)),
  });
  expect(answer.json()).toMatchObject({ error: "invalid_grant", code: "code_refused" });
});
