/** `POST /oauth2/par` (RFC 9126): a parameter that would weaken the sign-in is refused; an unknown one is ignored. */
import { describe, expect, test } from "vitest";
import { readPushedRequest } from "../../../shared/http/read-pushed-request.ts";
import { form, posted, refusal } from "./support/incoming.ts";

const GOOD: Readonly<Record<string, string | undefined>> = {
  client_id: "ca11e400-0000-4000-8000-00000000000b",
  response_type: "code",
  redirect_uri: "https://app.example/cb",
  code_challenge: "c".repeat(43),
  code_challenge_method: "S256",
  state: "a state",
  scope: "User.Read offline_access",
};

function read(changes: Readonly<Record<string, string | undefined>> = {}, authorization = "Bearer a.b.c") {
  const parameters = Object.entries({ ...GOOD, ...changes }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return readPushedRequest(form(parameters, { authorization }));
}

test("a valid pushed request is read", async () => {
  expect(await read()).toMatchObject({
    ok: true,
    value: {
      clientId: GOOD["client_id"],
      clientAuthentication: { method: "bearer" },
      tokenParameters: { scopes: ["User.Read"], offlineAccess: true },
      returnTo: { redirectUri: "https://app.example/cb", state: "a state", codeChallenge: "c".repeat(43) },
      hints: { prompt: undefined, loginHint: undefined, domainHint: undefined, claims: undefined },
    },
  });
});

describe("a pushed request is refused with", () => {
  test.each<[string, Record<string, string | undefined>, string]>([
    ["no client_id", { client_id: undefined }, "parameter_missing client_id"],
    ["no response_type", { response_type: undefined }, "parameter_missing response_type"],
    ["response_type token", { response_type: "token" }, "response_type_unsupported response_type"],
    ["response_type code id_token", { response_type: "code id_token" }, "response_type_unsupported response_type"],
    ["response_mode fragment", { response_mode: "fragment" }, "parameter_not_supported response_mode"],
    ["response_mode form_post", { response_mode: "form_post" }, "parameter_not_supported response_mode"],
    ["no redirect_uri", { redirect_uri: undefined }, "parameter_missing redirect_uri"],
    ["SEC-3: a line break in state", { state: "a\r\nb" }, "parameter_invalid state"],
    ["a long state", { state: "s".repeat(513) }, "parameter_invalid state"],
    ["SEC-7: no challenge", { code_challenge: undefined }, "parameter_missing code_challenge"],
    [
      "SEC-7: no challenge method, which means plain",
      { code_challenge_method: undefined },
      "parameter_missing code_challenge_method",
    ],
    [
      "SEC-7: the challenge method plain",
      { code_challenge_method: "plain" },
      "parameter_invalid code_challenge_method",
    ],
    ["SEC-7: a challenge of 42 characters", { code_challenge: "c".repeat(42) }, "parameter_invalid code_challenge"],
    ["SEC-7: a challenge with padding", { code_challenge: `${"c".repeat(42)}=` }, "parameter_invalid code_challenge"],
    ["a request object", { request: "a.b.c" }, "parameter_not_supported request"],
    ["a request_uri (RFC 9126 section 2.1)", { request_uri: "urn:x" }, "parameter_not_supported request_uri"],
    ["max_age", { max_age: "0" }, "parameter_not_supported max_age"],
    ["acr_values", { acr_values: "c1" }, "parameter_not_supported acr_values"],
    ["an unknown prompt", { prompt: "create" }, "parameter_invalid prompt"],
    ["a control character in login_hint", { login_hint: "a\0" }, "parameter_invalid login_hint"],
    ["a path in domain_hint", { domain_hint: "a/b" }, "parameter_invalid domain_hint"],
    [
      "claims that are too large for a URL",
      { claims: JSON.stringify({ id_token: { x: "y".repeat(1_100) } }) },
      "parameter_invalid claims",
    ],
    ["an invalid scope", { scope: '"' }, "scope_malformed scope"],
    ["a client secret besides the bearer token", { client_secret: "x" }, "two_client_authentications"],
  ])("%s", async (_name, changes, outcome) => {
    expect(refusal(await read(changes))).toBe(`request_invalid ${outcome}`);
  });

  test("a JSON body", async () => {
    expect(refusal(await readPushedRequest(posted(GOOD)))).toBe("media_type_unsupported");
  });
});

describe("a pushed request is accepted with", () => {
  test.each<[string, Record<string, string | undefined>, unknown]>([
    ["response_mode query", { response_mode: "query" }, {}],
    ["no state", { state: undefined }, { returnTo: { state: undefined } }],
    ["a known prompt", { prompt: "select_account" }, { hints: { prompt: "select_account" } }],
    [
      "a user name with umlauts",
      { login_hint: "jürgen@contoso.example" },
      { hints: { loginHint: "jürgen@contoso.example" } },
    ],
    ["a domain hint", { domain_hint: "contoso.example" }, { hints: { domainHint: "contoso.example" } }],
    ["claims", { claims: '{"id_token":{"acr":null}}' }, { hints: { claims: '{"id_token":{"acr":null}}' } }],
    ["unknown parameters", { nonce: "x", display: "page" }, {}],
  ])("%s", async (_name, changes, value) => {
    expect(await read(changes)).toMatchObject({ ok: true, value });
  });

  test("a client_id alone, which is not client authentication", async () => {
    expect(await read({}, "")).toMatchObject({ value: { clientAuthentication: undefined } });
  });
});
