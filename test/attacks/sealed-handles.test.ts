/**
 * The handle that the service stores for grants with `keepAliveDays`, under an attacker who can write to the table: a
 * column of another row, a changed record or a forged column opens nothing, and the timer redeems nothing with it.
 */
import { AzureNamedKeyCredential, TableClient } from "@azure/data-tables";
import { describe, expect, test } from "vitest";
import { devStoreAccount } from "../../local/azurite/table-service.ts";
import { allowedHandle } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, USER_IDS } from "../support/callers.ts";
import { DAY } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { keepAlive } from "../support/timers.ts";
import { useWorld } from "../support/use-world.ts";

const POLICY = policyWithEntries({ daemon: { keepAliveDays: 10, grantMaxDays: 365 } });
const { world, clock } = useWorld({ movesDate: true });

type Row = Record<string, unknown> & { partitionKey: string; rowKey: string; etag: string };

function scene() {
  const tableName = newTableName();
  const service = world.serve({ settings: { POLICY, GRANT_TABLE_NAME: tableName } });
  const key = new AzureNamedKeyCredential(devStoreAccount.name, devStoreAccount.key);
  const table = new TableClient(world.tableUrl, tableName, key, { allowInsecureConnection: true });
  const rows = async () => {
    const all: Row[] = [];
    for await (const row of table.listEntities()) if (row["sealedHandle"] !== undefined) all.push(row as Row);
    return all;
  };
  const write = ({ partitionKey, rowKey }: Row, change: Record<string, unknown>) =>
    table.updateEntity({ partitionKey, rowKey, ...change }, "Merge");
  return { service, rows, write };
}

const ofBob = { api: "graph", expectedUser: USER_IDS.bob };
const refreshesAtEntra = () => world.tenant.state.requests({ endpoint: "token", grantType: "refresh_token" }).length;
const int64 = (value: number) => ({ type: "Int64", value: String(value) });

async function twoGrants(service: ServiceUnderTest) {
  return [await allowedHandle(service), await allowedHandle(service, ofBob, { user: "bob" })] as const;
}

describe("a sealed handle", () => {
  test("swapped between two rows opens neither", async () => {
    const { service, rows, write } = scene();
    const [first] = await twoGrants(service);
    const [one, other] = await rows();
    if (one === undefined || other === undefined) throw new Error("two rows");
    await write(one, { sealedHandle: other["sealedHandle"] });
    await write(other, { sealedHandle: one["sealedHandle"] });
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    expect(await keepAlive(service)).toEqual({ event: "keep_alive", failed: 2 });
    expect(refreshesAtEntra()).toBe(0);
    const headers = bearer(appToken(world, { client: "daemon" }));
    const redeemed = await service.call("/AuthorizationHeader/graph", { headers, json: { grant: first } });
    expect(redeemed.status).toBe(200);
  });

  test("of another grant, with that grant's sealed refresh token, redeems nothing for this row's person", async () => {
    const { service, rows, write } = scene();
    await twoGrants(service);
    const all = await rows();
    const alices = all.find((row) => row["userObjectId"] === USER_IDS.alice);
    const bobs = all.find((row) => row["userObjectId"] === USER_IDS.bob);
    if (alices === undefined || bobs === undefined) throw new Error("two rows");
    await write(alices, { sealedHandle: bobs["sealedHandle"], sealed: bobs["sealed"] });
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    expect(await keepAlive(service)).toEqual({ event: "keep_alive", failed: 1, kept: 1 });
    expect(refreshesAtEntra()).toBe(1);
  });

  test.each<[string, Record<string, unknown>]>([
    ["another person", { userObjectId: USER_IDS.bob }],
    ["a later end", { expiresAtSeconds: int64(4_000_000_000) }],
    ["more scopes", { apis: JSON.stringify([{ api: "graph", scopes: ["Mail.Read", "Mail.Send", "User.Read"] }]) }],
    ["another asker", { requestedByUser: USER_IDS.bob }],
  ])("does not open a row that an attacker gave %s", async (_title, change) => {
    const { service, rows, write } = scene();
    await allowedHandle(service);
    const [row] = await rows();
    if (row === undefined) throw new Error("a row");
    await write(row, change);
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    expect(await keepAlive(service)).toEqual({ event: "keep_alive", failed: 1 });
    expect(refreshesAtEntra()).toBe(0);
  });

  test.each<[string, (row: Row) => unknown]>([
    ["text", () => "gte_not-sealed"],
    ["the id of the grant", (row) => row.rowKey],
    ["the sealed refresh token", (row) => row["sealed"]],
    ["a changed last character", (row) => `${String(row["sealedHandle"]).slice(0, -2)}AA`],
  ])("that is replaced by %s opens nothing", async (_title, forge) => {
    const { service, rows, write } = scene();
    await allowedHandle(service);
    const [row] = await rows();
    if (row === undefined) throw new Error("a row");
    await write(row, { sealedHandle: forge(row) });
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    expect(await keepAlive(service)).toEqual({ event: "keep_alive", failed: 1 });
    expect(refreshesAtEntra()).toBe(0);
  });

  test("is not in plain sight, and the row's other columns do not contain the handle", async () => {
    const { service, rows } = scene();
    const handle = await allowedHandle(service);
    const text = JSON.stringify(await rows(), (_key, value) => (typeof value === "bigint" ? String(value) : value));
    expect(text).not.toContain(handle);
    expect(text).not.toContain(handle.slice(4));
  });
});
