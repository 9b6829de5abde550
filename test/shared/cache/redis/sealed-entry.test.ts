/** An entry in Redis can be unsealed only unchanged, under its own key, with the same secret. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { sealEntry, unsealEntry } from "../../../../shared/cache/redis/sealed-entry.ts";
import { cachedToken } from "./support/level.ts";

const secret = randomBytes(32);
const token = cachedToken("eyJ.token.one");

test("a sealed entry is unsealed with all members of the token", () => {
  const unsealed = unsealEntry(secret, "key", sealEntry(secret, "key", token));
  expect(unsealed).toEqual({ ...token, accessToken: expect.anything() });
  expect(unsealed?.accessToken.reveal()).toBe("eyJ.token.one");
});

test("a sealed entry is unsealed with the same optional members: no user, a suggested renewal time", () => {
  const other = { ...token, user: undefined, refreshAtSeconds: 5 };
  expect(unsealEntry(secret, "key", sealEntry(secret, "key", other))).toEqual({
    ...other,
    accessToken: expect.anything(),
  });
});

test("a sealed entry contains no readable part of the token", () => {
  const entry = sealEntry(secret, "key", token).toString("latin1");
  expect(entry).not.toContain("eyJ");
  expect(entry).not.toContain("User.Read");
});

test("a sealed entry differs each time, also for the same token", () => {
  expect(sealEntry(secret, "key", token).equals(sealEntry(secret, "key", token))).toBe(false);
});

test("a sealed entry cannot be unsealed under another cache key", () => {
  expect(unsealEntry(secret, "other", sealEntry(secret, "key", token))).toBeUndefined();
});

test("a sealed entry cannot be unsealed with another secret", () => {
  expect(unsealEntry(randomBytes(32), "key", sealEntry(secret, "key", token))).toBeUndefined();
});

test("a sealed entry cannot be unsealed after the change of a bit in any byte", () => {
  const entry = sealEntry(secret, "key", token);
  for (let at = 0; at < entry.byteLength; at++) {
    const changed = Buffer.from(entry);
    changed.writeUInt8(entry.readUInt8(at) ^ 1, at);
    expect(unsealEntry(secret, "key", changed), `byte ${at}`).toBeUndefined();
  }
});

test("a sealed entry cannot be unsealed after it was shortened or extended", () => {
  const entry = sealEntry(secret, "key", token);
  for (let length = 0; length < entry.byteLength; length++) {
    expect(unsealEntry(secret, "key", entry.subarray(0, length))).toBeUndefined();
  }
  expect(unsealEntry(secret, "key", Buffer.concat([entry, Buffer.of(0)]))).toBeUndefined();
});

test("bytes that are not a sealed entry cannot be unsealed", () => {
  for (const garbage of ["", "L", "nil", "{}", "\u0001", "\u0001".repeat(500)]) {
    expect(unsealEntry(secret, "key", Buffer.from(garbage))).toBeUndefined();
  }
  for (let size = 0; size < 200; size++) {
    expect(unsealEntry(secret, "key", randomBytes(size))).toBeUndefined();
  }
});
