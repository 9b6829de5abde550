import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createClientSecret } from "../../../shared/credential/client-secret.ts";
import type { CredentialEvent } from "../../../shared/credential/credential-event.ts";
import type { VaultFailure } from "../../../shared/credential/vault.ts";
import { type FakeVersion, fakeVault } from "./support/fake-vault.ts";

/** Entra's number for the refused credential. */
const REFUSED = [7000215];

const EPOCH_MS = 1_800_000_000_000;
const EPOCH_SECONDS = EPOCH_MS / 1000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const unreachable: VaultFailure = { kind: "vault_unreachable", code: "ECONNREFUSED" };

function setUp(versions?: Readonly<Record<string, FakeVersion>>) {
  const vault = fakeVault(versions);
  const clock = { ms: EPOCH_MS };
  const events: CredentialEvent[] = [];
  const source = createClientSecret({
    vault,
    name: "client-secret",
    now: () => clock.ms,
    onEvent: (event) => events.push(event),
  });
  /** The version in use, or the failure's kind. */
  const current = async () => {
    const result = await source.current();
    return result.ok ? result.value.version : result.failure.kind;
  };
  const names = () => events.map((event) => event.name);
  return { vault, clock, events, names, source, current };
}

/** Waits until background work without pending calls has finished. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the first read of a client secret", () => {
  it.each<[string, FakeVersion, string, object]>([
    [
      "expired, although the vault returns it (KV-20)",
      { expiresAtSeconds: EPOCH_SECONDS - 1 },
      "credential_expired",
      { version: "v1", expiresAtSeconds: EPOCH_SECONDS - 1 },
    ],
    ["expiring in this second", { expiresAtSeconds: EPOCH_SECONDS }, "credential_expired", {}],
    [
      "not yet valid",
      { notBeforeSeconds: EPOCH_SECONDS + 1 },
      "credential_not_yet_valid",
      { version: "v1", notBeforeSeconds: EPOCH_SECONDS + 1 },
    ],
    ["disabled", { enabled: false }, "credential_disabled", {}],
  ])("uses no secret that is %s", async (_name, version, kind, fields) => {
    const { source } = setUp({ v1: version });
    expect(await source.current()).toMatchObject({ ok: false, failure: { kind, ...fields } });
    expect(source.describe()).toMatchObject({ state: "unavailable", version: undefined });
  });

  it.each<[VaultFailure, string]>([
    [unreachable, "vault_unreachable"],
    [{ kind: "vault_timeout" }, "vault_timeout"],
    [{ kind: "vault_throttled" }, "vault_throttled"],
    [{ kind: "vault_refused", code: "ForbiddenByRbac" }, "vault_refused"],
    [{ kind: "identity_unavailable" }, "identity_unavailable"],
    [{ kind: "secret_missing" }, "secret_missing"],
    [{ kind: "vault_answer_invalid" }, "vault_answer_invalid"],
  ])("fails with the reason of the vault failure %o", async (failure, reason) => {
    const { source, vault, events } = setUp();
    vault.failure = failure;
    expect(await source.current()).toEqual({ ok: false, failure: { kind: "credential_unavailable", reason } });
    expect(events).toEqual([{ name: "credential_unavailable", credential: "client-secret", reason }]);
  });

  it("is shared by fifty callers", async () => {
    const { vault, current, names } = setUp();
    const { release } = vault.hold();
    const callers = Array.from({ length: 50 }, current);
    await settled();
    release();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["v1"]));
    expect(vault.reads).toEqual(["latest"]);
    expect(names()).toEqual(["credential_read"]);
  });

  it("is shared by fifty callers if it fails, and follows again after five seconds", async () => {
    const { vault, current, clock } = setUp();
    vault.failure = unreachable;
    const { release } = vault.hold();
    const callers = Array.from({ length: 50 }, current);
    release();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["credential_unavailable"]));
    const reads = vault.reads.length;
    clock.ms += 5 * SECOND_MS - 1;
    expect(await current()).toBe("credential_unavailable");
    expect(vault.reads).toHaveLength(reads);
    vault.failure = undefined;
    clock.ms += 1;
    expect(await current()).toBe("v1");
  });

  it("does not happen before the credential is needed", () => {
    const { source, vault } = setUp();
    expect(source.describe()).toEqual({ state: "unread", version: undefined, expiresAtSeconds: undefined });
    expect(vault.reads).toEqual([]);
  });

  it("uses the newest valid version if the newest one is not valid yet, as in a prepared rotation", async () => {
    const { current, vault, clock } = setUp({ v1: {}, v2: { notBeforeSeconds: EPOCH_SECONDS + 60 } });
    expect(await current()).toBe("v1");
    expect(vault.reads).toEqual(["latest", "list", "v1"]);
    clock.ms += MINUTE_MS;
    expect(await current()).toBe("v2");
  });

  it("uses an older version if the newest is disabled, but not a disabled or expired one", async () => {
    const { current } = setUp({
      v1: {},
      v2: { expiresAtSeconds: EPOCH_SECONDS - 1 },
      v3: { enabled: false },
      v4: { enabled: false },
    });
    expect(await current()).toBe("v1");
  });

  it("fails if the newest version is disabled and the vault does not list older ones", async () => {
    const { current, vault } = setUp({ v1: {}, v2: { enabled: false } });
    vault.listFailure = { kind: "vault_refused", code: "ForbiddenByRbac" };
    expect(await current()).toBe("credential_disabled");
  });

  it("fails if the older version disappears between list and read", async () => {
    const { current, vault } = setUp({ v1: {}, v2: { enabled: false } });
    const { listVersions } = vault;
    vault.listVersions = async (name) => {
      const listed = await listVersions(name);
      vault.versions.delete("v1");
      return listed;
    };
    expect(await current()).toBe("credential_disabled");
  });

  it("passes an exception of the vault client, which is a bug, on to the caller", async () => {
    const { current, vault } = setUp();
    vault.readSecret = async () => {
      throw new TypeError("bug");
    };
    await expect(current()).rejects.toThrow("bug");
  });
});

describe("a later read of a client secret", () => {
  it("happens in the background after five minutes, and no caller waits for it", async () => {
    const { vault, current, clock, source, events } = setUp();
    await current();
    vault.versions.set("v2", { expiresAtSeconds: EPOCH_SECONDS + 86_400 });
    clock.ms += 5 * MINUTE_MS - 1;
    await current();
    expect(vault.reads).toHaveLength(1);

    clock.ms += 1;
    const { release } = vault.hold();
    expect(await Promise.all([current(), current()])).toEqual(["v1", "v1"]);
    expect(vault.reads).toHaveLength(2);
    release();
    await settled();
    expect(await current()).toBe("v2");
    expect(source.describe()).toEqual({ state: "ready", version: "v2", expiresAtSeconds: EPOCH_SECONDS + 86_400 });
    expect(events.at(-1)).toEqual({ name: "credential_changed", credential: "client-secret", from: "v1", to: "v2" });
  });

  it("happens every half minute from ten minutes before the secret expires", async () => {
    const { vault, current, clock } = setUp({ v1: { expiresAtSeconds: EPOCH_SECONDS + 9 * 60 } });
    await current();
    clock.ms += 30 * SECOND_MS;
    vault.versions.set("v2", {});
    expect(await current()).toBe("v1");
    await settled();
    expect(await current()).toBe("v2");
  });

  it("notices changed dates of the same version", async () => {
    const { vault, current, clock } = setUp({ v1: { expiresAtSeconds: EPOCH_SECONDS + 60 } });
    await current();
    vault.versions.set("v1", { expiresAtSeconds: EPOCH_SECONDS + 3_600 });
    clock.ms += 30 * SECOND_MS;
    await current();
    await settled();
    clock.ms += 60 * SECOND_MS;
    expect(await current()).toBe("v1");
  });

  it("that throws leaves the last value in use and no rejection unhandled", async () => {
    const { vault, current, clock, events } = setUp();
    await current();
    vault.readSecret = async () => {
      throw new TypeError("bug");
    };
    clock.ms += 5 * MINUTE_MS;
    expect(await current()).toBe("v1");
    await settled();
    expect(events.at(-1)).toMatchObject({ name: "credential_stale", reason: "internal" });
    clock.ms += 29 * SECOND_MS;
    expect(await current()).toBe("v1");
  });

  it("that fails does not keep an expired secret in use", async () => {
    const { vault, current, clock } = setUp({ v1: { expiresAtSeconds: EPOCH_SECONDS + 60 } });
    await current();
    vault.failure = unreachable;
    clock.ms += MINUTE_MS;
    expect(await current()).toBe("credential_unavailable");
  });
});

describe("a vault that is down after the first read", () => {
  it.each<VaultFailure>([
    unreachable,
    { kind: "vault_timeout" },
    { kind: "vault_refused", code: "ForbiddenByRbac" },
    { kind: "secret_missing" },
    { kind: "vault_answer_invalid" },
  ])("leaves the last good value in use and causes an event: %o", async (failure) => {
    const { vault, current, clock, source, events } = setUp();
    await current();
    vault.failure = failure;
    for (let day = 0; day < 30; day += 1) {
      clock.ms += 24 * 60 * MINUTE_MS;
      expect(await current()).toBe("v1");
      await settled();
    }
    expect(source.describe()).toMatchObject({ state: "stale", version: "v1" });
    expect(events.at(-1)).toEqual({
      name: "credential_stale",
      credential: "client-secret",
      version: "v1",
      reason: failure.kind,
    });
  });

  it("is read again after half a minute, not by every request", async () => {
    const { vault, current, clock, source } = setUp();
    await current();
    vault.failure = unreachable;
    clock.ms += 5 * MINUTE_MS;
    for (let call = 0; call < 100; call += 1) {
      await current();
      await settled();
    }
    expect(vault.reads).toHaveLength(2);
    vault.failure = undefined;
    clock.ms += 30 * SECOND_MS;
    await current();
    await settled();
    expect(source.describe()).toMatchObject({ state: "ready" });
  });
});

describe("a version that is disabled in the vault", () => {
  it("is no longer used if it was in use", async () => {
    const { vault, current, clock, events } = setUp();
    await current();
    vault.versions.set("v1", { enabled: false });
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    expect(await current()).toBe("credential_disabled");
    expect(events).toContainEqual({
      name: "credential_version_unusable",
      credential: "client-secret",
      version: "v1",
      reason: "disabled",
    });
  });

  it("changes nothing if another version is in use", async () => {
    const { vault, current, clock, source } = setUp();
    await current();
    vault.versions.set("v2", { enabled: false });
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    expect(await current()).toBe("v1");
    expect(source.describe().state).toBe("stale");
  });
});

describe("Entra refuses a version (7000215, 7000222)", () => {
  it("KV-42: if Entra accepts both versions, the new one is used without a refusal", async () => {
    const { vault, current, clock, names } = setUp();
    expect(await current()).toBe("v1");
    vault.versions.set("v2", {});
    clock.ms += 5 * MINUTE_MS;
    expect(await current()).toBe("v1");
    await settled();
    expect(await current()).toBe("v2");
    expect(names()).not.toContain("credential_refused");
  });

  it("KV-42: if the old version was removed at Entra first, one refusal causes one read and the new one is used", async () => {
    const { vault, current, source, events } = setUp();
    await current();
    vault.versions.set("v2", {});
    expect(await source.refused("v1", REFUSED)).toBe(true);
    expect(await current()).toBe("v2");
    expect(vault.reads).toEqual(["latest", "latest"]);
    expect(events.at(-1)).toEqual({
      name: "credential_refused",
      credential: "client-secret",
      version: "v1",
      next: "v2",
      aadsts: 7000215,
      remedy: expect.stringContaining("Store the value"),
    });
  });

  it("KV-42: if Entra refuses both versions, reads are bounded, and a third version is used when it comes", async () => {
    const { vault, current, source, clock } = setUp();
    await current();
    vault.versions.set("v2", {});
    expect(await source.refused("v1", REFUSED)).toBe(true);
    expect(await source.refused("v2", REFUSED)).toBe(false);
    const reads = vault.reads.length;
    for (let call = 0; call < 100; call += 1) {
      clock.ms += 10;
      const offered = await current();
      expect(await source.refused(offered, REFUSED)).toBe(false);
    }
    expect(vault.reads).toHaveLength(reads);
    vault.versions.set("v3", {});
    clock.ms += 10 * SECOND_MS;
    expect(await source.refused(await current(), REFUSED)).toBe(true);
    expect(await current()).toBe("v3");
  });

  it("the refusal of the only version is final for the request, and the version stays in use because Entra may know it later", async () => {
    const { current, source, vault } = setUp();
    await current();
    expect(await source.refused("v1", REFUSED)).toBe(false);
    expect(vault.reads).toEqual(["latest", "latest", "list"]);
    expect(await current()).toBe("v1");
  });

  it("fifty concurrent refusals cause one read, and all requests may try again", async () => {
    const { vault, current, source } = setUp();
    await current();
    vault.versions.set("v2", {});
    const { release } = vault.hold();
    const refusals = Array.from({ length: 50 }, () => source.refused("v1", REFUSED));
    await settled();
    release();
    expect(new Set(await Promise.all(refusals))).toEqual(new Set([true]));
    expect(vault.reads).toEqual(["latest", "latest"]);
    // A later refusal finds the new version without another read.
    expect(await source.refused("v1", REFUSED)).toBe(true);
    expect(vault.reads).toHaveLength(2);
  });

  it("a refusal during a read waits for that read", async () => {
    const { vault, current, source, clock } = setUp();
    await current();
    vault.versions.set("v2", {});
    clock.ms += 5 * MINUTE_MS;
    const { release } = vault.hold();
    await current();
    const refusal = source.refused("v1", REFUSED);
    await settled();
    release();
    expect(await refusal).toBe(true);
    expect(vault.reads).toEqual(["latest", "latest"]);
  });

  it("E-82: if Entra does not know the new version yet, the previous one is used and the new one tried again later", async () => {
    const { vault, current, source, clock, events } = setUp();
    await current();
    vault.versions.set("v2", {});
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    expect(await current()).toBe("v2");

    expect(await source.refused("v2", REFUSED)).toBe(true);
    expect(events.at(-1)).toMatchObject({ name: "credential_refused", version: "v2", next: "v1" });
    expect(await current()).toBe("v1");
    expect(vault.reads).toEqual(["latest", "latest", "latest"]);
    clock.ms += 15 * SECOND_MS - 1;
    expect(await current()).toBe("v1");
    clock.ms += 1;
    expect(await current()).toBe("v2");
  });

  it("E-82: the wait doubles up to fifteen minutes, and concurrent refusals count as one", async () => {
    const { vault, current, source, clock } = setUp({ v1: {}, v2: {} });
    await current();
    expect(vault.versions.size).toBe(2);
    const waits: number[] = [];
    for (let refusal = 0; refusal < 9; refusal += 1) {
      expect(await Promise.all(Array.from({ length: 20 }, () => source.refused("v2", REFUSED)))).not.toContain(false);
      const since = clock.ms;
      while ((await current()) === "v1") {
        await settled();
        clock.ms += 5 * SECOND_MS;
      }
      waits.push((clock.ms - since) / SECOND_MS);
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it("E-82: a new instance without the previous version in memory reads it from the vault", async () => {
    const { vault, current, source } = setUp({ v1: {}, v2: {} });
    expect(await current()).toBe("v2");
    expect(await source.refused("v2", REFUSED)).toBe(true);
    expect(vault.reads).toEqual(["latest", "latest", "list", "v1"]);
    expect(await current()).toBe("v1");
  });

  it("if the previous version is removed at Entra during the wait, the new one is used again after the wait", async () => {
    const { current, source, clock } = setUp({ v1: {}, v2: {} });
    await current();
    await source.refused("v2", REFUSED);
    expect(await current()).toBe("v1");
    expect(await source.refused("v1", REFUSED)).toBe(false);
    clock.ms += 15 * SECOND_MS;
    expect(await current()).toBe("v2");
  });

  it("while the vault is down, a refusal is final for the request but the value stays in use", async () => {
    const { vault, current, source } = setUp();
    await current();
    vault.failure = unreachable;
    expect(await source.refused("v1", REFUSED)).toBe(false);
    expect(await current()).toBe("v1");
    expect(source.describe().state).toBe("refused");
  });

  it("KV-42: a version that was removed at Entra long ago is not tried before the vault is read", async () => {
    const { vault, current, source, clock } = setUp();
    await current();
    vault.versions.set("v2", {});
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    expect(await current()).toBe("v2");
    clock.ms += 60 * MINUTE_MS;
    vault.versions.set("v3", {});
    expect(await source.refused("v2", REFUSED)).toBe(true);
    expect(await current()).toBe("v3");
  });

  it("E-82: a version that was refused only when it was new is used again when its successor is refused", async () => {
    const { vault, current, source, clock } = setUp({ v1: {}, v2: {} });
    await current();
    await source.refused("v2", REFUSED);
    clock.ms += 15 * SECOND_MS;
    expect(await current()).toBe("v2");
    vault.versions.set("v3", {});
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    expect(await current()).toBe("v3");
    expect(await source.refused("v3", REFUSED)).toBe(true);
    expect(await current()).toBe("v2");
  });

  it("E-82: while the vault is down, the previous version is used if the new one is refused", async () => {
    const { vault, current, source, clock } = setUp();
    await current();
    vault.versions.set("v2", {});
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    vault.failure = unreachable;
    expect(await source.refused("v2", REFUSED)).toBe(true);
    expect(await current()).toBe("v1");
  });

  it("the number of versions in memory is bounded", async () => {
    const { vault, current, source, clock } = setUp();
    await current();
    for (let version = 2; version <= 20; version += 1) {
      vault.versions.set(`v${version}`, {});
      clock.ms += 10 * SECOND_MS;
      await source.refused(`v${version - 1}`, REFUSED);
      expect(await current()).toBe(`v${version}`);
    }
    vault.versions.set("v20", { enabled: false });
    vault.reads.length = 0;
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    expect(vault.reads.filter((read) => read !== "latest" && read !== "list")).toHaveLength(4);
  });
});

describe("the output of a client secret source", () => {
  it("never contains the secret, in any event, failure or description", async () => {
    const { vault, current, source, clock, events } = setUp({ v1: { value: "S3cr3t-one" } });
    await current();
    vault.versions.set("v2", { value: "S3cr3t-two" });
    await source.refused("v1", REFUSED);
    await source.refused("v2", REFUSED);
    vault.failure = { kind: "vault_refused", code: "ForbiddenByRbac" };
    clock.ms += 5 * MINUTE_MS;
    await current();
    await settled();
    const credential = await source.current();
    const everything = [credential, source, source.describe(), events];
    expect(inspect(everything, { depth: 12, showHidden: true })).not.toContain("S3cr3t");
    expect(JSON.stringify(everything)).not.toContain("S3cr3t");
    expect(credential.ok && credential.value.kind === "secret" && credential.value.value.reveal()).toBe("S3cr3t-two");
  });
});
