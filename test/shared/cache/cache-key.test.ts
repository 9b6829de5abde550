/** Two cache keys are equal exactly when Entra would return the same token; no key contains a secret or a name (SEC-9). */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CacheKeyParts, cacheKey, type TokenIdentity } from "../../../shared/cache/cache-key.ts";
import { identityKey } from "../../../shared/core/user-identity.ts";

const USER: TokenIdentity = { kind: "user", tenantId: "t", objectId: "o", clientId: "c", assertionDigest: "d1" };
const PARTS: CacheKeyParts = {
  tenantId: "t",
  registration: "r",
  flow: "on-behalf-of",
  resource: "https://graph.microsoft.com",
  scopes: ["Mail.Read", "User.Read"],
  cae: false,
  identity: USER,
};

describe("the cache key changes with", () => {
  test.each<[string, Partial<CacheKeyParts>]>([
    ["the tenant", { tenantId: "t2" }],
    ["the registration", { registration: "r2" }],
    ["the flow", { flow: "refresh-token" }],
    ["the resource", { resource: "https://graph.microsoft.us" }],
    ["one scope fewer", { scopes: ["Mail.Read"] }],
    ["two scopes joined to one", { scopes: ["Mail.Read User.Read"] }],
    ["the declared capability", { cae: true }],
    ["the kind of identity", { identity: { kind: "application" } }],
    ["a grant instead of a user", { identity: { kind: "grant", grantId: "g", confirmation: undefined } }],
    ["the tenant of the same oid (SEC-9)", { identity: { ...USER, tenantId: "t2" } }],
    ["the user", { identity: { ...USER, objectId: "o2" } }],
    ["the client of the user", { identity: { ...USER, clientId: "c2" } }],
    ["the assertion (SEC-9)", { identity: { ...USER, assertionDigest: "d12" } }],
    ["characters moved from one part to the next", { identity: { ...USER, objectId: "oc", clientId: "" } }],
  ])("%s", (_name, change) => {
    expect(cacheKey({ ...PARTS, ...change })).not.toBe(cacheKey(PARTS));
  });

  test("the grant", () => {
    const keyOf = (grantId: string, confirmation?: string) =>
      cacheKey({ ...PARTS, identity: { kind: "grant", grantId, confirmation } });
    expect(keyOf("a")).not.toBe(keyOf("b"));
    expect(keyOf("a", "allowed again")).not.toBe(keyOf("a", "allowed"));
  });
});

describe("the cache key does not depend on", () => {
  test("the order and repetition of scopes", () => {
    expect(cacheKey({ ...PARTS, scopes: ["User.Read", "Mail.Read", "User.Read"] })).toBe(cacheKey(PARTS));
  });

  test("the cache key is computed without reordering the caller's list of scopes", () => {
    const scopes = Object.freeze(["b", "a"]);
    cacheKey({ ...PARTS, scopes });
    expect(scopes).toEqual(["b", "a"]);
  });
});

const word = fc.string({ maxLength: 12 });
const identity: fc.Arbitrary<TokenIdentity> = fc.oneof(
  fc.record({
    kind: fc.constant("user" as const),
    tenantId: word,
    objectId: word,
    clientId: word,
    assertionDigest: word,
  }),
  fc.record({ kind: fc.constant("grant" as const), grantId: word, confirmation: fc.option(word, { nil: undefined }) }),
  fc.constant({ kind: "application" as const }),
);
const anyParts: fc.Arbitrary<CacheKeyParts> = fc.record({
  tenantId: word,
  registration: word,
  flow: word,
  resource: word,
  scopes: fc.array(word, { maxLength: 4 }),
  cae: fc.boolean(),
  identity,
});

/** The parts with their scopes as a set. */
function meaning(parts: CacheKeyParts): unknown {
  return { ...parts, scopes: new Set(parts.scopes) };
}

test("property: two keys are equal exactly when their parts are equal and their scopes are the same set", () => {
  fc.assert(
    fc.property(anyParts, anyParts, (left, right) => {
      const equal = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
      expect(cacheKey(left) === cacheKey(right)).toBe(equal);
      expect(meaning(left)).toEqual(meaning({ ...left, scopes: left.scopes.toReversed() }));
    }),
    { numRuns: 500 },
  );
});

test("property: a change of one member, however small, is another key", () => {
  const names = fc.constantFrom("tenantId", "registration", "flow", "resource");
  fc.assert(
    fc.property(anyParts, names, word, (parts, name, value) => {
      fc.pre(parts[name as "flow"] !== value);
      expect(cacheKey({ ...parts, [name]: value })).not.toBe(cacheKey(parts));
    }),
  );
});

test("property: a key is always 43 base64url characters, so it reveals none of its parts", () => {
  fc.assert(
    fc.property(anyParts, (parts) => {
      expect(cacheKey(parts)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    }),
  );
});

test("the budget key of a user depends on tenant and object id", () => {
  expect(identityKey({ tenantId: "t", objectId: "o" })).toBe(identityKey({ tenantId: "t", objectId: "o" }));
  expect(identityKey({ tenantId: "t", objectId: "o" })).not.toBe(identityKey({ tenantId: "to", objectId: "" }));
});

function sorted(parts: CacheKeyParts): unknown {
  const { tenantId, registration, flow, resource, cae, identity: who } = parts;
  const identityEntries = Object.entries(who).sort(([left], [right]) => (left < right ? -1 : 1));
  return [tenantId, registration, flow, resource, cae, identityEntries, [...new Set(parts.scopes)].sort()];
}
