/** A 200 response of Entra is a token only if it is complete, bounded and safe in a header (TC-22, SEC-14, SEC-20). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntraToken } from "../../../shared/entra/entra-token.ts";
import { readToken } from "../../../shared/entra/read-token.ts";
import { base64url, idToken, NOW_MS, tokenAnswer } from "./support/entra-answers.ts";

const NOW = NOW_MS / 1_000;
const USER = { tenantId: "tid", objectId: "oid" };

function read(members: Record<string, unknown>) {
  return readToken(tokenAnswer(members).body, NOW_MS);
}

function value(members: Record<string, unknown>) {
  const result = read(members);
  return result?.ok ? result.value : undefined;
}

describe("a 200 response without a valid token", () => {
  test.each(["{}", "[]", "null", '"token"', "7", "true"])("TC-22: the body %s is refused", (body) => {
    expect(readToken(body, NOW_MS)).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>]>([
    ["TC-22: a missing access_token", { access_token: undefined }],
    ["an empty access_token", { access_token: "" }],
    ["an access_token that is not a string", { access_token: 7 }],
    ["SEC-20: an access_token with CR LF", { access_token: "a.b.c\r\nX-Evil: 1" }],
    ["SEC-20: an access_token with a line feed at its end", { access_token: "a.b.c\n" }],
    ["an access_token with a space", { access_token: "a b" }],
    ["an access_token with a quote", { access_token: 'a"b' }],
    ["an access_token with NUL", { access_token: "a\0" }],
    ["an access_token with a non-ASCII character", { access_token: "tökn" }],
    ["an access_token over 16 KiB", { access_token: "x".repeat(16_385) }],
    ["a missing token_type", { token_type: undefined }],
    ["a proof-of-possession token", { token_type: "pop" }],
    ["a token_type that is not a string", { token_type: 7 }],
    ["a missing expires_in", { expires_in: undefined }],
    ["an expires_in of 0", { expires_in: 0 }],
    ["a negative expires_in", { expires_in: -1 }],
    ["an expires_in below one second", { expires_in: 0.5 }],
    ["an expires_in in words", { expires_in: "an hour" }],
    ["an expires_in of 1e300", { expires_in: 1e300 }],
    ["an expires_in with ten digits", { expires_in: "9999999999" }],
  ])("%s is refused", (_name, members) => {
    expect(read(members)).toBeUndefined();
  });

  test("property: no accepted token contains a character that ends a header line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (access_token) => {
        const token = value({ access_token })?.accessToken.reveal();
        expect(token === undefined || /^[\x21-\x7e]+$/.test(token)).toBe(true);
      }),
    );
  });
});

describe("a valid token response", () => {
  test("E-46: has the expiry and scopes of the response, and no other members", () => {
    const token = value({});
    expect(token?.accessToken.reveal()).toBe("graph.access.token");
    expect(token).toMatchObject({
      expiresAtSeconds: NOW + 4_000,
      refreshAtSeconds: undefined,
      scopes: ["email", "openid", "profile", "https://graph.microsoft.com/User.Read"],
      refreshToken: undefined,
      user: undefined,
    });
  });

  test("E-45: for an application has no scopes", () => {
    expect(value({ scope: undefined })).toMatchObject({ scopes: [] });
  });

  test("E-49: may have expires_in as a string and token_type in lower case", () => {
    expect(value({ expires_in: "4000", token_type: "bearer" })).toMatchObject({ expiresAtSeconds: NOW + 4_000 });
  });

  test("E-48: with refresh_in has a renewal time", () => {
    expect(value({ expires_in: 86_000, refresh_in: 43_000 })).toMatchObject({ refreshAtSeconds: NOW + 43_000 });
  });

  test("has an expiry that is rounded down, so that it never exceeds the lifetime of the token", () => {
    expect(readToken(tokenAnswer({ expires_in: 10.9 }).body, NOW_MS + 999)).toMatchObject({
      value: { expiresAtSeconds: NOW + 10 },
    });
  });

  test("contains the refresh token, unless it is empty or not a string", () => {
    expect(value({ refresh_token: "1.refresh" })?.refreshToken?.reveal()).toBe("1.refresh");
    expect(value({ refresh_token: "" })?.refreshToken).toBeUndefined();
    expect(value({ refresh_token: 7 })?.refreshToken).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, EntraToken["user"]]>([
    ["the user of the ID token", { id_token: idToken({ tid: "tid", oid: "oid" }) }, { ...USER, guest: false }],
    [
      "a guest if the ID token says so",
      { id_token: idToken({ tid: "tid", oid: "oid", acct: 1 }) },
      { ...USER, guest: true },
    ],
    ["the user of client_info (E-47)", { client_info: base64url({ utid: "tid", uid: "oid" }) }, USER],
    [
      "the user of the ID token if client_info differs, because client_info names the account in a guest's home tenant",
      {
        id_token: idToken({ tid: "tid", oid: "oid" }),
        client_info: base64url({ utid: "home", uid: "home-oid" }),
      },
      { ...USER, guest: false },
    ],
    [
      "the user of client_info if the ID token has no oid",
      { id_token: idToken({ tid: "tid" }), client_info: base64url({ utid: "tid", uid: "oid" }) },
      USER,
    ],
    ["undefined if client_info is incomplete", { client_info: base64url({ utid: "tid" }) }, undefined],
    ["undefined if client_info is not an object", { client_info: base64url("x") }, undefined],
    ["undefined if client_info is not JSON", { client_info: "!!!" }, undefined],
    ["undefined if the ID token is not a JWT", { id_token: "opaque" }, undefined],
    ["undefined if both are null", { id_token: null, client_info: null }, undefined],
  ])("has as its user %s", (_name, members, user) => {
    expect(value(members)?.user).toEqual(user);
  });
});
