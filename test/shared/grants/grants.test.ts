import { describe, expect, it } from "vitest";
import type { ConsentedApis } from "../../../shared/core/api-scopes.ts";
import type { Grant } from "../../../shared/core/grant.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { newHandle } from "../../../shared/grants/grant-handle.ts";
import type { GrantCaller, StoredGrant, UnsealedGrant } from "../../../shared/grants/grant-types.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import {
  applicationCaller,
  CLIENT,
  DAY_MS,
  EPOCH_MS,
  expectOk,
  fakeKeySource,
  grantRequest,
  isLive,
  OTHER,
  REGISTRATION,
  TENANT,
  testSealer,
  USER,
  userCaller,
} from "./support/fixtures.ts";
import { memoryStore } from "./support/memory-store.ts";

const applicationBinding = { kind: "application", tenantId: TENANT, clientId: CLIENT } as const;
const failure = (kind: string) => ({ ok: false, failure: expect.objectContaining({ kind }) });

const revoked = (id: string) => ({ ok: true, value: expect.objectContaining({ id }) });

function setUp() {
  const clock = { ms: EPOCH_MS };
  const store = memoryStore();
  const source = fakeKeySource();
  const grants = createGrants({ isLive, store, sealer: testSealer(source), now: () => clock.ms });
  return { clock, store, source, grants };
}

async function setUpWithGrant(changes: Parameters<typeof grantRequest>[0] = {}) {
  const world = setUp();
  const { handle, grant } = expectOk(await world.grants.create(grantRequest(changes)));
  /** Another instance with the same store. */
  const other = createGrants({
    isLive,
    store: world.store,
    sealer: testSealer(world.source),
    now: () => world.clock.ms,
  });
  return { ...world, handle, grant, other };
}

function withScopes(
  { apis: [first, ...others] }: Grant,
  change: (scopes: readonly string[]) => string[],
): ConsentedApis {
  return [{ ...first, scopes: change(first.scopes) }, ...others];
}

type World = Awaited<ReturnType<typeof setUpWithGrant>>;

function stored(world: World) {
  const row = world.store.rows.get(world.grant.id);
  if (row === undefined) throw new Error("no row");
  return row;
}

async function opened(world: World, caller: GrantCaller = userCaller): Promise<UnsealedGrant> {
  return expectOk(await world.grants.open(world.handle, caller));
}

describe("opening and revoking a grant", () => {
  const other = OTHER;
  it.each<[string, "user" | "application", GrantCaller, boolean]>([
    ["of a user is allowed for the user through the same client", "user", userCaller, true],
    ["of a user is refused for another user", "user", { ...userCaller, objectId: other }, false],
    ["of a user is refused through another client", "user", { ...userCaller, clientId: other }, false],
    ["of a user is refused for another tenant", "user", { ...userCaller, tenantId: other }, false],
    ["of a user is refused for the client as an application", "user", applicationCaller, false],
    [
      "of a user is refused for an application with the user's object id",
      "user",
      { ...applicationCaller, objectId: USER },
      false,
    ],
    ["of an application is allowed for the application", "application", applicationCaller, true],
    [
      "of an application is refused for another application",
      "application",
      { ...applicationCaller, clientId: other },
      false,
    ],
    [
      "of an application is refused for another tenant",
      "application",
      { ...applicationCaller, tenantId: other },
      false,
    ],
    ["of an application is refused for its user", "application", userCaller, false],
    ["of an application is refused for another user", "application", { ...userCaller, objectId: other }, false],
  ])("%s", async (_name, kind, caller, allowed) => {
    const world = await setUpWithGrant({ binding: { kind, tenantId: TENANT, clientId: CLIENT } });
    const result = await world.grants.open(world.handle, caller);
    expect(result).toEqual(allowed ? { ok: true, value: expect.anything() } : failure("grant_not_bound"));
    expect(await world.grants.revoke(world.handle, caller)).toEqual(
      allowed ? revoked(world.grant.id) : failure("grant_not_bound"),
    );
    expect(world.store.rows.size).toBe(allowed ? 0 : 1);
  });
});

