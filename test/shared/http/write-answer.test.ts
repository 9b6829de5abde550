/** Responses with a token: exactly the documented members, and never cached (RF-24, RF-33). */
import { describe, expect, test } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { json, type ReleasedToken, writeHeaderPayload, writeTokenResponse } from "../../../shared/http/write-answer.ts";

const NOW = 1_786_656_269;
const RELEASED: ReleasedToken = {
  token: {
    accessToken: new SecretValue("graph.access.token"),
    expiresAtSeconds: NOW + 4_000,
    refreshAtSeconds: undefined,
    scopes: ["openid", "https://graph.microsoft.com/User.Read"],
    refreshToken: new SecretValue("1.entra-refresh"),
    user: { tenantId: "t", objectId: "o" },
  },
  usableUntilSeconds: NOW + 4_000,
  api: {
    name: "graph",
    resource: "https://graph.microsoft.com",
    contentType: "application/json",
    scopeDescriptions: {},
  },
  scopes: ["User.Read", "Mail.Read"],
  handle: undefined,
  grantExpiresAtSeconds: undefined,
  correlationId: "c0440000-0000-4000-8000-000000000001",
  nowSeconds: NOW,
};
const GRANTED: ReleasedToken = {
  ...RELEASED,
  handle: new SecretValue("gte_handle"),
  grantExpiresAtSeconds: NOW + 86_400,
};

const HEADERS = {
  "Cache-Control": "no-store",
  Pragma: "no-cache",
  "Content-Type": "application/json; charset=utf-8",
  "client-request-id": RELEASED.correlationId,
};

function body(response: { readonly body?: string }): unknown {
  return JSON.parse(response.body ?? "");
}

describe("token response", () => {
  test("RF-24, RF-33: a token response has the members of RFC 6749 and RFC 8693 and no others", () => {
    const response = writeTokenResponse(RELEASED);
    expect(response).toMatchObject({ status: 200, headers: HEADERS });
    expect(body(response)).toEqual({
      access_token: "graph.access.token",
      token_type: "Bearer",
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      expires_in: 4_000,
      scope: "User.Read Mail.Read",
    });
  });

  test("an application's token has no scope member", () => {
    expect(body(writeTokenResponse({ ...RELEASED, scopes: [] }))).not.toHaveProperty("scope");
  });

  test("a new grant is the refresh_token, and Entra's refresh token is never in the response", () => {
    const response = writeTokenResponse(GRANTED);
    expect(body(response)).toMatchObject({ refresh_token: "gte_handle", grant_expires_on: "2026-08-14T21:24:29Z" });
    expect(response.body).not.toContain("entra-refresh");
  });

  test("a redeemed grant has its expiry in the response but not its handle", () => {
    expect(body(writeTokenResponse({ ...GRANTED, handle: undefined }))).not.toHaveProperty("refresh_token");
    expect(body(writeTokenResponse({ ...GRANTED, handle: undefined }))).toHaveProperty("grant_expires_on");
  });

  test("expires_in is the remaining life and never negative", () => {
    expect(body(writeTokenResponse({ ...RELEASED, nowSeconds: NOW + 3_999 }))).toMatchObject({ expires_in: 1 });
    expect(body(writeTokenResponse({ ...RELEASED, nowSeconds: NOW + 9_999 }))).toMatchObject({ expires_in: 0 });
  });
});

describe("header payload", () => {
  test("the payload has the headers for the next request", () => {
    const response = writeHeaderPayload(RELEASED);
    expect(response).toMatchObject({ status: 200, headers: HEADERS });
    expect(body(response)).toEqual({
      authorizationHeader: "Bearer graph.access.token",
      headers: { Authorization: "Bearer graph.access.token", "Content-Type": "application/json" },
      tokenType: "Bearer",
      expiresOn: "2026-08-13T22:31:09Z",
      expiresIn: 4_000,
      scopes: ["User.Read", "Mail.Read"],
    });
  });

  test("the content type comes from the API's policy", () => {
    const api = { ...RELEASED.api, contentType: "application/vnd.contoso+json" };
    expect(body(writeHeaderPayload({ ...RELEASED, api }))).toMatchObject({
      headers: { "Content-Type": api.contentType },
    });
  });

  test("a new grant has its handle and expiry in the response, and Entra's refresh token is never there", () => {
    const response = writeHeaderPayload(GRANTED);
    expect(body(response)).toMatchObject({ grant: "gte_handle", grantExpiresOn: "2026-08-14T21:24:29Z" });
    expect(response.body).not.toContain("entra-refresh");
    expect(body(writeHeaderPayload({ ...GRANTED, handle: undefined }))).not.toHaveProperty("grant");
  });
});

test("any other JSON response is no-store as well", () => {
  expect(json(503, RELEASED.correlationId, { a: 1 })).toEqual({ status: 503, headers: HEADERS, body: '{"a":1}' });
});
