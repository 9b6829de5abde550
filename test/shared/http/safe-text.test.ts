/** Values of callers in messages: bounded, without characters that could break out, never a credential. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safeList, safeText } from "../../../shared/http/safe-text.ts";

/** RFC 6749 section 5.2. */
const ALLOWED = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;
const BASE64URL = fc.string({
  unit: fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
  minLength: 20,
  maxLength: 60,
});

describe("one value", () => {
  test.each([
    "User.Read",
    "Files.ReadWrite.AppFolder",
    "OnlineMeetingTranscript.Read.All",
    ".default",
    "https://graph.microsoft.com/User.Read",
    "api://11111111-2222-3333-4444-555555555555/access_as_user",
    "499b84ac-1321-427f-aa17-267ca6975798/user_impersonation",
    "https://app.example/cb?x=1",
    "web-users",
    "SecurityIdentitiesUserActions.Read.All",
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
    "optionsOverride.AcquireTokenOptions.LongRunningWebApiSessionKey",
  ])("%j is shown unchanged", (value) => {
    expect(safeText(value)).toBe(value);
  });

  test.each([
    ["a handle", `gte_${"x".repeat(43)}`, "(a handle)"],
    ["a handle inside other text", `grant: gte_abc`, "(a handle)"],
    ["a JWT", "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2ln", "(a token)"],
    ["a JWT after Bearer", "Bearer eyJhbGciOiJSUzI1NiJ9.x.y", "(a token)"],
    ["a client secret of Entra", "abc8Q~defghijklmnopqrstuvwxyzabcdefghijkl", "(a value that looks like a secret)"],
    ["a random word", "kJ8sQ2mZ0pLx7VbN4tRw9yCd", "(a value that looks like a secret)"],
    ["a random word without a digit", "kJxsQZmZbpLxQVbN", "(a value that looks like a secret)"],
    ["a random word in a URI", "https://x/kJ8sQ2mZ0pLx7VbN4tRw9yCd", "(a value that looks like a secret)"],
    ["a user name", "alice@contoso.local", "(an address)"],
    ["a long value", "x".repeat(101), "(a long value)"],
    ["an empty value", "", "(an empty value)"],
    ["a quotation mark", 'a"b', "(a value with forbidden characters)"],
    ["a backslash", "a\\b", "(a value with forbidden characters)"],
    ["a line break and a header", "graph\r\nX-Injected: 1", "(a value with forbidden characters)"],
    ["a letter outside ASCII", "Ä", "(a value with forbidden characters)"],
  ])("%s is replaced", (_name, value, shown) => {
    expect(safeText(value)).toBe(shown);
  });

  test("property: only the characters of RFC 6749, and at most 100 of them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (value) => {
        expect(safeText(value)).toMatch(ALLOWED);
        expect(safeText(value).length).toBeLessThanOrEqual(100);
      }),
    );
  });

  test("property: no part of a JWT, of a handle or of a random secret is shown", () => {
    fc.assert(
      fc.property(BASE64URL, fc.string({ maxLength: 10 }), (secret, around) => {
        for (const value of [`eyJ${secret}.${secret}`, `gte_${secret}`, `aB3${secret}`]) {
          expect(safeText(`${around}${value}`)).not.toContain(secret.slice(0, 8));
        }
      }),
    );
  });
});

describe("several values", () => {
  test("are separated by commas, each once", () => {
    expect(safeList(["User.Read", "Mail.Read", "User.Read"])).toBe("User.Read, Mail.Read");
  });

  test("are at most 20", () => {
    const scopes = Array.from({ length: 23 }, (_, index) => `Scope${index}`);
    expect(safeList(scopes)).toMatch(/Scope19 and 3 more$/);
  });

  test("property: only the characters of RFC 6749, of bounded length", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (values) => {
        expect(safeList(values)).toMatch(ALLOWED);
        expect(safeList(values).length).toBeLessThanOrEqual(20 * 102 + 20);
      }),
    );
  });
});
