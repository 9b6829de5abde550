import { describe, expect, it } from "vitest";
import { importKeySet, readKeySet } from "../../../shared/caller/key-set.ts";
import { fail } from "../../../shared/core/result.ts";
import {
  AUTHORITY_HOST,
  attackerKey,
  CONSUMERS_TENANT_ID,
  consumersIssuer,
  consumersKey,
  entraKey,
  OTHER_TENANT_ID,
  publish,
  TENANT_ID,
  V1_ISSUER,
  V2_ISSUER,
} from "../../forged-tokens/support/tenant.ts";

const owner = { tenantId: TENANT_ID, tenantIssuer: V2_ISSUER };
const read = (...keys: unknown[]) => readKeySet(JSON.stringify({ keys }), owner);
const keyIds = (...keys: unknown[]) => {
  const moduli = read(...keys);
  return moduli.ok ? [...moduli.value.keys()] : moduli.failure;
};

describe("the key set of this tenant", () => {
  it.each([
    ["the template", `${AUTHORITY_HOST}/{tenantid}/v2.0`],
    ["this tenant", V2_ISSUER],
  ])("E-23 includes a key whose issuer is %s", (_what, issuer) => {
    expect(keyIds(publish(entraKey, { issuer }))).toEqual([entraKey.keyId]);
  });

  it("E-21 includes a key without an issuer", () => {
    const { issuer: _issuer, ...entry } = publish(entraKey);
    expect(keyIds(entry)).toEqual([entraKey.keyId]);
  });

  it.each([
    ["E-21 the consumers' issuer", consumersIssuer],
    ["TK-3 the consumers' tenant in the template's place", `${AUTHORITY_HOST}/${CONSUMERS_TENANT_ID}/v2.0`],
    ["E-23 another tenant", `${AUTHORITY_HOST}/${OTHER_TENANT_ID}/v2.0`],
    ["E-23 another cloud", "https://login.microsoftonline.us/{tenantid}/v2.0"],
    ["E-23 the v1 issuer", V1_ISSUER],
    ["E-23 a look-alike", "https://login.microsoftonline.com.evil.example/{tenantid}/v2.0"],
    ["E-23 the template in another case", `${AUTHORITY_HOST}/{TenantId}/v2.0`],
    ["E-23 a trailing slash", `${V2_ISSUER}/`],
    ["E-23 null", null],
    ["E-23 a list", [V2_ISSUER]],
    ["E-23 empty", ""],
  ])("%s: excluded", (_what, issuer) => {
    expect(keyIds(publish(consumersKey, { issuer }), publish(entraKey))).toEqual([entraKey.keyId]);
  });

  it.each([
    ["kty EC", { kty: "EC" }],
    ["kty missing", { kty: undefined }],
    ["use enc", { use: "enc" }],
    ["use missing", { use: undefined }],
    ["kid missing", { kid: undefined }],
    ["kid empty", { kid: "" }],
    ["kid number", { kid: 1 }],
    ["n number", { n: 1 }],
    ["n padded", { n: `${publish(attackerKey)["n"]}=` }],
    ["e 3", { e: "Aw" }],
    ["alg RS512", { alg: "RS512" }],
  ])("%s: excluded", (_what, changes) => {
    expect(keyIds(publish(attackerKey, changes), publish(entraKey))).toEqual([entraKey.keyId]);
  });

  it("includes a key with alg RS256", () => {
    expect(keyIds(publish(entraKey, { alg: "RS256" }))).toEqual([entraKey.keyId]);
  });

  it("JW-17 excludes all keys of an id that is used by two keys", () => {
    const twin = publish(attackerKey, { kid: entraKey.keyId });
    expect(keyIds(publish(entraKey), twin, publish(entraKey), publish(attackerKey))).toEqual([attackerKey.keyId]);
    expect(read(publish(entraKey), twin)).toEqual(fail("no_usable_key"));
  });

  it("includes a key that is listed twice", () => {
    expect(keyIds(publish(entraKey), publish(entraKey, { issuer: V2_ISSUER }))).toEqual([entraKey.keyId]);
  });

  it("includes a key whose id is also used by a key of another issuer", () => {
    const stranger = publish(consumersKey, { kid: entraKey.keyId, issuer: consumersIssuer });
    expect(keyIds(publish(entraKey), stranger)).toEqual([entraKey.keyId]);
  });

  it("accepts names of Object.prototype as ids", () => {
    expect(keyIds(publish(entraKey, { kid: "__proto__" }))).toEqual(["__proto__"]);
  });
});

describe("imported keys", () => {
  it("can only verify RS256, and contain only the public numbers", async () => {
    const moduli = read(publish(entraKey, { d: "private", key_ops: ["sign"], ext: true }));
    if (!moduli.ok) throw new Error(moduli.failure);
    const imported = (await importKeySet(moduli.value, new Map())).get(entraKey.keyId);
    expect(imported?.key).toMatchObject({
      type: "public",
      usages: ["verify"],
      algorithm: { name: "RSASSA-PKCS1-v1_5", hash: { name: "SHA-256" }, modulusLength: 2048 },
    });
  });
});
