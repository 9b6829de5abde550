import { describe, expect, it } from "vitest";
import type { ConsentedApis } from "../../../shared/core/api-scopes.ts";
import type { Grant } from "../../../shared/core/grant.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { GrantCaller, StoredGrant, UnsealedGrant } from "../../../shared/grants/grant.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import { newHandle } from "../../../shared/grants/handle.ts";
import {
  applicationCaller,
  CLIENT,
  DAY_MS,
  EPOCH_MS,
  expectOk,
  fakeKeySource,
  grantRequest,
  OTHER,
  TENANT,
  testSealer,
  USER,
  userCaller,
} from "./support/fixtures.ts";
import { type MemoryStore, memoryStore } from "./support/memory-store.ts";

const applicationBinding = { kind: "application", tenantId: TENANT, clientId: CLIENT } as const;
const failure = (kind: string) => ({ ok: false, failure: expect.objectContaining({ kind }) });

const ended = (id: string) => ({ ok: true, value: expect.objectContaining({ id }) });

function setUp() {
  const clock = { ms: EPOCH_MS };
  const store = memoryStore();
  const source = fakeKeySource();
  const grants = createGrants({ store, sealer: testSealer(source), now: () => clock.ms });
  return { clock, store, source, grants };
}

async function setUpWithGrant(changes: Parameters<typeof grantRequest>[0] = {}) {
  const world = setUp();
  const { handle, grant } = expectOk(await world.grants.make(grantRequest(changes)));
  /** Another instance: own memory, same store. */
  const other = createGrants({ store: world.store, sealer: testSealer(world.source), now: () => world.clock.ms });
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

describe("who may open a grant", () => {
  const other = OTHER;
  it.each<[string, "user" | "application", GrantCaller, boolean]>([
    ["user's grant, the user through the client", "user", userCaller, true],
    ["user's grant, another user through the client", "user", { ...userCaller, objectId: other }, false],
    ["user's grant, the user through another client", "user", { ...userCaller, clientId: other }, false],
    ["user's grant, another tenant", "user", { ...userCaller, tenantId: other }, false],
    ["user's grant, the client by itself", "user", applicationCaller, false],
    [
      "user's grant, an application whose object id is the user's",
      "user",
      { ...applicationCaller, objectId: USER },
      false,
    ],
    ["application's grant, the application", "application", applicationCaller, true],
    ["application's grant, another application", "application", { ...applicationCaller, clientId: other }, false],
    ["application's grant, another tenant", "application", { ...applicationCaller, tenantId: other }, false],
    ["application's grant, the user through the application", "application", userCaller, false],
    ["application's grant, another user through it", "application", { ...userCaller, objectId: other }, false],
  ])("%s", async (_name, kind, caller, allowed) => {
    const world = await setUpWithGrant({ binding: { kind, tenantId: TENANT, clientId: CLIENT } });
    const result = await world.grants.open(world.handle, caller);
    expect(result).toEqual(allowed ? { ok: true, value: expect.anything() } : failure("grant_not_bound"));
    expect(await world.grants.revoke(world.handle, caller)).toEqual(
      allowed ? ended(world.grant.id) : failure("grant_not_bound"),
    );
    expect(world.store.rows.size).toBe(allowed ? 0 : 1);
  });
});

describe("a person, and an application's grant in their name", () => {
  const reach = { onTheirBehalf: true };
  const throughOther: GrantCaller = { ...userCaller, clientId: OTHER };

  it.each<[string, GrantCaller, boolean]>([
    ["the person through the client", userCaller, true],
    ["the person through another client", throughOther, true],
    ["another person", { ...userCaller, objectId: OTHER }, false],
    ["a person of another tenant with the same object id", { ...userCaller, tenantId: OTHER }, false],
    [
      "an application whose object id is the person's",
      { ...applicationCaller, clientId: OTHER, objectId: USER },
      false,
    ],
  ])("%s", async (_name, caller, allowed) => {
    const world = await setUpWithGrant({ binding: applicationBinding });
    const listed = expectOk(await world.grants.list(caller, { limit: 5, ...reach }));
    expect(listed.grants.length).toBe(allowed ? 1 : 0);
    expect(await world.grants.open(world.handle, caller)).toEqual(failure("grant_not_bound"));
    expect(await world.grants.revokeById(world.grant.id, caller, reach)).toEqual(
      allowed ? ended(world.grant.id) : failure("grant_not_bound"),
    );
  });

  it("does not reach other people's clients: a user's grant stays with its client", async () => {
    const world = await setUpWithGrant();
    expect(await world.grants.revoke(world.handle, throughOther, reach)).toEqual(failure("grant_not_bound"));
  });
});

/** As if the row were not there yet when it is looked for: the other one writes it in between. */
async function raced<T>({ store }: { store: MemoryStore }, make: () => Promise<T>): Promise<T> {
  const { read, rows } = store;
  const written = new Map(rows);
  rows.clear();
  store.read = async (id) => {
    const found = await read(id);
    for (const [key, row] of written) rows.set(key, row);
    return found;
  };
  return make();
}

describe("a grant that was to be made once", () => {
  const once = (world: ReturnType<typeof setUp>) => {
    const { secret } = newHandle();
    const createdAtSeconds = world.clock.ms / 1_000;
    return { secret, make: () => world.grants.make(grantRequest({ once: { handle: secret, createdAtSeconds } })) };
  };

  it("is made once: whoever comes again is given the same, told apart, and nothing is written", async () => {
    const world = setUp();
    const { secret, make } = once(world);
    const first = expectOk(await make());
    expect(first).toMatchObject({ before: false, grant: { createdAtSeconds: EPOCH_MS / 1_000 } });
    world.clock.ms += 300_000;
    const again = expectOk(await make());
    expect(again).toEqual({ ...first, before: true });
    expect(again.handle.reveal()).toBe(secret.reveal());
    expect(world.store.calls.filter((call) => call === "create")).toHaveLength(1);
  });

  it("is made once by two at the same moment", async () => {
    const world = setUp();
    const { make } = once(world);
    const both = [expectOk(await make()), expectOk(await raced(world, make))];
    expect(both.map(({ before }) => before)).toEqual([false, true]);
    expect(world.store.rows.size).toBe(1);
  });

  it("is not shown again when its row is not the one that was sealed", async () => {
    const world = setUp();
    const { make } = once(world);
    const { grant } = expectOk(await make());
    const row = world.store.rows.get(grant.id);
    if (row === undefined) throw new Error("no row");
    world.store.rows.set(grant.id, { ...row, grant: { ...grant, user: { tenantId: TENANT, objectId: OTHER } } });
    expect(await make()).toEqual(failure("seal_broken"));
  });

  it("is not made again after it was revoked, as long as its form can come", async () => {
    const world = setUp();
    const { secret, make } = once(world);
    expectOk(await make());
    world.clock.ms += 599_000;
    expect(expectOk(await world.grants.revoke(secret, userCaller))).toBeDefined();
    expect(await make()).toEqual(failure("grant_exists"));
    expect(await world.grants.open(secret, userCaller)).toEqual(failure("grant_unknown"));
  });

  it("is deleted without a mark once its form has expired", async () => {
    const world = setUp();
    const { secret, make } = once(world);
    expectOk(await make());
    world.clock.ms += 660_000;
    await world.grants.revoke(secret, userCaller);
    expect(world.store.calls).toContain("delete");
    expect(world.store.calls).not.toContain("bury");
  });
});

describe("opening a grant", () => {
  it("refuses what is not a handle without asking the store", async () => {
    const { grants, store } = setUp();
    expect(await grants.open(new SecretValue("1.AVeryRawRefreshToken"), userCaller)).toEqual(
      failure("handle_malformed"),
    );
    expect(await grants.revoke(new SecretValue(""), userCaller)).toEqual(failure("handle_malformed"));
    expect(store.calls).toEqual([]);
  });

  it("does not know a handle that was never made", async () => {
    const { grants } = await setUpWithGrant();
    expect(await grants.open(newHandle().secret, userCaller)).toEqual(failure("grant_unknown"));
  });

  it.each([
    ["one second before its end", 30 * DAY_MS - 1_000, true],
    ["at its end", 30 * DAY_MS, false],
    ["long after", 300 * DAY_MS, false],
  ])("knows its time: %s", async (_name, laterMs, allowed) => {
    const world = await setUpWithGrant({ maxDays: 30 });
    world.clock.ms += laterMs;
    expect((await world.grants.open(world.handle, userCaller)).ok).toBe(allowed);
    if (!allowed) expect(await world.grants.open(world.handle, userCaller)).toEqual(failure("grant_expired"));
  });

  it("says what an expired grant was, as it was sealed", async () => {
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
    ["no seal of ours", (world) => ({ ...stored(world), sealed: "x" })],
  ])("does not believe an expired row: %s", async (_name, change) => {
    const world = await setUpWithGrant({ binding: applicationBinding, maxDays: 30 });
    world.clock.ms += 30 * DAY_MS;
    world.store.rows.set(world.grant.id, change(world));
    expect(await world.grants.open(world.handle, applicationCaller)).toMatchObject({
      failure: { kind: "grant_expired", sealedRecord: undefined },
    });
  });

  it("needs no vault to say that a grant has expired", async () => {
    const world = await setUpWithGrant();
    const source = fakeKeySource();
    source.down = "vault_timeout";
    world.clock.ms += 31 * DAY_MS;
    const fresh = createGrants({ store: world.store, sealer: testSealer(source), now: () => world.clock.ms });
    expect(await fresh.open(world.handle, userCaller)).toMatchObject({
      failure: { kind: "grant_expired", sealedRecord: undefined },
    });
  });

  it("does not tell a stranger that a grant has expired", async () => {
    const world = await setUpWithGrant();
    world.clock.ms += 31 * DAY_MS;
    expect(await world.grants.open(world.handle, applicationCaller)).toEqual(failure("grant_not_bound"));
  });

  it.each<[string, (grant: Grant) => Grant]>([
    ["a longer life", (grant) => ({ ...grant, expiresAtSeconds: grant.expiresAtSeconds + 1 })],
    ["another birthday", (grant) => ({ ...grant, createdAtSeconds: 0 })],
    ["another client", (grant) => ({ ...grant, binding: { ...grant.binding, clientId: OTHER } })],
    ["another kind of binding", (grant) => ({ ...grant, binding: { ...grant.binding, kind: "application" } })],
    ["another tenant", (grant) => ({ ...grant, binding: { ...grant.binding, tenantId: OTHER } })],
    ["another user", (grant) => ({ ...grant, user: { ...grant.user, objectId: OTHER } })],
    ["a user of another tenant", (grant) => ({ ...grant, user: { ...grant.user, tenantId: OTHER } })],
    ["another API", (grant) => ({ ...grant, apis: [{ ...grant.apis[0], api: "files" }] })],
    ["one more API", (grant) => ({ ...grant, apis: [...grant.apis, { api: "files", scopes: ["Files.Read"] }] })],
    ["more scopes", (grant) => ({ ...grant, apis: withScopes(grant, (scopes) => [...scopes, "Mail.ReadWrite"]) })],
    ["scopes cut differently", (grant) => ({ ...grant, apis: withScopes(grant, (scopes) => [scopes.join(" ")]) })],
    ["another policy entry", (grant) => ({ ...grant, policyEntry: "admin" })],
    ["another id", (grant) => ({ ...grant, id: "0".repeat(64) })],
  ])("notices that somebody with access to the storage gave the row %s", async (_name, change) => {
    const world = await setUpWithGrant();
    const row = stored(world);
    const grant = change(row.grant);
    world.store.rows.set(world.grant.id, { ...row, grant });
    const caller = { ...grant.binding, objectId: grant.user.objectId };
    const answer = await world.grants.open(world.handle, { ...caller, tenantId: grant.binding.tenantId });
    expect(answer.ok).toBe(false);
    expect(["seal_broken", "grant_not_bound"]).toContain(answer.ok ? "" : answer.failure.kind);
  });

  it("notices a swapped row: the sealed part of one grant in the row of another", async () => {
    const world = await setUpWithGrant();
    const second = expectOk(await world.grants.make(grantRequest({ user: { tenantId: TENANT, objectId: OTHER } })));
    const foreign = world.store.rows.get(second.grant.id);
    world.store.rows.set(world.grant.id, { ...stored(world), sealed: foreign?.sealed ?? "" });
    expect(await world.grants.open(world.handle, userCaller)).toEqual({
      ok: false,
      failure: { kind: "seal_broken", problem: "decryption" },
    });
  });

  it("says that the key is missing when it is the vault that fails", async () => {
    const world = await setUpWithGrant();
    const source = fakeKeySource();
    source.down = "vault_timeout";
    const fresh = createGrants({ store: world.store, sealer: testSealer(source), now: () => world.clock.ms });
    expect(await fresh.open(world.handle, userCaller)).toEqual(failure("sealing_key_unavailable"));
  });

  it("gives the refresh token and the record as made", async () => {
    const world = await setUpWithGrant({ binding: applicationBinding });
    const grant = await opened(world, applicationCaller);
    expect(grant.refreshToken.reveal()).toBe("1.AVerySecretRefreshToken-one");
    expect(grant.grant).toEqual({
      id: world.grant.id,
      binding: applicationBinding,
      user: { tenantId: TENANT, objectId: USER },
      apis: [{ api: "graph", scopes: ["Mail.Send", "User.Read"] }],
      policyEntry: "nightly-mail",
      createdAtSeconds: EPOCH_MS / 1000,
      expiresAtSeconds: (EPOCH_MS + 30 * DAY_MS) / 1000,
      lastRedeemedAtSeconds: undefined,
    });
  });
});

describe("a rotated refresh token", () => {
  const tokenOf = async (world: World) => (await opened(world)).refreshToken.reveal();

  it("replaces the old one and notes the time; the handle stays", async () => {
    const world = await setUpWithGrant();
    world.clock.ms += 5_000;
    const grant = expectOk(await world.grants.rotated(await opened(world), new SecretValue("two")));
    expect(grant.lastRedeemedAtSeconds).toBe(EPOCH_MS / 1000 + 5);
    expect(await tokenOf(world)).toBe("two");
  });

  it("yields to the one that another instance stored meanwhile: that one is as good", async () => {
    const world = await setUpWithGrant();
    const [mine, theirs] = [await opened(world), await opened(world)];
    expectOk(await world.other.rotated(theirs, new SecretValue("theirs")));
    expect((await world.grants.rotated(mine, new SecretValue("mine"))).ok).toBe(true);
    expect(await tokenOf(world)).toBe("theirs");
  });

  it("is written again if the row was only touched meanwhile", async () => {
    const world = await setUpWithGrant();
    const [mine, theirs] = [await opened(world), await opened(world)];
    expectOk(await world.other.touch(theirs));
    expectOk(await world.grants.rotated(mine, new SecretValue("mine")));
    expect(await tokenOf(world)).toBe("mine");
  });

  it("does not bring back a grant that was revoked meanwhile", async () => {
    const world = await setUpWithGrant();
    const mine = await opened(world);
    await world.other.revoke(world.handle, userCaller);
    expect(await world.grants.rotated(mine, new SecretValue("mine"))).toEqual(failure("grant_unknown"));
    expect(world.store.rows.size).toBe(0);
  });

  it("does not bring it back if it is revoked between the conflict and the second look", async () => {
    const world = await setUpWithGrant();
    const mine = await opened(world);
    const row = stored(world);
    world.store.rows.set(row.grant.id, { ...row, etag: "changed" });
    world.store.read = async () => ({ ok: true, value: undefined });
    expect(await world.grants.rotated(mine, new SecretValue("mine"))).toEqual(failure("grant_unknown"));
  });

  it("gives up after three tries against a row that changes each time, and nothing is lost", async () => {
    const world = await setUpWithGrant();
    const mine = await opened(world);
    let changes = 0;
    world.store.beforeReplace = () => {
      changes += 1;
      world.store.rows.set(world.grant.id, { ...stored(world), etag: `changed-${changes}` });
    };
    expect(await world.grants.rotated(mine, new SecretValue("mine"))).toEqual(failure("grant_conflict"));
    expect(changes).toBe(3);
    expect(await tokenOf(world)).toBe("1.AVerySecretRefreshToken-one");
  });

  it("is sealed again with the newest key", async () => {
    const world = await setUpWithGrant();
    world.source.versions.set("c".repeat(32), Buffer.alloc(32, "c").toString("base64"));
    const later = createGrants({ store: world.store, sealer: testSealer(world.source), now: () => world.clock.ms });
    expectOk(await later.rotated(expectOk(await later.open(world.handle, userCaller)), new SecretValue("two")));
    const header = Buffer.from(stored(world).sealed.split(".")[0] ?? "", "base64url").toString();
    expect(header).toContain("c".repeat(32));
  });

  it("passes on a failure of the store", async () => {
    const world = await setUpWithGrant();
    const mine = await opened(world);
    world.store.failure = { kind: "store_timeout" };
    expect(await world.grants.rotated(mine, new SecretValue("mine"))).toEqual(failure("store_timeout"));
    expect(await world.grants.touch(mine)).toEqual(failure("store_timeout"));
  });

  it("passes on a failure of the second look", async () => {
    const world = await setUpWithGrant();
    const mine = await opened(world);
    world.store.rows.set(world.grant.id, { ...stored(world), etag: "changed" });
    world.store.read = async () => ({ ok: false, failure: { kind: "store_timeout" } });
    expect(await world.grants.rotated(mine, new SecretValue("mine"))).toEqual(failure("store_timeout"));
  });

  it("too large to seal is refused and the old one stays", async () => {
    const world = await setUpWithGrant();
    expect(await world.grants.rotated(await opened(world), new SecretValue("x".repeat(30_000)))).toEqual(
      failure("seal_too_large"),
    );
    expect(await tokenOf(world)).toBe("1.AVerySecretRefreshToken-one");
  });

  it("needs a grant that was opened with a handle", async () => {
    const world = await setUpWithGrant();
    const forged = { ...(await opened(world)), handle: new SecretValue("no handle") };
    expect(await world.grants.rotated(forged, new SecretValue("two"))).toEqual(failure("handle_malformed"));
  });
});

describe("touching", () => {
  it("writes at most once a day", async () => {
    const world = await setUpWithGrant();
    const touched = async () => expectOk(await world.grants.touch(await opened(world)));
    expect((await touched()).lastRedeemedAtSeconds).toBe(EPOCH_MS / 1000);
    world.clock.ms += DAY_MS - 1_000;
    expect((await touched()).lastRedeemedAtSeconds).toBe(EPOCH_MS / 1000);
    expect(world.store.calls.filter((call) => call === "replace")).toHaveLength(1);
    world.clock.ms += 1_000;
    expect((await touched()).lastRedeemedAtSeconds).toBe((EPOCH_MS + DAY_MS) / 1000);
  });

  it("minds neither that another wrote first nor hides that the grant is gone", async () => {
    const world = await setUpWithGrant();
    const mine = await opened(world);
    world.store.rows.set(world.grant.id, { ...stored(world), etag: "changed" });
    expect((await world.grants.touch(mine)).ok).toBe(true);
    world.store.rows.clear();
    expect(await world.grants.touch(mine)).toEqual(failure("grant_unknown"));
  });
});

describe("making a grant", () => {
  it("fails without leaving a row when it cannot be sealed or stored", async () => {
    const world = setUp();
    expect(await world.grants.make(grantRequest({ refreshToken: new SecretValue("x".repeat(30_000)) }))).toEqual(
      failure("seal_too_large"),
    );
    expect(world.store.calls).toEqual([]);
    world.store.failure = { kind: "store_unavailable", code: "ServerBusy" };
    expect(await world.grants.make(grantRequest())).toEqual(failure("store_unavailable"));
    expect(await world.grants.open(newHandle().secret, userCaller)).toEqual(failure("store_unavailable"));
    expect(await world.grants.list(userCaller, { limit: 5 })).toEqual(failure("store_unavailable"));
    expect(await world.grants.revoke(newHandle().secret, userCaller)).toEqual(failure("store_unavailable"));
    expect(await world.grants.reap({ dryRun: true, limit: 5 })).toEqual(failure("store_unavailable"));
  });

  it("stores neither the handle nor the refresh token, nor anything that opens the seal", async () => {
    const world = await setUpWithGrant();
    const row = JSON.stringify(stored(world));
    expect(row).not.toContain(world.handle.reveal());
    expect(row).not.toContain(world.handle.reveal().slice(4));
    expect(row).not.toContain("AVerySecretRefreshToken");
  });
});

describe("listing, revoking, reaping", () => {
  it("lists live grants of the caller, whatever the index says", async () => {
    const world = await setUpWithGrant();
    await world.grants.make(grantRequest({ maxDays: 1 }));
    await world.grants.make(grantRequest({ user: { tenantId: TENANT, objectId: OTHER } }));
    world.clock.ms += 2 * DAY_MS;
    const { grants } = expectOk(await world.grants.list(userCaller, { limit: 5 }));
    expect(grants.map((grant) => grant.id)).toEqual([world.grant.id]);
  });

  it("revokes by handle and by id; again is no error and finds nothing", async () => {
    const world = await setUpWithGrant();
    const second = expectOk(await world.grants.make(grantRequest()));
    expect(await world.grants.revoke(world.handle, userCaller)).toEqual(ended(world.grant.id));
    expect(await world.grants.revokeById(second.grant.id, userCaller)).toEqual(ended(second.grant.id));
    expect(await world.grants.revoke(world.handle, userCaller)).toEqual({ ok: true, value: undefined });
    expect(await world.grants.revokeById(second.grant.id, userCaller)).toEqual({ ok: true, value: undefined });
    expect(await world.grants.open(world.handle, userCaller)).toEqual(failure("grant_unknown"));
  });

  it("revokes nothing of anybody else's by id, and takes only ids", async () => {
    const world = await setUpWithGrant();
    expect(await world.grants.revokeById(world.grant.id, { ...userCaller, objectId: OTHER })).toEqual(
      failure("grant_not_bound"),
    );
    expect(await world.grants.revokeById(`${world.grant.id}'`, userCaller)).toEqual(failure("grant_unknown"));
    expect(world.store.rows.size).toBe(1);
  });

  it("reaps what ended a fortnight ago, dry or not", async () => {
    const { grants } = setUp();
    expect(await grants.reap({ dryRun: true, limit: 5 })).toMatchObject({
      value: { expired: (EPOCH_MS - 14 * DAY_MS) / 1000, deleted: 0 },
    });
    expect(await grants.reap({ dryRun: false, limit: 5 })).toMatchObject({ value: { deleted: 1 } });
  });
});
