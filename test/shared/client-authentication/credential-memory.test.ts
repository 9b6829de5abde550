/** What the service remembers about an accepted credential: a keyed hash, a token and its end. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OwnCredentialOf } from "../../../shared/caller/authenticate.ts";
import { createCredentialMemory } from "../../../shared/client-authentication/credential-memory.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";

const CLIENT = "ca11e400-0000-4000-8000-000000000001";
const URI = "api://5e471ce0-0000-4000-8000-000000000001";
const HOUR = 3_600;
const credential = (value: string, more: Partial<OwnCredentialOf> = {}): OwnCredentialOf => ({
  method: "entra_secret",
  clientId: CLIENT,
  value: new SecretValue(value),
  ...more,
});
const TOKEN = new SecretValue("token");

describe("the key of a credential", () => {
  test("property: differs for every change of client, method, registration or value", () => {
    const memory = createCredentialMemory();
    const parts = fc.record({
      method: fc.constantFrom("entra_secret" as const, "entra_assertion" as const),
      clientId: fc.uuid(),
      uri: fc.webUrl(),
      value: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        const same = JSON.stringify(left) === JSON.stringify(right);
        const keys = [left, right].map(({ value, uri, ...rest }) => memory.keyOf(credential(value, rest), uri));
        expect(keys[0] === keys[1]).toBe(same);
      }),
    );
  });

  test("is keyed by the process: it says nothing about a secret without the key, and its comparison has no useful timing", () => {
    const [one, other] = [createCredentialMemory(), createCredentialMemory()];
    expect(one.keyOf(credential("s3cret"), URI)).not.toBe(other.keyOf(credential("s3cret"), URI));
    expect(one.keyOf(credential("s3cret"), URI)).toMatch(/^[\w-]{43}$/);
  });
});

describe("the token of a credential", () => {
  test("is found until it expires; the credential is known for a day longer", () => {
    const memory = createCredentialMemory();
    const key = memory.keyOf(credential("s3cret"), URI);
    expect([memory.token(key, 0), memory.isKnown(key, 0)]).toEqual([undefined, false]);
    memory.remember(key, TOKEN, HOUR);
    expect([memory.token(key, HOUR - 1), memory.isKnown(key, HOUR - 1)]).toEqual([TOKEN, true]);
    expect([memory.token(key, HOUR), memory.isKnown(key, HOUR)]).toEqual([undefined, true]);
    expect(memory.isKnown(key, 25 * HOUR - 1)).toBe(true);
    expect(memory.isKnown(key, 25 * HOUR)).toBe(false);
  });

  test("is gone with the credential that Entra refuses", () => {
    const memory = createCredentialMemory();
    const key = memory.keyOf(credential("s3cret"), URI);
    memory.remember(key, TOKEN, HOUR);
    memory.forget(key);
    expect([memory.token(key, 0), memory.isKnown(key, 0)]).toEqual([undefined, false]);
  });
});

test("the memory is bounded, and the least recently used credential is removed first", () => {
  const memory = createCredentialMemory(2);
  const [a = "", b = "", c = ""] = ["a", "b", "c"].map((value) => memory.keyOf(credential(value), URI));
  memory.remember(a, TOKEN, HOUR);
  memory.remember(b, TOKEN, HOUR);
  memory.token(a, 0);
  memory.remember(c, TOKEN, HOUR);
  expect([a, b, c].map((key) => memory.isKnown(key, 0))).toEqual([true, false, true]);
});