describe("an application's grant on a person's behalf", () => {
  const visibility = { onTheirBehalf: true };
  const throughOther: GrantCaller = { ...userCaller, clientId: OTHER };

  it.each<[string, GrantCaller, boolean]>([
    ["can be listed and revoked, but not opened, by the person through the same client", userCaller, true],
    ["can be listed and revoked, but not opened, by the person through another client", throughOther, true],
    ["cannot be listed, revoked or opened by another person", { ...userCaller, objectId: OTHER }, false],
    [
      "cannot be listed, revoked or opened by a person of another tenant with the same object id",
      { ...userCaller, tenantId: OTHER },
      false,
    ],
    [
      "cannot be listed, revoked or opened by an application with the person's object id",
      { ...applicationCaller, clientId: OTHER, objectId: USER },
      false,
    ],
  ])("%s", async (_name, caller, allowed) => {
    const world = await setUpWithGrant({ binding: applicationBinding });
    const listed = expectOk(await world.grants.list(caller, { limit: 5, ...visibility }));
    expect(listed.grants.length).toBe(allowed ? 1 : 0);
    expect(await world.grants.open(world.handle, caller)).toEqual(failure("grant_not_bound"));
    expect(await world.grants.revokeById(world.grant.id, caller, visibility)).toEqual(
      allowed ? revoked(world.grant.id) : failure("grant_not_bound"),
    );
  });

  it("differs from a user's grant, which the person cannot revoke through another client", async () => {
    const world = await setUpWithGrant();
    expect(await world.grants.revoke(world.handle, throughOther, visibility)).toEqual(failure("grant_not_bound"));
  });
});

