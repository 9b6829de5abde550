/** What is stored in Redis opens only whole, under its own key, with our secret. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { sealEntry, unsealEntry } from "../../../../shared/cache/redis/sealed-entry.ts";
import { cachedToken } from "./support/level.ts";

const secret = randomBytes(32);
const token = cachedToken("eyJ.token.one");

test("opens with all that it held", () => {
  const opened = unsealEntry(secret, "key", sealEntry(secret, "key", token));
  expect(opened).toEqual({ ...token, accessToken: expect.anything() });
  expect(opened?.accessToken.reveal()).toBe("eyJ.token.one");
});

test("a token without a user or with a suggested renewal comes back as it was", () => {
  const other = { ...token, user: undefined, refreshAtSeconds: 5 };
  expect(unsealEntry(secret, "key", sealEntry(secret, "key", other))).toEqual({
    ...other,
    accessToken: expect.anything(),
  });
});

test("shows nothing of the token", () => {
  const entry = sealEntry(secret, "key", token).toString("latin1");
  expect(entry).not.toContain("eyJ");
  expect(entry).not.toContain("User.Read");
});

test("is another each time", () => {
  expect(sealEntry(secret, "key", token).equals(sealEntry(secret, "key", token))).toBe(false);
});

test("moved under another key, it does not open", () => {
  expect(unsealEntry(secret, "other", sealEntry(secret, "key", token))).toBeUndefined();
});

test("with another secret, it does not open", () => {
  expect(unsealEntry(randomBytes(32), "key", sealEntry(secret, "key", token))).toBeUndefined();
});

test("with any bit changed, it does not open", () => {
  const entry = sealEntry(secret, "key", token);
  for (let at = 0; at < entry.byteLength; at++) {
    const changed = Buffer.from(entry);
    changed.writeUInt8(entry.readUInt8(at) ^ 1, at);
    expect(unsealEntry(secret, "key", changed), `byte ${at}`).toBeUndefined();
  }
});

test("cut to any length, or with something after it, it does not open", () => {
  const entry = sealEntry(secret, "key", token);
  for (let length = 0; length < entry.byteLength; length++) {
    expect(unsealEntry(secret, "key", entry.subarray(0, length))).toBeUndefined();
  }
  expect(unsealEntry(secret, "key", Buffer.concat([entry, Buffer.of(0)]))).toBeUndefined();
});

test("garbage is nothing", () => {
  for (const garbage of ["", "L", "nil", "{}", "\u0001", "\u0001".repeat(500)]) {
    expect(unsealEntry(secret, "key", Buffer.from(garbage))).toBeUndefined();
  }
  for (let size = 0; size < 200; size++) {
    expect(unsealEntry(secret, "key", randomBytes(size))).toBeUndefined();
  }
});
