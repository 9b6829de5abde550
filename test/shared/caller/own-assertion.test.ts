/** Recognises an assertion that a client signed itself. Nothing about it is verified here. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readOwnAssertion } from "../../../shared/caller/own-assertion.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";

const CLIENT = "ca11e400-0000-4000-8000-000000000001";
const encode = (part: unknown) =>
  Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
const read = (payload: unknown) =>
  readOwnAssertion(new SecretValue(`${encode({ alg: "RS256" })}.${encode(payload)}.c2ln`));
const GOOD = { iss: CLIENT, sub: CLIENT, aud: "https://login.microsoftonline.com/x", exp: 1_000 };

describe("an own assertion", () => {
  test("has its client, its audiences and its expiry", () => {
    expect(read(GOOD)).toEqual({ clientId: CLIENT, audiences: [GOOD.aud], expiresAtSeconds: 1_000 });
    expect(read({ ...GOOD, aud: ["a", "b"] })?.audiences).toEqual(["a", "b"]);
    expect(read({ ...GOOD, iss: CLIENT.toUpperCase(), sub: CLIENT.toUpperCase() })?.clientId).toBe(CLIENT);
  });

  test.each([undefined, "1000", null, {}])("with exp %o counts as expired", (exp) => {
    expect(read({ ...GOOD, exp })?.expiresAtSeconds).toBe(0);
  });
});

test.each([
  ["an Entra token", { ...GOOD, iss: "https://login.microsoftonline.com/x/v2.0" }],
  ["another subject", { ...GOOD, sub: "ca11e400-0000-4000-8000-000000000002" }],
  ["the same subject in other case", { ...GOOD, sub: CLIENT.toUpperCase() }],
  ["no issuer", { ...GOOD, iss: undefined }],
  ["an issuer that is no GUID", { ...GOOD, iss: "web", sub: "web" }],
  ["a repeated claim", `{"iss":"${CLIENT}","iss":"${CLIENT}","sub":"${CLIENT}"}`],
  ["a list", [GOOD]],
  ["no JSON", "iss"],
])("%s is none", (_title, payload) => {
  expect(read(payload)).toBeUndefined();
});

test("property: no text throws", () => {
  fc.assert(fc.property(fc.string(), (text) => void readOwnAssertion(new SecretValue(text))));
  fc.assert(fc.property(fc.json(), (json) => void read(json)));
});