describe("opening a grant", () => {
  it("refuses text that is not a handle without calling the store", async () => {
    const { grants, store } = setUp();
    expect(await grants.open(new SecretValue("1.AVeryRawRefreshToken"), userCaller)).toEqual(
      failure("handle_malformed"),
    );
    expect(await grants.revoke(new SecretValue(""), userCaller)).toEqual(failure("handle_malformed"));
    expect(store.calls).toEqual([]);
  });

  it("refuses a handle that was never issued", async () => {
    const { grants } = await setUpWithGrant();
    expect(await grants.open(newHandle().secret, userCaller)).toEqual(failure("grant_unknown"));
  });

  it.each([
    ["one second before", 30 * DAY_MS - 1_000, true],
    ["at the end", 30 * DAY_MS, false],
    ["long after", 300 * DAY_MS, false],
  ])("compares the time with the end of the grant: %s", async (_name, laterMs, allowed) => {
    const world = await setUpWithGrant({ maxDays: 30 });
    world.clock.ms += laterMs;
    expect((await world.grants.open(world.handle, userCaller)).ok).toBe(allowed);
    if (!allowed) expect(await world.grants.open(world.handle, userCaller)).toEqual(failure("grant_expired"));
  });

  it("returns the sealed record of an expired grant", async () => {
    const world = await setUpWithGrant({ maxDays: 30 });
    world.clock.ms += 30 * DAY_MS;
    expect(await world.grants.open(world.handle, userCaller)).toEqual({
      ok: false,
      failure: {
        kind: "grant_expired",
        grantId: world.grant.id,
        expiresAtSeconds: world.grant.expiresAtSeconds,
        sealedRecord: world.grant,
      },
    });
  });

  it.each<[string, (world: World) => StoredGrant]>([
    [
      "another user in the row",
      (world) => ({ ...stored(world), grant: { ...world.grant, user: { tenantId: TENANT, objectId: OTHER } } }),
    ],
    ["an invalid seal", (world) => ({ ...stored(world), sealed: "x" })],
  ])("returns no record of an expired grant if the row was changed: %s", async (_name, change) => {
    const world = await setUpWithGrant({ binding: applicationBinding, maxDays: 30 });
    world.clock.ms += 30 * DAY_MS;
    world.store.rows.set(world.grant.id, change(world));
    expect(await world.grants.open(world.handle, applicationCaller)).toMatchObject({
      failure: { kind: "grant_expired", sealedRecord: undefined },
    });
  });

  it("reports expiry even if the vault is unavailable", async () => {
    const world = await setUpWithGrant();
    const source = fakeKeySource();
    source.down = "vault_timeout";
    world.clock.ms += 31 * DAY_MS;
    const fresh = createGrants({ isLive, store: world.store, sealer: testSealer(source), now: () => world.clock.ms });
    expect(await fresh.open(world.handle, userCaller)).toMatchObject({
      failure: { kind: "grant_expired", sealedRecord: undefined },
    });
  });

  it("does not reveal to another caller that a grant has expired", async () => {
    const world = await setUpWithGrant();
    world.clock.ms += 31 * DAY_MS;
    expect(await world.grants.open(world.handle, applicationCaller)).toEqual(failure("grant_not_bound"));
  });

  it.each<[string, (grant: Grant) => Grant]>([
    ["a later expiry", (grant) => ({ ...grant, expiresAtSeconds: grant.expiresAtSeconds + 1 })],
    ["another creation time", (grant) => ({ ...grant, createdAtSeconds: 0 })],
    ["another time of the approval", (grant) => ({ ...grant, allowedAtSeconds: 0 })],
    ["another confirmation", (grant) => ({ ...grant, confirmation: "x" })],
    ["another challenge", (grant) => ({ ...grant, codeChallenge: "x" })],
    ["another client", (grant) => ({ ...grant, binding: { ...grant.binding, clientId: OTHER } })],
    ["another kind of binding", (grant) => ({ ...grant, binding: { ...grant.binding, kind: "application" } })],
    ["another tenant", (grant) => ({ ...grant, binding: { ...grant.binding, tenantId: OTHER } })],
    ["another user", (grant) => ({ ...grant, user: { ...grant.user, objectId: OTHER } })],
    ["a user of another tenant", (grant) => ({ ...grant, user: { ...grant.user, tenantId: OTHER } })],
    ["another API", (grant) => ({ ...grant, apis: [{ ...grant.apis[0], api: "files" }] })],
    ["one more API", (grant) => ({ ...grant, apis: [...grant.apis, { api: "files", scopes: ["Files.Read"] }] })],
    ["more scopes", (grant) => ({ ...grant, apis: withScopes(grant, (scopes) => [...scopes, "Mail.ReadWrite"]) })],
    [
      "scopes joined into one string",
      (grant) => ({ ...grant, apis: withScopes(grant, (scopes) => [scopes.join(" ")]) }),
    ],
    ["another policy entry", (grant) => ({ ...grant, policyEntry: "admin" })],
    ["another id", (grant) => ({ ...grant, id: "0".repeat(64) })],
  ])("fails if an attacker with access to the storage gave the row %s", async (_name, change) => {
    const world = await setUpWithGrant();
    const row = stored(world);
    const grant = change(row.grant);
    world.store.rows.set(world.grant.id, { ...row, grant });
    const caller = { ...grant.binding, objectId: grant.user.objectId };
    const answer = await world.grants.open(world.handle, { ...caller, tenantId: grant.binding.tenantId });
    expect(answer.ok).toBe(false);
    expect(["seal_broken", "grant_not_bound"]).toContain(answer.ok ? "" : answer.failure.kind);
  });

  it("fails if the sealed part of one grant is in the row of another", async () => {
    const world = await setUpWithGrant();
    const second = expectOk(await world.grants.create(grantRequest({ user: { tenantId: TENANT, objectId: OTHER } })));
    const foreign = world.store.rows.get(second.grant.id);
    world.store.rows.set(world.grant.id, { ...stored(world), sealed: foreign?.sealed ?? "" });
    expect(await world.grants.open(world.handle, userCaller)).toEqual({
      ok: false,
      failure: { kind: "seal_broken", problem: "decryption" },
    });
  });

  it("reports an unavailable sealing key if the vault fails", async () => {
    const world = await setUpWithGrant();
    const source = fakeKeySource();
    source.down = "vault_timeout";
    const fresh = createGrants({ isLive, store: world.store, sealer: testSealer(source), now: () => world.clock.ms });
    expect(await fresh.open(world.handle, userCaller)).toEqual(failure("sealing_key_unavailable"));
  });

  it("returns the refresh token and the record as created", async () => {
    const world = await setUpWithGrant({ binding: applicationBinding });
    const grant = await opened(world, applicationCaller);
    expect(grant.refreshToken.reveal()).toBe("1.AVerySecretRefreshToken-one");
    expect(grant.grant).toEqual({
      id: world.grant.id,
      binding: applicationBinding,
      registration: REGISTRATION,
      user: { tenantId: TENANT, objectId: USER },
      apis: [{ api: "graph", scopes: ["Mail.Send", "User.Read"] }],
      policyEntry: "nightly-mail",
      createdAtSeconds: EPOCH_MS / 1000,
      allowedAtSeconds: EPOCH_MS / 1000,
      expiresAtSeconds: (EPOCH_MS + 30 * DAY_MS) / 1000,
      codeChallenge: undefined,
      verifiedAtSeconds: undefined,
      lastRedeemedAtSeconds: undefined,
      confirmation: undefined,
      declinedConfirmation: undefined,
    });
  });
});

