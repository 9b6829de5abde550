/** A 200 of Entra's is a token only when it is whole, bounded and safe in a header (TC-22, SEC-14, SEC-20). */
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

describe("no token", () => {
  test.each(["{}", "[]", "null", '"token"', "7", "true"])("TC-22: a body of %s", (body) => {
    expect(readToken(body, NOW_MS)).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>]>([
    ["TC-22: no access_token", { access_token: undefined }],
    ["an empty access_token", { access_token: "" }],
    ["an access_token that is no text", { access_token: 7 }],
    ["SEC-20: CR LF in the access_token", { access_token: "a.b.c\r\nX-Evil: 1" }],
    ["SEC-20: a line feed at its end", { access_token: "a.b.c\n" }],
    ["a space in the access_token", { access_token: "a b" }],
    ["a quote in the access_token", { access_token: 'a"b' }],
    ["a NUL in the access_token", { access_token: "a\0" }],
    ["non-ASCII in the access_token", { access_token: "tökn" }],
    ["an access_token over 16 KiB", { access_token: "x".repeat(16_385) }],
    ["no token_type", { token_type: undefined }],
    ["a proof-of-possession token", { token_type: "pop" }],
    ["a token_type that is no text", { token_type: 7 }],
    ["no expires_in", { expires_in: undefined }],
    ["an expires_in of nothing", { expires_in: 0 }],
    ["an expires_in before now", { expires_in: -1 }],
    ["less than a second", { expires_in: 0.5 }],
    ["an expires_in in words", { expires_in: "an hour" }],
    ["an expires_in beyond every clock", { expires_in: 1e300 }],
    ["an expires_in with too many digits", { expires_in: "9999999999" }],
  ])("%s", (_name, members) => {
    expect(read(members)).toBeUndefined();
  });

  test("property: nothing that could end a header line gets through", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (access_token) => {
        const token = value({ access_token })?.accessToken.reveal();
        expect(token === undefined || /^[\x21-\x7e]+$/.test(token)).toBe(true);
      }),
    );
  });
});

describe("a token", () => {
  test("E-46: its end, its scopes, and nothing that Entra did not send", () => {
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

  test("E-45: an application's answer has no scope", () => {
    expect(value({ scope: undefined })).toMatchObject({ scopes: [] });
  });

  test("E-49: numbers as text, a token type in other letters", () => {
    expect(value({ expires_in: "4000", token_type: "bearer" })).toMatchObject({ expiresAtSeconds: NOW + 4_000 });
  });

  test("E-48: a long-lived token says when to renew it", () => {
    expect(value({ expires_in: 86_000, refresh_in: 43_000 })).toMatchObject({ refreshAtSeconds: NOW + 43_000 });
  });

  test("fractions of a second count down, so that no token is promised too long", () => {
    expect(readToken(tokenAnswer({ expires_in: 10.9 }).body, NOW_MS + 999)).toMatchObject({
      value: { expiresAtSeconds: NOW + 10 },
    });
  });

  test("a refresh token is kept apart; an empty one is none", () => {
    expect(value({ refresh_token: "1.refresh" })?.refreshToken?.reveal()).toBe("1.refresh");
    expect(value({ refresh_token: "" })?.refreshToken).toBeUndefined();
    expect(value({ refresh_token: 7 })?.refreshToken).toBeUndefined();
  });

  test.each<[string, Record<string, unknown>, EntraToken["user"]]>([
    ["of the id token", { id_token: idToken({ tid: "tid", oid: "oid" }) }, { ...USER, guest: false }],
    ["a guest", { id_token: idToken({ tid: "tid", oid: "oid", acct: 1 }) }, { ...USER, guest: true }],
    ["of client_info (E-47)", { client_info: base64url({ utid: "tid", uid: "oid" }) }, USER],
    [
      "of the id token where both are there: client_info names a guest's home",
      {
        id_token: idToken({ tid: "tid", oid: "oid" }),
        client_info: base64url({ utid: "home", uid: "home-oid" }),
      },
      { ...USER, guest: false },
    ],
    [
      "of client_info where the id token names nobody",
      { id_token: idToken({ tid: "tid" }), client_info: base64url({ utid: "tid", uid: "oid" }) },
      USER,
    ],
    ["nobody, from half a client_info", { client_info: base64url({ utid: "tid" }) }, undefined],
    ["nobody, from a client_info that is no object", { client_info: base64url("x") }, undefined],
    ["nobody, from a client_info that is no JSON", { client_info: "!!!" }, undefined],
    ["nobody, from an id token without parts", { id_token: "opaque" }, undefined],
    ["nobody, from null", { id_token: null, client_info: null }, undefined],
  ])("its user is %s", (_name, members, user) => {
    expect(value(members)?.user).toEqual(user);
  });
});
