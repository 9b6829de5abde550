import { describe, expect, it } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { AllowGrant } from "../../../shared/grants/allow-grant.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import {
  applicationCaller,
  CLIENT,
  DAY_MS,
  EPOCH_MS,
  expectOk,
  fakeKeySource,
  isLive,
  OTHER,
  REGISTRATION,
  TENANT,
  testSealer,
  USER,
} from "./support/fixtures.ts";
import { memoryStore } from "./support/memory-store.ts";

const binding = { kind: "application", tenantId: TENANT, clientId: CLIENT } as const;
const failure = (kind: string) => ({ ok: false, failure: expect.objectContaining({ kind }) });

async function setUp() {
  const clock = { ms: EPOCH_MS };
  const store = memoryStore();
  const grants = createGrants({ isLive, store, sealer: testSealer(fakeKeySource()), now: () => clock.ms });
  const { secret: handle, id } = expectOk(
    await grants.request({
      binding,
      registration: REGISTRATION,
      policyEntry: "nightly-mail",
      apis: [{ api: "graph", scopes: [] }],
      expectedUser: USER,
      claims: undefined,
      codeChallenge: undefined,
    }),
  );
  const request = (changes: Partial<AllowGrant> = {}): AllowGrant => ({
    handle,
    binding,
    registration: REGISTRATION,
    user: { tenantId: TENANT, objectId: USER },
    apis: [{ api: "graph", scopes: ["User.Read"] }],
    refreshToken: new SecretValue("1.AVerySecretRefreshToken"),
    maxDays: 30,
    policyEntry: "nightly-mail",
    allowedAtSeconds: clock.ms / 1000,
    confirmation: "one",
    heals: false,
    ...changes,
  });
  const decline = (confirmation: string, clientId = CLIENT) =>
    grants.decline({ handle, clientId, user: { tenantId: TENANT, objectId: USER }, confirmation });
  return { clock, store, grants, handle, id, request, decline };
}

describe("a requested grant", () => {
  it.each<[string, Partial<AllowGrant>]>([
    ["another application", { binding: { ...binding, clientId: OTHER } }],
    ["another tenant", { binding: { ...binding, tenantId: OTHER } }],
    ["another registration", { registration: OTHER }],
    ["another person", { user: { tenantId: TENANT, objectId: OTHER } }],
  ])("is not allowed for %s", async (_name, changes) => {
    const { grants, request, store } = await setUp();
    expect(await grants.allow(request(changes))).toEqual(failure("grant_not_bound"));
    expect(store.rows.size).toBe(0);
  });

  it("is not allowed after its expiry, and is unknown then", async () => {
    const { clock, grants, handle, request } = await setUp();
    clock.ms += 14 * DAY_MS;
    expect(await grants.allow(request())).toEqual(failure("grant_unknown"));
    expect(await grants.checkAnswerable({ handle, heals: false })).toEqual(failure("grant_unknown"));
    expect(await grants.open(handle, applicationCaller)).toEqual(failure("grant_unknown"));
  });

  it.each<[string, (row: { requested: object }) => object]>([
    ["another application", ({ requested }) => ({ ...requested, binding: { ...binding, clientId: OTHER } })],
    ["a later expiry", ({ requested }) => ({ ...requested, expiresAtSeconds: 9_999_999_999 })],
  ])("is refused if an attacker with access to the storage gave its row %s", async (_name, change) => {
    const { grants, store, id, request } = await setUp();
    const row = store.requests.get(id);
    if (row === undefined) throw new Error("no row");
    store.requests.set(id, { ...row, requested: change(row) as typeof row.requested });
    expect(await grants.allow(request())).toEqual(failure("seal_broken"));
  });

  it("is refused if its sealed part is that of a grant", async () => {
    const { grants, store, id, request } = await setUp();
    const row = store.requests.get(id);
    if (row === undefined) throw new Error("no row");
    expectOk(await grants.allow(request()));
    const sealed = store.rows.get(id)?.sealed ?? "";
    store.rows.delete(id);
    store.requests.set(id, { ...row, sealed });
    expect(await grants.allow(request())).toEqual(failure("seal_broken"));
  });

  it("is seen by no second confirmation once it is allowed, and the same one gets the same grant", async () => {
    const { grants, request } = await setUp();
    const first = expectOk(await grants.allow(request()));
    expect(first.outcome).toBe("made");
    expect(expectOk(await grants.allow(request()))).toMatchObject({ outcome: "existed", grant: first.grant });
    expect(await grants.allow(request({ confirmation: "two" }))).toEqual(failure("grant_answered"));
  });

  it("is there again after its approval was undone", async () => {
    const { grants, handle, request } = await setUp();
    const { undo } = expectOk(await grants.allow(request()));
    expect(await undo()).toEqual({ ok: true, value: true });
    expect(await grants.open(handle, applicationCaller)).toEqual(failure("grant_pending"));
    expect(expectOk(await grants.allow(request())).outcome).toBe("made");
  });

  it("is ended for good by a denial, also during an approval", async () => {
    const { grants, store, request, decline } = await setUp();
    store.beforeReplace = async () => {
      store.beforeReplace = undefined;
      expectOk(await decline("one"));
    };
    expect(await grants.allow(request())).toEqual(failure("grant_unknown"));
    expect([store.rows.size, store.requests.size]).toEqual([0, 0]);
  });

  it("is revoked although a person allows it at the same time", async () => {
    const { grants, handle, store, request } = await setUp();
    store.beforeReplace = async () => {
      store.beforeReplace = undefined;
      expectOk(await grants.allow(request()));
    };
    expect(expectOk(await grants.revoke(handle, applicationCaller))).toBeDefined();
    expect([store.rows.size, store.requests.size]).toEqual([0, 0]);
  });

  it("fails after three attempts if its row changes each time", async () => {
    const { grants, store, id, request, decline } = await setUp();
    let changes = 0;
    store.beforeReplace = () => {
      changes += 1;
      const row = store.requests.get(id);
      if (row !== undefined) store.requests.set(id, { ...row, etag: `changed-${changes}` });
    };
    expect(await grants.allow(request())).toEqual(failure("grant_conflict"));
    expect(await decline("one")).toEqual(failure("grant_conflict"));
    expect(changes).toBe(6);
  });

  it("is not declined for another application", async () => {
    const { decline } = await setUp();
    expect(await decline("one", OTHER)).toEqual(failure("grant_not_bound"));
  });
});

