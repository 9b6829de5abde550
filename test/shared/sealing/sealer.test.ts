import { hkdfSync } from "node:crypto";
import fc from "fast-check";
import { CompactEncrypt } from "jose";
import { describe, expect, it } from "vitest";
import { createSealer } from "../../../shared/sealing/sealer.ts";
import { expectOk, fakeKeySource, testSealer, VERSION_1, VERSION_2 } from "../grants/support/fixtures.ts";

const SALT = Buffer.alloc(32, "salt");
const TEXT = "a refresh token";

const encode = (text: string) => Buffer.from(text).toString("base64url");
const broken = (problem: string) => ({ ok: false, failure: { kind: "seal_broken", problem } });

async function sealed(): Promise<string> {
  return expectOk(await testSealer().seal(TEXT, SALT));
}

function parts(text: string): [string, string, string, string, string] {
  const [header = "", key = "", iv = "", ciphertext = "", tag = ""] = text.split(".");
  return [header, key, iv, ciphertext, tag];
}

/** A seal with the right key, but with another protected header. */
async function sealWith(header: Record<string, unknown>, source = fakeKeySource()): Promise<string> {
  const vaultKey = Buffer.from(source.versions.get(VERSION_1) ?? "", "base64");
  const key = new Uint8Array(hkdfSync("sha256", vaultKey, SALT, "gte-grant+jwe A256GCM", 32));
  return new CompactEncrypt(Buffer.from(TEXT))
    .setProtectedHeader(header as { alg: string; enc: string })
    .encrypt(key, { crit: { b64: true } } as never);
}

const GOOD = { alg: "dir", enc: "A256GCM", kid: VERSION_1, typ: "gte-grant+jwe" };

describe("unsealing", () => {
  it("accepts the reference header, so the refusals below are caused by the header alone", async () => {
    expect(await testSealer().unseal(await sealWith(GOOD), SALT)).toEqual({ ok: true, value: TEXT });
  });

  it.each<[string, Record<string, unknown>]>([
    ["another order", { enc: "A256GCM", alg: "dir", kid: VERSION_1, typ: "gte-grant+jwe" }],
    ["no typ", { alg: "dir", enc: "A256GCM", kid: VERSION_1 }],
    ["typ of another purpose", { ...GOOD, typ: "gte-link+jwe" }],
    ["typ in capitals", { ...GOOD, typ: "GTE-GRANT+JWE" }],
    ["typ with the prefix of a media type", { ...GOOD, typ: "application/gte-grant+jwe" }],
    ["no kid", { alg: "dir", enc: "A256GCM", typ: "gte-grant+jwe" }],
    ["kid with a path", { ...GOOD, kid: "../other" }],
    ["kid too long", { ...GOOD, kid: "a".repeat(65) }],
    ["a kid that is a number", { ...GOOD, kid: 1 }],
    ["an extra member", { ...GOOD, cty: "JWT" }],
    ["compression", { ...GOOD, zip: "DEF" }],
    ["a key in the header", { ...GOOD, jwk: { kty: "oct", k: "AA" } }],
    ["a critical extension", { ...GOOD, crit: ["b64"], b64: true }],
  ])("refuses another header before decrypting: %s", async (name, header) => {
    let text: string;
    try {
      text = await sealWith(header);
    } catch {
      // jose does not write this header: put it on a valid seal.
      const [, ...rest] = (await sealed()).split(".");
      text = [encode(JSON.stringify(header)), ...rest].join(".");
    }
    const source = fakeKeySource();
    expect(await testSealer(source).unseal(text, SALT), name).toEqual(broken("form"));
    expect(source.reads).toEqual([]);
  });

  it.each<[string, (text: string) => string]>([
    ["empty", () => ""],
    ["four parts", (text) => text.split(".").slice(0, 4).join(".")],
    ["six parts", (text) => `${text}.`],
    ["an encrypted key", (text) => text.replace("..", ".AAAA.")],
    ["a short iv", (text) => parts(text).with(2, "AAAAAAAA").join(".")],
    ["no ciphertext", (text) => parts(text).with(3, "").join(".")],
    ["a short tag", (text) => parts(text).with(4, "AAAAAAAAAAAAAAAA").join(".")],
    ["padding", (text) => `${text}==`],
    ["white space", (text) => ` ${text}`],
    ["line feed", (text) => `${text}\n`],
    [
      "spaces inside the header",
      (text) =>
        parts(text)
          .with(0, encode(JSON.stringify(GOOD, null, 1)))
          .join("."),
    ],
    [
      "a member twice",
      (text) =>
        parts(text)
          .with(0, encode(`{"alg":"none",${JSON.stringify(GOOD).slice(1)}`))
          .join("."),
    ],
    ["a header that is not JSON", (text) => parts(text).with(0, encode("alg=dir")).join(".")],
    ["a header that is null", (text) => parts(text).with(0, encode("null")).join(".")],
    ["a header that is a text", (text) => parts(text).with(0, encode('"dir"')).join(".")],
    [
      "alg RSA1_5",
      (text) =>
        parts(text)
          .with(0, encode(JSON.stringify({ ...GOOD, alg: "RSA1_5" })))
          .join("."),
    ],
    [
      "alg PBES2",
      (text) =>
        parts(text)
          .with(0, encode(JSON.stringify({ ...GOOD, alg: "PBES2-HS256+A128KW", p2c: 1e9 })))
          .join("."),
    ],
    [
      "alg none",
      (text) =>
        parts(text)
          .with(0, encode(JSON.stringify({ ...GOOD, alg: "none" })))
          .join("."),
    ],
    [
      "enc A128CBC-HS256",
      (text) =>
        parts(text)
          .with(0, encode(JSON.stringify({ ...GOOD, enc: "A128CBC-HS256" })))
          .join("."),
    ],
    ["too large", (text) => parts(text).with(3, "A".repeat(30_000)).join(".")],
    [
      "another spelling of the tag",
      (text) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1),
    ],
    ["a JWS", () => `${encode("{}")}.${encode("{}")}.AAAA`],
    ["JSON serialization", () => JSON.stringify({ protected: encode(JSON.stringify(GOOD)), ciphertext: "AAAA" })],
  ])("refuses another form before decrypting: %s", async (_name, change) => {
    const source = fakeKeySource();
    expect(await testSealer(source).unseal(change(await sealed()), SALT)).toEqual(broken("form"));
    expect(source.reads).toEqual([]);
  });

  it("refuses a changed iv, ciphertext or tag", async () => {
    const text = await sealed();
    for (const part of [2, 3, 4]) {
      const bytes = Buffer.from(parts(text)[part] ?? "", "base64url");
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      const changed = parts(text).with(part, bytes.toString("base64url")).join(".");
      expect(await testSealer().unseal(changed, SALT)).toEqual(broken("decryption"));
    }
  });

  it("refuses a wrong salt and no salt: the vault alone is not enough to unseal", async () => {
    const text = await sealed();
    expect(await testSealer().unseal(text, Buffer.alloc(32, "other"))).toEqual(broken("decryption"));
    expect(await testSealer().unseal(text)).toEqual(broken("decryption"));
  });

  it("refuses a wrong vault key with the right id: the handle alone is not enough to unseal", async () => {
    const source = fakeKeySource();
    source.versions.set(VERSION_1, Buffer.alloc(32, "another key").toString("base64"));
    expect(await testSealer(source).unseal(await sealed(), SALT)).toEqual(broken("decryption"));
  });

  it("refuses a seal of another purpose even if its typ is rewritten", async () => {
    const link = expectOk(await testSealer(fakeKeySource(), "link").seal(TEXT, SALT));
    expect(await testSealer().unseal(link, SALT)).toEqual(broken("form"));
    const relabelled = parts(link)
      .with(0, encode(JSON.stringify(GOOD)))
      .join(".");
    expect(await testSealer().unseal(relabelled, SALT)).toEqual(broken("decryption"));
  });

  it("refuses a key version that the vault does not have", async () => {
    const source = fakeKeySource([VERSION_2]);
    expect(await testSealer(source).unseal(await sealed(), SALT)).toEqual(broken("key"));
  });

  it("refuses any text without throwing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{0,9}(\.[A-Za-z0-9_-]{0,22}){4}$/)),
        async (text) => {
          expect((await testSealer().unseal(text, SALT)).ok).toBe(false);
        },
      ),
    );
  });
});