describe("a newer refresh token", () => {
  const tokenOf = async (world: World) => (await opened(world)).refreshToken.reveal();

  it("replaces the stored one and records the time, and the handle stays valid", async () => {
    const world = await setUpWithGrant();
    world.clock.ms += 5_000;
    const grant = expectOk(await world.grants.storeNewer(await opened(world), new SecretValue("two")));
    expect(grant.lastRedeemedAtSeconds).toBe(EPOCH_MS / 1000 + 5);
    expect(await tokenOf(world)).toBe("two");
  });

  it("does not overwrite one that another instance stored in the meantime", async () => {
    const world = await setUpWithGrant();
    const [first, second] = [await opened(world), await opened(world)];
    expectOk(await world.other.storeNewer(second, new SecretValue("second")));
    expect((await world.grants.storeNewer(first, new SecretValue("first"))).ok).toBe(true);
    expect(await tokenOf(world)).toBe("second");
  });

  it("is written again if another instance only recorded a redemption in the meantime", async () => {
    const world = await setUpWithGrant();
    const [first, second] = [await opened(world), await opened(world)];
    expectOk(await world.other.recordRedemption(second));
    expectOk(await world.grants.storeNewer(first, new SecretValue("first")));
    expect(await tokenOf(world)).toBe("first");
  });

  it("does not restore a grant that was revoked in the meantime", async () => {
    const world = await setUpWithGrant();
    const first = await opened(world);
    await world.other.revoke(world.handle, userCaller);
    expect(await world.grants.storeNewer(first, new SecretValue("first"))).toEqual(failure("grant_unknown"));
    expect(world.store.rows.size).toBe(0);
  });

  it("does not restore a grant that is revoked between the conflict and the second read", async () => {
    const world = await setUpWithGrant();
    const first = await opened(world);
    const row = stored(world);
    world.store.rows.set(row.grant.id, { ...row, etag: "changed" });
    world.store.read = async () => ({ ok: true, value: undefined });
    expect(await world.grants.storeNewer(first, new SecretValue("first"))).toEqual(failure("grant_unknown"));
  });

  it("fails after three attempts if the row changes each time, and the stored one stays valid", async () => {
    const world = await setUpWithGrant();
    const first = await opened(world);
    let changes = 0;
    world.store.beforeReplace = () => {
      changes += 1;
      world.store.rows.set(world.grant.id, { ...stored(world), etag: `changed-${changes}` });
    };
    expect(await world.grants.storeNewer(first, new SecretValue("first"))).toEqual(failure("grant_conflict"));
    expect(changes).toBe(3);
    expect(await tokenOf(world)).toBe("1.AVerySecretRefreshToken-one");
  });

  it("is sealed with the newest key", async () => {
    const world = await setUpWithGrant();
    world.source.versions.set("c".repeat(32), Buffer.alloc(32, "c").toString("base64"));
    const later = createGrants({
      isLive,
      store: world.store,
      sealer: testSealer(world.source),
      now: () => world.clock.ms,
    });
    expectOk(await later.storeNewer(expectOk(await later.open(world.handle, userCaller)), new SecretValue("two")));
    const header = Buffer.from(stored(world).sealed.split(".")[0] ?? "", "base64url").toString();
    expect(header).toContain("c".repeat(32));
  });

  it("fails with the failure of the store", async () => {
    const world = await setUpWithGrant();
    const first = await opened(world);
    world.store.failure = { kind: "store_timeout" };
    expect(await world.grants.storeNewer(first, new SecretValue("first"))).toEqual(failure("store_timeout"));
    expect(await world.grants.recordRedemption(first)).toEqual(failure("store_timeout"));
  });

  it("fails with the failure of the second read", async () => {
    const world = await setUpWithGrant();
    const first = await opened(world);
    world.store.rows.set(world.grant.id, { ...stored(world), etag: "changed" });
    world.store.read = async () => ({ ok: false, failure: { kind: "store_timeout" } });
    expect(await world.grants.storeNewer(first, new SecretValue("first"))).toEqual(failure("store_timeout"));
  });

  it("is refused if it is too large to seal, and the stored one stays", async () => {
    const world = await setUpWithGrant();
    expect(await world.grants.storeNewer(await opened(world), new SecretValue("x".repeat(30_000)))).toEqual(
      failure("seal_too_large"),
    );
    expect(await tokenOf(world)).toBe("1.AVerySecretRefreshToken-one");
  });

  it("is refused for a grant without a valid handle", async () => {
    const world = await setUpWithGrant();
    const forged = { ...(await opened(world)), handle: new SecretValue("not a handle") };
    expect(await world.grants.storeNewer(forged, new SecretValue("two"))).toEqual(failure("handle_malformed"));
  });
});