describe("a grant that a person allows again", () => {
  it("keeps its id and its creation time, and gets the new refresh token and a new end", async () => {
    const { clock, grants, handle, request } = await setUp();
    const { grant } = expectOk(await grants.allow(request()));
    clock.ms += 31 * DAY_MS;
    const again = request({ heals: true, confirmation: "two", refreshToken: new SecretValue("newer") });
    const healed = expectOk(await grants.allow(again));
    expect(healed).toMatchObject({
      outcome: "healed",
      grant: { id: grant.id, createdAtSeconds: grant.createdAtSeconds },
    });
    expect(healed.grant.expiresAtSeconds).toBe((clock.ms + 30 * DAY_MS) / 1000);
    expect(expectOk(await grants.open(handle, applicationCaller)).refreshToken.reveal()).toBe("newer");
    expect(await healed.undo()).toEqual({ ok: true, value: true });
    expect(await grants.open(handle, applicationCaller)).toEqual(failure("grant_expired"));
  });

  it("is refused for another person, application or registration", async () => {
    const { grants, request } = await setUp();
    expectOk(await grants.allow(request()));
    for (const changes of [
      { user: { tenantId: TENANT, objectId: OTHER } },
      { binding: { ...binding, clientId: OTHER } },
      { registration: OTHER },
    ]) {
      const again = request({ heals: true, confirmation: "two", ...changes });
      expect(await grants.allow(again)).toEqual(failure("grant_not_bound"));
    }
  });

  it("is refused after a denial of the same confirmation, also during the approval, and allowed by a later one", async () => {
    const { grants, store, request, decline } = await setUp();
    expectOk(await grants.allow(request()));
    store.beforeReplace = async () => {
      store.beforeReplace = undefined;
      expectOk(await decline("two"));
    };
    expect(await grants.allow(request({ heals: true, confirmation: "two" }))).toEqual(failure("grant_answered"));
    expect(expectOk(await grants.allow(request({ heals: true, confirmation: "three" }))).outcome).toBe("healed");
  });
});
