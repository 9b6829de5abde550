/** `POST /oauth2/token`: RFC 6749, RFC 8693 and RFC 7523. Each case changes one parameter of a valid form. */

import { describe, expect, test } from "vitest";
import type { ExchangeRequest } from "../../../shared/core/exchange-request.ts";
import { FLOW_NAMES, type FlowName } from "../../../shared/core/flow-name.ts";
import {
  ACCESS_TOKEN_TYPE,
  grantTypesOf,
  JWT_BEARER,
  readTokenRequest,
  TOKEN_EXCHANGE,
} from "../../../shared/http/read-token-request.ts";
import { form, posted, refusal } from "./support/incoming.ts";

type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A handle of the right form. */
const HANDLE = `gte_${"A".repeat(43)}`;
const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln";
const EXCHANGE = { grant_type: TOKEN_EXCHANGE, subject_token: JWT, subject_token_type: ACCESS_TOKEN_TYPE };
const ON_BEHALF_OF = { grant_type: JWT_BEARER, assertion: JWT, requested_token_use: "on_behalf_of" };
const REFRESH = { grant_type: "refresh_token", refresh_token: HANDLE };
const VERIFIER = "v".repeat(43);
const CODE = {
  grant_type: "authorization_code",
  code: "our.code",
  redirect_uri: "https://app.example/cb",
  code_verifier: VERIFIER,
};
const APPLICATION = { grant_type: "client_credentials" };
const BEARER = { authorization: `Bearer ${JWT}` };

function read(base: Parameters, changes: Parameters = {}, headers: Record<string, string> = BEARER) {
  const pairs = Object.entries({ ...base, ...changes }).flatMap(([name, values]) =>
    values === undefined ? [] : [values].flat().map((value) => [name, value] as const),
  );
  return readTokenRequest(form(pairs, headers));
}

async function refused(base: Parameters, changes: Parameters, headers?: Record<string, string>) {
  return refusal(await read(base, changes, headers));
}