describe("recording a redemption", () => {
  it("writes at most once a day", async () => {
    const world = await setUpWithGrant();
    const recorded = async () => expectOk(await world.grants.recordRedemption(await opened(world)));
    expect((await recorded()).lastRedeemedAtSeconds).toBe(EPOCH_MS / 1000);
    world.clock.ms += DAY_MS - 1_000;
    expect((await recorded()).lastRedeemedAtSeconds).toBe(EPOCH_MS / 1000);
    expect(world.store.calls.filter((call) => call === "replace")).toHaveLength(1);
    world.clock.ms += 1_000;
    expect((await recorded()).lastRedeemedAtSeconds).toBe((EPOCH_MS + DAY_MS) / 1000);
  });

  it("accepts that another instance wrote first, and fails if the grant no longer exists", async () => {
    const world = await setUpWithGrant();
    const first = await opened(world);
    world.store.rows.set(world.grant.id, { ...stored(world), etag: "changed" });
    expect((await world.grants.recordRedemption(first)).ok).toBe(true);
    world.store.rows.clear();
    expect(await world.grants.recordRedemption(first)).toEqual(failure("grant_unknown"));
  });
});

describe("creating a grant", () => {
  it("fails without a row if it cannot be sealed or stored, and every other operation reports the store's failure", async () => {
    const world = setUp();
    expect(await world.grants.create(grantRequest({ refreshToken: new SecretValue("x".repeat(30_000)) }))).toEqual(
      failure("seal_too_large"),
    );
    expect(world.store.calls).toEqual([]);
    world.store.failure = { kind: "store_unavailable", code: "ServerBusy" };
    expect(await world.grants.create(grantRequest())).toEqual(failure("store_unavailable"));
    expect(await world.grants.open(newHandle().secret, userCaller)).toEqual(failure("store_unavailable"));
    expect(await world.grants.list(userCaller, { limit: 5 })).toEqual(failure("store_unavailable"));
    expect(await world.grants.revoke(newHandle().secret, userCaller)).toEqual(failure("store_unavailable"));
    expect(await world.grants.reap({ dryRun: true, limit: 5 })).toEqual(failure("store_unavailable"));
  });

  it("stores neither the handle, nor its random part, nor the refresh token", async () => {
    const world = await setUpWithGrant();
    const row = JSON.stringify(stored(world));
    expect(row).not.toContain(world.handle.reveal());
    expect(row).not.toContain(world.handle.reveal().slice(4));
    expect(row).not.toContain("AVerySecretRefreshToken");
  });
});

describe("listing, revoking, reaping", () => {
  it("lists only unexpired grants of the caller, even if the index has others", async () => {
    const world = await setUpWithGrant();
    await world.grants.create(grantRequest({ maxDays: 1 }));
    await world.grants.create(grantRequest({ user: { tenantId: TENANT, objectId: OTHER } }));
    world.clock.ms += 2 * DAY_MS;
    const { grants } = expectOk(await world.grants.list(userCaller, { limit: 5 }));
    expect(grants.map((grant) => grant.id)).toEqual([world.grant.id]);
  });

  it("revokes by handle and by id; a repetition succeeds without a grant", async () => {
    const world = await setUpWithGrant();
    const second = expectOk(await world.grants.create(grantRequest()));
    expect(await world.grants.revoke(world.handle, userCaller)).toEqual(revoked(world.grant.id));
    expect(await world.grants.revokeById(second.grant.id, userCaller)).toEqual(revoked(second.grant.id));
    expect(await world.grants.revoke(world.handle, userCaller)).toEqual({ ok: true, value: undefined });
    expect(await world.grants.revokeById(second.grant.id, userCaller)).toEqual({ ok: true, value: undefined });
    expect(await world.grants.open(world.handle, userCaller)).toEqual(failure("grant_unknown"));
  });

  it("refuses the id of another user's grant, and text that is not an id", async () => {
    const world = await setUpWithGrant();
    expect(await world.grants.revokeById(world.grant.id, { ...userCaller, objectId: OTHER })).toEqual(
      failure("grant_not_bound"),
    );
    expect(await world.grants.revokeById(`${world.grant.id}'`, userCaller)).toEqual(failure("grant_unknown"));
    expect(world.store.rows.size).toBe(1);
  });

  it("reaps grants 14 days after their expiry; a dry run only counts", async () => {
    const { grants } = setUp();
    expect(await grants.reap({ dryRun: true, limit: 5 })).toMatchObject({
      value: { expired: (EPOCH_MS - 14 * DAY_MS) / 1000, deleted: 0 },
    });
    expect(await grants.reap({ dryRun: false, limit: 5 })).toMatchObject({ value: { deleted: 1 } });
  });
});
