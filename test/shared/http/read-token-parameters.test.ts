/** Claims, scopes and correlation ids: values that go to Entra are rebuilt or checked, never passed through. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLAIMS_MAX_BYTES } from "../../../shared/core/limits.ts";
import { readClaims, readCorrelationId, readScopes } from "../../../shared/http/read-token-parameters.ts";
import { incoming, refusal } from "./support/incoming.ts";

const NBF = { nbf: { essential: true, value: "1604106651" } };
/** Contains a character that differs between base64 and base64url. */
const WITH_BOTH = { access_token: { x: { value: "??>>~~ÿÿ" } } };

function claims(value: string | undefined) {
  const read = readClaims(value, "claims");
  return read.ok ? read.value : refusal(read);
}

const INVALID = "request_invalid parameter_invalid claims";

describe("claims request", () => {
  test.each<[string, string | undefined, string | undefined]>([
    ["no claims", undefined, undefined],
    ["JSON", JSON.stringify({ access_token: NBF }), JSON.stringify({ access_token: NBF })],
    ["JSON after spaces", `  ${JSON.stringify({ id_token: NBF })}`, JSON.stringify({ id_token: NBF })],
    ["base64, as in a challenge", base64({ access_token: NBF }), JSON.stringify({ access_token: NBF })],
    ["base64url", base64url({ access_token: NBF }), JSON.stringify({ access_token: NBF })],
    ["base64 with characters that base64url does not have", base64(WITH_BOTH), JSON.stringify(WITH_BOTH)],
    ["base64url with characters that base64 does not have", base64url(WITH_BOTH), JSON.stringify(WITH_BOTH)],
    ["an empty object", "{}", "{}"],
    [
      "xms_cc is removed, because policy decides about capabilities",
      '{"access_token":{"xms_cc":{"values":["cp1"]},"nbf":null}}',
      '{"access_token":{"nbf":null}}',
    ],
    [
      "XMS_CC is removed in any spelling",
      '{"access_token":{"XMS_CC":{"values":["cp1"]},"Xms_Cc":null,"nbf":null}}',
      '{"access_token":{"nbf":null}}',
    ],
    [
      "of two members with one name, the last one counts, as in JSON.parse",
      '{"access_token":{"a":1},"access_token":{"b":2}}',
      '{"access_token":{"b":2}}',
    ],
  ])("%s", (_name, value, outcome) => {
    expect(claims(value)).toBe(outcome);
  });

  test.each([
    ["not JSON", "{"],
    ["an empty text", ""],
    ["a list", "[]"],
    ["a list in base64", base64([])],
    ["null in base64", base64(null)],
    ["neither JSON nor base64", "!!!"],
    ["userinfo", '{"userinfo":{}}'],
    ["an additional member", '{"access_token":{},"x":{}}'],
    ["__proto__", '{"__proto__":{}}'],
    ["access_token as a string", '{"access_token":"x"}'],
    ["access_token as a list", '{"access_token":[]}'],
    ["access_token as null", '{"access_token":null}'],
  ])("%s is refused", (_name, value) => {
    expect(claims(value)).toBe(INVALID);
  });

  test("up to 4 KiB are accepted, counted in bytes after base64 decoding", () => {
    const frame = JSON.stringify({ access_token: { x: "" } }).length;
    const fitting = JSON.stringify({ access_token: { x: "y".repeat(CLAIMS_MAX_BYTES - frame) } });
    const larger = fitting.replace("y", "yy");
    expect(claims(fitting)).toBe(fitting);
    expect(claims(Buffer.from(fitting).toString("base64"))).toBe(fitting);
    expect(claims(larger)).toBe(INVALID);
    expect(claims(Buffer.from(larger).toString("base64"))).toBe(INVALID);
    expect(claims(fitting.replace("yy", "ö"))).toBe(fitting.replace("yy", "ö"));
    expect(claims(fitting.replace("y", "ö"))).toBe(INVALID);
  });

  test("property: accepted claims are an object of the two members without xms_cc", () => {
    const given = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"access_token":${json}}`),
    );
    fc.assert(
      fc.property(given, (value) => {
        const read = readClaims(value, "claims");
        if (read.ok && read.value !== undefined) {
          const rebuilt = JSON.parse(read.value) as Record<string, Record<string, unknown>>;
          for (const [name, requested] of Object.entries(rebuilt)) {
            expect(["access_token", "id_token"]).toContain(name);
            expect(Object.hasOwn(requested, "xms_cc")).toBe(false);
          }
        }
      }),
    );
  });
});

describe("SEC-3: the correlation id is a GUID from the caller or a new one", () => {
  const first = "c0440000-0000-4000-8000-000000000001";
  const second = "c0440000-0000-4000-8000-000000000002";
  const read = (headers: Record<string, string>) => readCorrelationId(incoming({ headers }));

  test.each<[string, Record<string, string>, string]>([
    ["client-request-id", { "client-request-id": first }, first],
    ["x-ms-client-request-id", { "x-ms-client-request-id": first }, first],
    ["x-correlation-id", { "x-correlation-id": first }, first],
    ["a GUID in upper case, converted to lower case", { "client-request-id": first.toUpperCase() }, first],
    ["the first header with a GUID", { "client-request-id": "7", "x-correlation-id": second }, second],
    ["client-request-id before the other headers", { "x-correlation-id": second, "client-request-id": first }, first],
  ])("%s", (_name, headers, expected) => {
    expect(read(headers)).toBe(expected);
  });

  test.each(["", "7", `${first}\r\nX: y`, `{${first}}`, `${first},${second}`, "<script>"])("%j is ignored", (value) => {
    const fresh = read({ "client-request-id": value });
    expect(fresh).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(fresh).not.toBe(read({ "client-request-id": value }));
  });
});

test("property: accepted scopes use the characters of RFC 6749 and contain no OIDC scope", () => {
  const OIDC = ["openid", "profile", "email", "offline_access"];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom(...OIDC, "User.Read"))), (requested) => {
      const read = readScopes(requested, "scope");
      if (read.ok) {
        for (const scope of read.value.scopes ?? []) {
          expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
          expect(OIDC).not.toContain(scope);
        }
        expect(read.value.offlineAccess).toBe(requested.includes("offline_access"));
      }
    }),
  );
});

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
