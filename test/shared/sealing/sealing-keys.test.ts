import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { createSealingKeys, type SealingKeySource } from "../../../shared/sealing/sealing-keys.ts";
import { EPOCH_MS, expectOk, fakeKeySource, VERSION_1, VERSION_2 } from "../grants/support/fixtures.ts";

const MINUTE_MS = 60_000;

function setUp(source: SealingKeySource) {
  const clock = { ms: EPOCH_MS };
  const stale: string[] = [];
  const keys = createSealingKeys({ source, now: () => clock.ms, onStale: (reason) => stale.push(reason) });
  return { keys, clock, stale };
}

/** Waits until background work without pending calls has finished. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the value of a sealing key", () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => 255 - at));

  it.each([
    ["empty", ""],
    ["16 bytes", Buffer.alloc(16).toString("base64")],
    ["31 bytes", Buffer.alloc(31).toString("base64")],
    ["33 bytes", Buffer.alloc(33).toString("base64")],
    ["64 bytes", Buffer.alloc(64).toString("base64")],
    ["hex", bytes.toString("hex")],
    ["a password of 43 characters that are not base64", "!".repeat(43)],
  ])("is refused with a separate failure: %s", async (_name, value) => {
    const { keys } = setUp({ read: async () => succeed({ version: VERSION_1, value: new SecretValue(value) }) });
    expect(await keys.current()).toEqual({ ok: false, failure: { kind: "sealing_key_invalid", version: VERSION_1 } });
  });

  it.each([
    ["base64", bytes.toString("base64")],
    ["base64url", bytes.toString("base64url")],
    ["a line feed at the end", `${bytes.toString("base64")}\n`],
  ])("is accepted: 32 bytes in %s", async (_name, value) => {
    const { keys } = setUp({ read: async () => succeed({ version: VERSION_1, value: new SecretValue(value) }) });
    const { key, kid } = expectOk(await keys.current());
    expect({ kid, key: Buffer.from(key).toString("hex") }).toEqual({ kid: VERSION_1, key: bytes.toString("hex") });
  });

  it.each([
    ["path", "a/b"],
    ["empty", ""],
  ])("is refused with a version that cannot be a key id: %s", async (_name, version) => {
    const value = new SecretValue(bytes.toString("base64"));
    const { keys } = setUp({ read: async () => succeed({ version, value }) });
    expect(await keys.current()).toMatchObject({ ok: false, failure: { kind: "sealing_key_invalid" } });
  });

  it("is refused with another version than the requested one", async () => {
    const value = new SecretValue(bytes.toString("base64"));
    const { keys } = setUp({ read: async () => succeed({ version: VERSION_2, value }) });
    expect(await keys.byId(VERSION_1, "grant")).toMatchObject({ ok: false, failure: { kind: "sealing_key_invalid" } });
  });
});

describe("the newest sealing key", () => {
  it("is read once for fifty callers", async () => {
    const source = fakeKeySource();
    const { keys } = setUp(source);
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.current()));
    expect(found.every((key) => key.ok)).toBe(true);
    expect(source.reads).toEqual([undefined]);
  });

  it("is read again after five minutes, in the background", async () => {
    const source = fakeKeySource();
    const { keys, clock } = setUp(source);
    await keys.current();
    source.versions.set(VERSION_2, Buffer.alloc(32, "2").toString("base64"));
    clock.ms += 5 * MINUTE_MS - 1;
    expect(expectOk(await keys.current()).kid).toBe(VERSION_1);
    await settled();
    expect(source.reads).toHaveLength(1);
    clock.ms += 1;
    expect(expectOk(await keys.current()).kid).toBe(VERSION_1);
    await settled();
    expect(expectOk(await keys.current()).kid).toBe(VERSION_2);
  });

  it("stays in use while the vault is down, and a stale event reports it", async () => {
    const source = fakeKeySource();
    const { keys, clock, stale } = setUp(source);
    await keys.current();
    source.down = "vault_timeout";
    clock.ms += 24 * 60 * MINUTE_MS;
    expect(expectOk(await keys.current()).kid).toBe(VERSION_1);
    await settled();
    expect(stale).toEqual(["vault_timeout"]);
    expect(expectOk(await keys.current()).kid).toBe(VERSION_1);
  });

  it("stays in use if a newer version is unusable, and a stale event reports it", async () => {
    const source = fakeKeySource();
    const { keys, clock, stale } = setUp(source);
    await keys.current();
    source.versions.set(VERSION_2, "too short");
    clock.ms += 5 * MINUTE_MS;
    await keys.current();
    await settled();
    expect(stale).toEqual(["sealing_key_invalid"]);
    expect(expectOk(await keys.current()).kid).toBe(VERSION_1);
  });

  it("is read again five seconds after a failed first read", async () => {
    const source = fakeKeySource();
    source.down = "vault_unreachable";
    const { keys, clock } = setUp(source);
    const failure = { kind: "sealing_key_unavailable", reason: "vault_unreachable" };
    for (let call = 0; call < 20; call += 1) expect(await keys.current()).toEqual({ ok: false, failure });
    expect(source.reads).toHaveLength(1);
    source.down = undefined;
    clock.ms += 5_000;
    expect((await keys.current()).ok).toBe(true);
  });

  it("is unavailable if the source throws, and no rejection is left unhandled", async () => {
    const { keys } = setUp({
      read: async () => {
        throw new Error("https://vault.example/secrets/name");
      },
    });
    expect(await keys.current()).toEqual({
      ok: false,
      failure: { kind: "sealing_key_unavailable", reason: "internal" },
    });
  });
});

describe("sealing keys by id", () => {
  it("come from memory after the first read", async () => {
    const source = fakeKeySource([VERSION_1, VERSION_2]);
    const { keys } = setUp(source);
    await keys.current();
    await keys.byId(VERSION_2, "grant");
    await keys.byId(VERSION_1, "grant");
    await keys.byId(VERSION_1, "grant");
    expect(source.reads).toEqual([undefined, VERSION_1]);
  });

  it("distinguish a version that does not exist from a vault that does not answer", async () => {
    const source = fakeKeySource();
    const { keys } = setUp(source);
    expect(await keys.byId(VERSION_2, "grant")).toEqual({
      ok: false,
      failure: { kind: "seal_broken", problem: "key" },
    });
    source.down = "vault_timeout";
    expect(await keys.byId(VERSION_2, "grant")).toEqual({
      ok: false,
      failure: { kind: "sealing_key_unavailable", reason: "vault_timeout" },
    });
  });

  it("are not read for a text that cannot be a key id", async () => {
    const source = fakeKeySource();
    const { keys } = setUp(source);
    expect(await keys.byId("../secrets/other", "grant")).toMatchObject({ failure: { problem: "key" } });
    expect(source.reads).toEqual([]);
  });

  it("are read within a budget: invented ids can neither flood the vault nor use up the reads of another purpose", async () => {
    const source = fakeKeySource();
    const { keys, clock } = setUp(source);
    for (let made = 0; made < 1_000; made += 1) await keys.byId(`made-up-${made}`, "cookie");
    // One read of the newest key, and the budget.
    expect(source.reads).toHaveLength(1 + 8);
    expect(await keys.byId("made-up", "cookie")).toMatchObject({ failure: { kind: "too_many_unknown_keys" } });
    expect((await keys.byId(VERSION_1, "grant")).ok).toBe(true);
    clock.ms += MINUTE_MS;
    expect(await keys.byId("made-up", "cookie")).toMatchObject({ failure: { kind: "seal_broken" } });
  });

  it("are read once for many requests at the same time that name the same one", async () => {
    const source = fakeKeySource([VERSION_1, VERSION_2]);
    const { keys } = setUp(source);
    await keys.current();
    const found = await Promise.all(Array.from({ length: 20 }, () => keys.byId(VERSION_1, "grant")));
    expect(found.every(({ ok }) => ok)).toBe(true);
    expect(source.reads).toEqual([undefined, VERSION_1]);
  });

  it("include the newest key in a new instance, even if invented ids have used up the budget", async () => {
    const source = fakeKeySource([VERSION_1, VERSION_2]);
    const { keys } = setUp(source);
    for (let made = 0; made < 20; made += 1) await keys.byId(`made-up-${made}`, "link");
    expect((await keys.byId(VERSION_2, "link")).ok).toBe(true);
  });

  it("are bounded in number, and the least recently used is removed first", async () => {
    const versions = Array.from({ length: 10 }, (_, at) => String(at).repeat(32));
    const source = fakeKeySource(versions);
    const { keys } = setUp(source);
    for (const [at, version] of versions.entries()) {
      await keys.byId(version, `purpose-${at}`);
      await keys.byId(versions[0] ?? "", "grant");
    }
    expect(new Set(source.reads)).toEqual(new Set([undefined, ...versions]));
    const reads = source.reads.length;
    await keys.byId(versions[9] ?? "", "grant");
    expect(source.reads).toHaveLength(reads);
    await keys.byId(versions[1] ?? "", "grant");
    expect(source.reads).toHaveLength(reads + 1);
  });

  it("are never printed", async () => {
    const source = fakeKeySource();
    const { keys } = setUp(source);
    await keys.current();
    expect(inspect(keys, { depth: 9, showHidden: true })).not.toContain("aaaa");
  });
});
