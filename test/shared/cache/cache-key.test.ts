/** Cache keys: equal exactly when the token would be; no secret and no name in them (SEC-9). */

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

describe("a difference in one part is another key", () => {
  test.each<[string, Partial<CacheKeyParts>]>([
    ["tenant", { tenantId: "t2" }],
    ["registration", { registration: "r2" }],
    ["flow", { flow: "refresh-token" }],
    ["resource", { resource: "https://graph.microsoft.us" }],
    ["one scope fewer", { scopes: ["Mail.Read"] }],
    ["scopes run together", { scopes: ["Mail.Read User.Read"] }],
    ["capability", { cae: true }],
    ["another kind of identity", { identity: { kind: "application" } }],
    ["a grant", { identity: { kind: "grant", grantId: "g" } }],
    ["SEC-9: the same oid in another tenant", { identity: { ...USER, tenantId: "t2" } }],
    ["another user", { identity: { ...USER, objectId: "o2" } }],
    ["another client of the user", { identity: { ...USER, clientId: "c2" } }],
    ["SEC-9: another assertion", { identity: { ...USER, assertionDigest: "d12" } }],
    ["parts that shift between members", { identity: { ...USER, objectId: "oc", clientId: "" } }],
  ])("%s", (_name, change) => {
    expect(cacheKey({ ...PARTS, ...change })).not.toBe(cacheKey(PARTS));
  });

  test("two grants", () => {
    const keyOf = (grantId: string) => cacheKey({ ...PARTS, identity: { kind: "grant", grantId } });
    expect(keyOf("a")).not.toBe(keyOf("b"));
  });
});

describe("what does not change the token does not change the key", () => {
  test("order and repeats of scopes", () => {
    expect(cacheKey({ ...PARTS, scopes: ["User.Read", "Mail.Read", "User.Read"] })).toBe(cacheKey(PARTS));
  });

  test("the caller's list is not reordered", () => {
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
  fc.record({ kind: fc.constant("grant" as const), grantId: word }),
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

/** What the parts mean, in a form of its own: scopes are a set. */
function meaning(parts: CacheKeyParts): unknown {
  return { ...parts, scopes: new Set(parts.scopes) };
}

test("property: keys are equal exactly when the parts mean the same", () => {
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

test("property: a key is 43 base64url characters, whatever went in, so that nothing can be read from it", () => {
  fc.assert(
    fc.property(anyParts, (parts) => {
      expect(cacheKey(parts)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    }),
  );
});

test("the key of a user's budget names tenant and object, nothing else", () => {
  expect(identityKey({ tenantId: "t", objectId: "o" })).toBe(identityKey({ tenantId: "t", objectId: "o" }));
  expect(identityKey({ tenantId: "t", objectId: "o" })).not.toBe(identityKey({ tenantId: "to", objectId: "" }));
});

function sorted(parts: CacheKeyParts): unknown {
  const { tenantId, registration, flow, resource, cae, identity: who } = parts;
  const whose = Object.entries(who).sort(([left], [right]) => (left < right ? -1 : 1));
  return [tenantId, registration, flow, resource, cae, whose, [...new Set(parts.scopes)].sort()];
}
