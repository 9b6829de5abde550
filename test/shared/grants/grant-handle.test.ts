import { createHash } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handleBytes, newHandle, parseHandle } from "../../../shared/grants/grant-handle.ts";

const VALID = `gte_${"A".repeat(43)}`;

describe("a handle", () => {
  it.each([
    ["empty", ""],
    ["no prefix", "A".repeat(43)],
    ["another prefix", `GTE_${"A".repeat(43)}`],
    ["too short", `gte_${"A".repeat(42)}`],
    ["too long", `gte_${"A".repeat(44)}`],
    ["padded", `gte_${"A".repeat(42)}=`],
    ["base64 instead of base64url", `gte_${"A".repeat(41)}+A`],
    ["another spelling of the last character", `gte_${"A".repeat(42)}B`],
    ["line feed at the end", `${VALID}\n`],
    ["space in front", ` ${VALID}`],
    ["text after the handle", `${VALID} ${VALID}`],
    ["a grant id", createHash("sha256").update(VALID).digest("hex")],
  ])("is refused in any other form: %s", (_name, text) => {
    expect(parseHandle(text)).toEqual({ ok: false, failure: { kind: "handle_malformed" } });
  });

  it("is refused for every string that newHandle cannot return", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseHandle(text).ok).toBe(false);
      }),
    );
  });

  it("has one spelling per value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 0, max: 63 }), (bytes, last) => {
        const text = `gte_${Buffer.from(bytes).toString("base64url")}`;
        const parsed = parseHandle(text);
        expect(parsed.ok && Buffer.from(handleBytes(parsed.value)).equals(Buffer.from(bytes))).toBe(true);

        const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const respelled = text.slice(0, -1) + alphabet.charAt(last);
        const same = Buffer.from(respelled.slice(4), "base64url").equals(Buffer.from(bytes));
        expect(parseHandle(respelled).ok && same).toBe(respelled === text);
      }),
    );
  });

  it("from newHandle parses, is unique, and has its SHA-256 as id", () => {
    const handle = newHandle();
    const text = handle.secret.reveal();
    expect(parseHandle(text)).toMatchObject({ ok: true, value: { id: handle.id } });
    expect(handle.id).toBe(createHash("sha256").update(text).digest("hex"));
    expect(handleBytes(handle)).toHaveLength(32);
    expect(newHandle().id).not.toBe(handle.id);
  });

  it("does not appear in printed output", () => {
    const handle = newHandle();
    const printed = [inspect(handle, { depth: 9 }), JSON.stringify(handle), String(handle.secret)].join();
    expect(printed).not.toContain(handle.secret.reveal());
    expect(printed).not.toContain(handle.secret.reveal().slice(4));
  });
});
