/** Two timers: what the watch logs, and what the reaper counts and deletes. */
import { describe, expect, test } from "vitest";
import { createReadiness } from "../../functions/composition/readiness.ts";
import { createReaper } from "../../functions/timers/reap-grants.ts";
import { createWatch } from "../../functions/timers/watch.ts";
import { bearer, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY } from "../support/movable-clock.ts";
import { policyWith, withoutApplicationOnly } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName, readTable } from "../support/table-rows.ts";
import { runTimer } from "../support/timers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock } = useWorld();

const serve = (settings: Record<string, string | undefined> = {}) => world.serve({ settings });

describe("the watch timer", () => {
  const credentialsOf = (events: readonly Record<string, unknown>[]) =>
    events.flatMap(({ event, registration, state }) =>
      event === "credential" && state !== undefined ? [`${registration} ${state}`] : [],
    );
  const watch = ({ service }: ServiceUnderTest) => runTimer(createWatch(service, createReadiness(service)));

  test("logs that the service is ready, and the credential of each registration", async () => {
    const events = await watch(serve());
    const [ready] = events;
    expect(ready).toMatchObject({ event: "ready", state: "ready", keys: "ok", sealingKey: "ok", grantStore: "ok" });
    expect(credentialsOf(events)).toEqual(["default ready", "narrow ready", "app-only ready"]);
  });

  test("logs no credential for application tokens without their registration", async () => {
    expect(credentialsOf(await watch(serve(withoutApplicationOnly())))).toEqual(["default ready", "narrow ready"]);
  });

  test("logs not_ready and the grant table if the table is unavailable", async () => {
    const [ready] = await watch(serve({ GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1" }));
    expect(ready).toMatchObject({ state: "not_ready", keys: "ok", grantStore: "unavailable" });
  });

  test("logs not_ready if Key Vault is unavailable at the first read", async () => {
    world.tenant.state.order({ endpoint: "vault", status: 503, times: 0 });
    const [ready] = await watch(serve());
    expect(ready).toMatchObject({ state: "not_ready", sealingKey: "unavailable" });
  });
});

test("GET /ready is 503 without a sealing key if a sign-in needs one, although no grant store is configured", async () => {
  const POLICY = policyWith(({ callers }) => {
    for (const entry of callers) Object.assign(entry, { offlineAccess: false, unattended: false });
  });
  const at = serve({ POLICY, GRANT_STORE_URL: undefined });
  expect((await at.call("/ready")).status).toBe(200);
  world.tenant.state.order({ endpoint: "vault", path: "sealing-key", status: 503, times: 0 });
  expect((await serve({ POLICY, GRANT_STORE_URL: undefined }).call("/ready")).status).toBe(503);
});

describe("the reaper timer", () => {
  function reap({ service }: ServiceUnderTest): Promise<Record<string, unknown>[]> {
    const { grantServices, config } = service;
    if (grantServices === undefined || config.grants === undefined) throw new Error("no grant store");
    return runTimer(createReaper(service, grantServices, config.grants));
  }
  const rows = () => readTable(world);
  const makeGrant = (at: ServiceUnderTest) =>
    at.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope: "User.Read offline_access" }) });

  test("counts expired grants and deletes them only with GRANT_REAP=delete", async () => {
    const counting = serve();
    expect((await makeGrant(counting)).status).toBe(200);
    const before = await rows();
    expect(await reap(counting)).toEqual([
      { event: "reap", dryRun: true, round: 1, ok: true, expired: 0, deleted: 0, failed: 0, more: false },
    ]);
    // A grant lives for 30 days, and its row for 14 more, so that a redemption can still be refused as expired.
    clock.advance(43 * DAY);
    expect((await reap(counting))[0]).toMatchObject({ ok: true, expired: 0 });
    clock.advance(2 * DAY);
    const [counted] = await reap(counting);
    expect(counted).toMatchObject({ dryRun: true, ok: true, expired: before.length, deleted: 0 });
    expect(await rows()).toHaveLength(before.length);

    const deleting = serve({ GRANT_REAP: "delete" });
    const [deleted] = await reap(deleting);
    expect(deleted).toMatchObject({ dryRun: false, ok: true, deleted: before.length, failed: 0, more: false });
    expect(await rows()).toEqual([]);
  });

  test("leaves grants that have not expired unchanged", async () => {
    const deleting = serve({ GRANT_REAP: "delete" });
    await makeGrant(deleting);
    const before = await rows();
    clock.advance(29 * DAY);
    await reap(deleting);
    expect(await rows()).toEqual(before);
  });

  test("logs one failure and stops if the table is unavailable", async () => {
    const cut = serve({ GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1", GRANT_REAP: "delete" });
    expect(await reap(cut)).toMatchObject([{ event: "reap", ok: false, reason: "store_unavailable", round: 1 }]);
  });

  test("deletes the rows of revoked grants, and leaves those of others", async () => {
    const GRANT_TABLE_NAME = newTableName();
    const at = serve({ GRANT_TABLE_NAME, GRANT_REAP: "delete" });
    const grantRows = async () =>
      (await readTable({ tableUrl: world.tableUrl, tableName: GRANT_TABLE_NAME })).filter(
        ({ userObjectId }) => userObjectId !== undefined,
      );
    await makeGrant(at);
    await at.call("/oauth2/token", {
      form: exchangeForm(userToken(world, { user: "bob" }), { scope: "User.Read offline_access" }),
    });
    const headers = bearer(userToken(world, { user: "erin" }));
    const json = { person: USER_IDS.alice, reason: "drill", dryRun: false };
    expect((await at.call("/manage/revocations", { headers, json })).status).toBe(200);
    expect((await reap(at)).at(-1)).toMatchObject({ event: "reap", revoked: true, ok: true, found: 1, deleted: 1 });
    expect((await grantRows()).map(({ userObjectId }) => userObjectId)).toEqual([USER_IDS.bob]);
  });
});
