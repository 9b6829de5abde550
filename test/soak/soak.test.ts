/**
 * The soak for a few seconds. `npm run soak -- --minutes 60 --seed 7` runs it longer. It needs redis-server, as the other
 * suites with Redis do.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger, type Person } from "../../soak/ledger.ts";
import { digestOf, FAULTS, firstRounds } from "../../soak/plan.ts";
import { runSoak } from "../../soak/soak.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../shared/cache/redis/support/redis-server.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { useWorld } from "../support/use-world.ts";

const SEED = Number(process.env["SOAK_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const MINUTES = Number(process.env["SOAK_MINUTES"] ?? (process.env["CI"] === "true" ? 0.1 : 0.04));
const PEOPLE = 300;

test("a plan depends on its seed only, and has every fault", () => {
  expect(digestOf(7, PEOPLE)).toBe(digestOf(7, PEOPLE));
  expect(digestOf(8, PEOPLE)).not.toBe(digestOf(7, PEOPLE));
  const rounds = firstRounds(7, PEOPLE, 300);
  expect(new Set(rounds.flatMap(({ faults }) => faults))).toEqual(new Set(FAULTS));
});

describeWithRedis("two instances, one Redis and one table, with faults", () => {
  const { world } = useWorld();
  let redis: RedisServer;
  let tables: FaultyProxy[];
  beforeAll(async () => {
    redis = await startRedis();
    tables = [await startFaultyProxy(world.tableUrl), await startFaultyProxy(world.tableUrl)];
  });
  afterAll(async () => {
    await redis?.stop();
    await Promise.all(tables?.map((table) => table.stop()) ?? []);
  });

  function people(): Person[] {
    const { directory } = world.tenant.state;
    const alice = directory.user("alice");
    if (alice === undefined) throw new Error("The local tenant has no Alice.");
    const consents = directory.consents.filter(({ userOid }) => userOid === alice.oid);
    return Array.from({ length: PEOPLE }, (_, index) => {
      const oid = `50ac0000-0000-4000-8000-${String(index).padStart(12, "0")}`;
      directory.users.push({ ...alice, name: `person${index}`, oid, username: `person${index}@contoso.local` });
      directory.consents.push(...consents.map((consent) => ({ ...consent, userOid: oid })));
      return { objectId: oid, token: "", expiresAtSeconds: 0 };
    });
  }

  test("give no one a token of another person, keep every live grant, and end every revoked one", async () => {
    const instance = (table: FaultyProxy | undefined) =>
      world.serve({ settings: { REDIS_URL: redis.url, GRANT_STORE_URL: table?.url } });
    const report = await runSoak({
      seed: SEED,
      endMs: Date.now() + MINUTES * 60_000,
      roundsMin: 5,
      world,
      ledger: createLedger(people()),
      instances: [instance(tables[0]), instance(tables[1])],
      tables,
      redis,
    });
    const { violations, ...figures } = report;
    process.stdout.write(`soak: seed ${SEED}, plan ${digestOf(SEED, PEOPLE)}, ${JSON.stringify(figures)}\n`);
    expect(violations).toEqual([]);
    expect(report.requests).toBeGreaterThan(20);
    expect(report.statuses["504"] ?? 0).toBeLessThan(Math.max(3, report.requests * 0.02));
  });
});
