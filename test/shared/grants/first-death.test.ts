/** What the row says after a refused redemption: only about the refresh token that was refused, and not again while the code stays the same. */
import { describe, expect, it } from "vitest";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import { createGrants } from "../../../shared/grants/grants.ts";
import { BY_CALLER, EPOCH_MS, expectOk, grantRequest, testSealers, userCaller } from "./support/fixtures.ts";
import { memoryStore } from "./support/memory-store.ts";

const DEAD = { code: "grant_dead", isDead: true };
const CHALLENGED = { code: "interaction_required", isDead: false };
const NOW = EPOCH_MS / 1000;

async function setUp() {
  const store = memoryStore();
  const grants = createGrants({ store, ...testSealers(), now: () => EPOCH_MS });
  const { handle, grant } = expectOk(await grants.create(grantRequest()));
  const open = async () => expectOk(await grants.open(handle, userCaller));
  const row = () => store.rows.get(grant.id)?.grant;
  const writes = () => store.calls.filter((call) => call === "replace").length;
  return { store, grants, open, row, writes };
}

describe("a refused redemption", () => {
  it("that says dead is the first death once, for all instances", async () => {
    const { grants, open, row } = await setUp();
    const [first, second] = [await open(), await open()];
    expect(expectOk(await grants.recordRefusedRedemption(first, DEAD))).toBe(true);
    expect(expectOk(await grants.recordRefusedRedemption(second, DEAD))).toBe(false);
    expect(expectOk(await grants.recordRefusedRedemption(await open(), DEAD))).toBe(false);
    expect(row()).toMatchObject({ deadSinceSeconds: NOW, lastError: { code: "grant_dead", atSeconds: NOW } });
  });

  it("is not written again while its code stays the same", async () => {
    const { grants, open, row, writes } = await setUp();
    expectOk(await grants.recordRefusedRedemption(await open(), CHALLENGED));
    expectOk(await grants.recordRefusedRedemption(await open(), CHALLENGED));
    expect(writes()).toBe(1);
    expectOk(await grants.recordRefusedRedemption(await open(), { code: "consent_required", isDead: false }));
    expect(writes()).toBe(2);
    expect(row()).toMatchObject({ lastError: { code: "consent_required" }, deadSinceSeconds: undefined });
  });

  it("says nothing about a refresh token that another redemption stored in the meantime", async () => {
    const { grants, open, row } = await setUp();
    const [refused, worked] = [await open(), await open()];
    expectOk(await grants.storeNewer(worked, new SecretValue("newer"), BY_CALLER));
    expect(expectOk(await grants.recordRefusedRedemption(refused, DEAD))).toBe(false);
    expect(row()).toMatchObject({ deadSinceSeconds: undefined, lastError: undefined });
  });

  it("is over with the next redemption that works, with or without a newer refresh token", async () => {
    for (const newer of [new SecretValue("newer"), undefined]) {
      const { grants, open, row } = await setUp();
      expectOk(await grants.recordRefusedRedemption(await open(), DEAD));
      const opened = await open();
      expectOk(
        await (newer === undefined
          ? grants.recordRedemption(opened, BY_CALLER)
          : grants.storeNewer(opened, newer, BY_CALLER)),
      );
      expect(row()).toMatchObject({ deadSinceSeconds: undefined, lastError: undefined });
    }
  });

  it("of a grant that was revoked is unknown, and one of a store that does not answer fails", async () => {
    const { store, grants, open } = await setUp();
    const opened = await open();
    store.failure = { kind: "store_timeout" };
    expect(await grants.recordRefusedRedemption(opened, DEAD)).toMatchObject({ failure: { kind: "store_timeout" } });
    store.failure = undefined;
    store.rows.clear();
    expect(await grants.recordRefusedRedemption(opened, DEAD)).toMatchObject({ failure: { kind: "grant_unknown" } });
  });
});