describe("sealing", () => {
  it("and unsealing return the same text, with and without salt", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", minLength: 1 }).map((text) => text.toWellFormed()),
        fc.option(fc.uint8Array({ minLength: 1 }), { nil: undefined }),
        async (text, salt) => {
          const sealer = testSealer();
          const opened = await sealer.unseal(expectOk(await sealer.seal(text, salt)), salt);
          expect(opened).toEqual({ ok: true, value: text });
        },
      ),
    );
  });

  it("throws for an empty text", async () => {
    await expect(testSealer().seal("", SALT)).rejects.toThrow(TypeError);
  });

  it("writes exactly the documented header", async () => {
    const [header] = parts(await sealed());
    expect(Buffer.from(header, "base64url").toString()).toBe(
      `{"alg":"dir","enc":"A256GCM","kid":"${VERSION_1}","typ":"gte-grant+jwe"}`,
    );
  });

  it("never writes the same seal twice", async () => {
    expect(await sealed()).not.toBe(await sealed());
  });

  it("uses the newest key version, and older seals can still be unsealed", async () => {
    const before = await sealed();
    const source = fakeKeySource([VERSION_1, VERSION_2]);
    const sealer = testSealer(source);
    const after = expectOk(await sealer.seal(TEXT, SALT));
    expect(Buffer.from(parts(after)[0], "base64url").toString()).toContain(VERSION_2);
    expect(await sealer.unseal(before, SALT)).toEqual({ ok: true, value: TEXT });
    expect(await sealer.unseal(after, SALT)).toEqual({ ok: true, value: TEXT });
  });

  it("refuses a text that does not fit into a table property, and accepts the largest that does", async () => {
    const sealer = testSealer();
    expect(await sealer.seal("x".repeat(22_001), SALT)).toEqual({ ok: false, failure: { kind: "seal_too_large" } });
    const largest = expectOk(await sealer.seal("x".repeat(22_000), SALT));
    expect(largest.length).toBeLessThanOrEqual(30_000);
    expect((await sealer.unseal(largest, SALT)).ok).toBe(true);
  });

  it("fails without a key", async () => {
    const source = fakeKeySource();
    source.down = "vault_timeout";
    expect(await testSealer(source).seal(TEXT, SALT)).toEqual({
      ok: false,
      failure: { kind: "sealing_key_unavailable", reason: "vault_timeout" },
    });
  });

  it.each(["", "Grant", "a", "grant+jwe", "grant "])("throws for the purpose %j", (purpose) => {
    expect(() => createSealer({ purpose, keys: { current: async () => never(), byId: async () => never() } })).toThrow(
      TypeError,
    );
  });
});

function never(): never {
  throw new Error("must not be called");
}