async function accepted(
  base: Parameters,
  changes: Parameters = {},
  headers?: Record<string, string>,
): Promise<ExchangeRequest> {
  const result = await read(base, changes, headers);
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

describe("grant_type (RF-20, RF-34, RF-50)", () => {
  test("a missing or empty grant_type is refused", async () => {
    expect(await refused({}, {})).toBe("request_invalid parameter_missing grant_type");
    expect(await refused({ grant_type: "" }, {})).toBe("request_invalid parameter_missing grant_type");
  });

  test.each([
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:device_code",
    "toString",
    "__proto__",
    "Refresh_Token",
  ])("%s is not supported", async (grant_type) => {
    const result = await read({ grant_type, username: "u", password: "p" });
    expect(result).toEqual({
      ok: false,
      failure: { kind: "grant_type_unsupported", requested: grant_type === "password" ? "password" : "other" },
    });
  });

  const everything = { ...EXCHANGE, ...ON_BEHALF_OF, ...REFRESH, ...CODE };
  test.each<[readonly FlowName[], string[]]>([
    [FLOW_NAMES, [TOKEN_EXCHANGE, JWT_BEARER, "refresh_token", "authorization_code", "client_credentials"]],
    [["on-behalf-of"], [TOKEN_EXCHANGE, JWT_BEARER]],
    [["refresh-token"], ["refresh_token"]],
    [["authorization-code"], ["authorization_code"]],
    [["client-credentials"], ["client_credentials"]],
    [[], []],
  ])("for the flows %j, the grant types of the metadata document are accepted", async (flows, names) => {
    expect(grantTypesOf(new Set(flows))).toEqual(names);
    for (const grant_type of names) {
      expect(flows).toContain((await accepted(everything, { grant_type })).grantRequest.flow);
    }
  });
});

describe("RFC 8693 token exchange", () => {
  test.each<[string, Parameters, string]>([
    ["RF-21: no subject_token", { subject_token: undefined }, "request_invalid parameter_missing subject_token"],
    ["RF-30: an empty subject_token", { subject_token: "" }, "request_invalid parameter_missing subject_token"],
    [
      "RF-21: no subject_token_type",
      { subject_token_type: undefined },
      "request_invalid parameter_missing subject_token_type",
    ],
    [
      "RF-23: an ID token",
      { subject_token_type: "urn:ietf:params:oauth:token-type:id_token" },
      "request_invalid parameter_invalid subject_token_type",
    ],
    [
      "RF-23: a refresh token",
      { subject_token_type: "urn:ietf:params:oauth:token-type:refresh_token" },
      "request_invalid parameter_invalid subject_token_type",
    ],
    ["RF-21: an actor_token alone", { actor_token: JWT }, "request_invalid parameter_missing actor_token_type"],
    ["RF-21: an actor_token_type alone", { actor_token_type: "x" }, "request_invalid parameter_missing actor_token"],
    [
      "RF-23: an actor_token that is an ID token",
      { actor_token: JWT, actor_token_type: "urn:ietf:params:oauth:token-type:id_token" },
      "request_invalid parameter_invalid actor_token_type",
    ],
    [
      "RF-28: a requested_token_type that the service does not issue",
      { requested_token_type: "urn:ietf:params:oauth:token-type:jwt" },
      "request_invalid parameter_not_supported requested_token_type",
    ],
    ["RF-30: two subject_tokens", { subject_token: [JWT, JWT] }, "request_invalid parameter_repeated subject_token"],
    ["RF-30: two scopes", { scope: ["a", "b"] }, "request_invalid parameter_repeated scope"],
  ])("%s", async (_name, changes, outcome) => {
    expect(await refused(EXCHANGE, changes)).toBe(outcome);
  });

  test.each<[string, string[]]>([
    ["requested_token_type", [ACCESS_TOKEN_TYPE]],
    ["subject_token_type", [ACCESS_TOKEN_TYPE, "urn:ietf:params:oauth:token-type:jwt"]],
  ])("a refused %s comes with the types that are supported", async (parameter, supported) => {
    const result = await read(EXCHANGE, { [parameter]: "urn:ietf:params:oauth:token-type:saml2" });
    expect(result).toMatchObject({ ok: false, failure: { parameter, hint: { supported } } });
  });

  test.each([ACCESS_TOKEN_TYPE, "urn:ietf:params:oauth:token-type:jwt"])(
    "RF-23: a subject of type %s is accepted",
    async (type) => {
      const { grantRequest } = await accepted(EXCHANGE, { subject_token_type: type });
      expect(grantRequest).toMatchObject({ flow: "on-behalf-of", presentedAs: "subject_token" });
      expect(grantRequest.flow === "on-behalf-of" && grantRequest.subject?.reveal()).toBe(JWT);
    },
  );

  test("RF-28: the issued requested_token_type and unknown parameters are accepted", async () => {
    await accepted(EXCHANGE, { requested_token_type: ACCESS_TOKEN_TYPE, unknown: "x" });
  });

  test("RF-22: resource and audience may repeat", async () => {
    const { tokenParameters } = await accepted(EXCHANGE, {
      resource: ["https://a.example", "https://b.example"],
      audience: ["x", "y"],
    });
    expect(tokenParameters).toMatchObject({
      resources: ["https://a.example", "https://b.example"],
      audiences: ["x", "y"],
    });
  });
});

describe("RFC 7523 as Entra's clients send it", () => {
  test.each<[string, Parameters, string]>([
    ["RF-50: no assertion", { assertion: undefined }, "request_invalid parameter_missing assertion"],
    ["RF-50: two assertions", { assertion: [JWT, JWT] }, "request_invalid parameter_repeated assertion"],
    [
      "no requested_token_use",
      { requested_token_use: undefined },
      "request_invalid parameter_missing requested_token_use",
    ],
    [
      "an unknown requested_token_use",
      { requested_token_use: "x" },
      "request_invalid parameter_invalid requested_token_use",
    ],
  ])("%s", async (_name, changes, outcome) => {
    expect(await refused(ON_BEHALF_OF, changes)).toBe(outcome);
  });

  test("the subject is presented as an assertion", async () => {
    const { grantRequest } = await accepted(ON_BEHALF_OF);
    expect(grantRequest).toMatchObject({ flow: "on-behalf-of", presentedAs: "assertion" });
  });
});

describe("refresh token and client credentials", () => {
  test("a missing refresh_token is refused", async () => {
    expect(await refused(REFRESH, { refresh_token: undefined })).toBe(
      "request_invalid parameter_missing refresh_token",
    );
  });

  test("a handle is read and stays secret in JSON", async () => {
    const { grantRequest } = await accepted(REFRESH);
    expect(grantRequest.flow === "refresh-token" && grantRequest.refreshToken.reveal()).toBe(HANDLE);
    expect(JSON.stringify(grantRequest)).not.toContain(HANDLE);
  });

  test("client credentials need only client authentication", async () => {
    expect(await accepted(APPLICATION)).toMatchObject({
      grantRequest: { flow: "client-credentials" },
      clientAuthentication: { method: "bearer" },
    });
  });
});

describe("authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)", () => {
  test.each(["code", "redirect_uri", "code_verifier"])(
    "%s is required, because every code is bound to a redirect URI and a challenge",
    async (name) => {
      expect(await refused(CODE, { [name]: undefined })).toBe(`request_invalid parameter_missing ${name}`);
    },
  );

  test.each([
    ["42 characters", "v".repeat(42)],
    ["129 characters", "v".repeat(129)],
    ["a space", `${VERIFIER} v`],
    ["a slash", `${VERIFIER}/`],
    ["a line feed at its end", `${VERIFIER}\n`],
  ])("SEC-7, RF-77: a verifier with %s is refused", async (_name, code_verifier) => {
    expect(await refused(CODE, { code_verifier })).toBe("request_invalid parameter_invalid code_verifier");
  });

  test.each([43, 128])("a verifier of %i characters is accepted", async (length) => {
    const { grantRequest } = await accepted(CODE, { code_verifier: "~".repeat(length) });
    expect(grantRequest).toMatchObject({ flow: "authorization-code", redirectUri: "https://app.example/cb" });
    expect(grantRequest.flow === "authorization-code" && grantRequest.code.reveal()).toBe("our.code");
  });

  test("a code is not client authentication", async () => {
    expect((await accepted(CODE, {}, {})).clientAuthentication).toBeUndefined();
  });
});

describe("RF-29: client authentication and subject token", () => {
  test.each<[string, Parameters, Record<string, string>, string | undefined]>([
    ["a bearer and a subject token", EXCHANGE, BEARER, "bearer"],
    ["a subject token alone, which authenticates the user", EXCHANGE, {}, "subject_itself"],
    ["an assertion alone, which authenticates the user", ON_BEHALF_OF, {}, "subject_itself"],
    ["a refresh token alone, which authenticates no client", REFRESH, {}, undefined],
    ["client credentials without authentication", APPLICATION, {}, undefined],
  ])("%s", async (_name, base, headers, method) => {
    expect((await accepted(base, {}, headers)).clientAuthentication?.method).toBe(method);
  });

  test("client_id is read separately from client authentication", async () => {
    expect((await accepted(EXCHANGE, { client_id: "abc" })).claimedClientId).toBe("abc");
    expect((await accepted(EXCHANGE)).claimedClientId).toBeUndefined();
  });
});

describe("scope (RF-32)", () => {
  test.each<[string, string | undefined, readonly string[] | undefined, boolean]>([
    ["no scope", undefined, undefined, false],
    ["empty", "", undefined, false],
    ["a space", " ", undefined, false],
    ["one", "User.Read", ["User.Read"], false],
    ["two, with their case", "User.Read mail.READ", ["User.Read", "mail.READ"], false],
    ["additional spaces", "  User.Read   Mail.Read ", ["User.Read", "Mail.Read"], false],
    ["OIDC scopes, which have no effect", "openid profile email User.Read", ["User.Read"], false],
    ["offline_access and a scope", "offline_access User.Read", ["User.Read"], true],
    ["offline_access alone", "offline_access", undefined, true],
    ["an OIDC scope in another case, which is an ordinary scope", "OpenID", ["OpenID"], false],
  ])("%s", async (_name, scope, scopes, offlineAccess) => {
    expect((await accepted(EXCHANGE, { scope })).tokenParameters).toMatchObject({ scopes, offlineAccess });
  });

  test.each(['a"b', "a\\b", "a\tb", "a\r\nb", "a\0b", "größe", "\u{1f600}", `${"x".repeat(513)}`, "a\u00a0b"])(
    "SEC-3: %j is malformed",
    async (scope) => {
      expect(await refused(EXCHANGE, { scope })).toBe("request_invalid scope_malformed scope");
    },
  );
});

describe("other parameters of a token request", () => {
  test("claims are normalised, and invalid claims are refused", async () => {
    expect((await accepted(EXCHANGE, { claims: ' {"access_token": {"nbf": null}}' })).tokenParameters.claims).toBe(
      '{"access_token":{"nbf":null}}',
    );
    expect(await refused(EXCHANGE, { claims: "{" })).toBe("request_invalid parameter_invalid claims");
  });

  test("the correlation id comes from the caller", async () => {
    const id = "c0440000-0000-4000-8000-000000000001";
    expect((await accepted(EXCHANGE, {}, { ...BEARER, "client-request-id": id })).correlationId).toBe(id);
  });

  test("SEC-4: the parameters tenant and authority have no effect", async () => {
    const plain = await accepted(EXCHANGE);
    const withTenant = await accepted(EXCHANGE, { tenant: "../../evil", authority: "https://evil.example" });
    expect({ ...withTenant, correlationId: "" }).toEqual({ ...plain, correlationId: "" });
  });

  test("SEC-2: JSON is refused, and invalid client authentication before an invalid scope", async () => {
    expect(refusal(await readTokenRequest(posted(EXCHANGE)))).toBe("media_type_unsupported");
    expect(await refused(EXCHANGE, { scope: '"' }, { authorization: "Basic x" })).toMatch("client_secret_not_accepted");
  });
});
