/** A cluster is recognised, and keys go to the node that has their slot. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { cachedToken, closeLevels, eventually, inAnHour, openLevel } from "./support/level.ts";
import { describeWithRedis, type RedisServer, startRedis } from "./support/redis-server.ts";

const SLOTS = [
  ["0", "5460"],
  ["5461", "10922"],
  ["10923", "16383"],
] as const;

describeWithRedis("a Redis cluster", () => {
  const nodes: RedisServer[] = [];
  beforeAll(async () => {
    const options = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"];
    for (const _slots of SLOTS) {
      nodes.push(await startRedis(options, "--cluster-port"));
    }
    for (const [index, node] of nodes.entries()) {
      await node.command("CLUSTER", "ADDSLOTSRANGE", ...(SLOTS[index] ?? []));
      const [first] = nodes;
      if (index > 0 && first !== undefined) {
        await node.command("CLUSTER", "MEET", "127.0.0.1", String(first.port), String(first.secondPort));
      }
    }
    await eventually(async () => (await Promise.all(nodes.map(isWhole))).every(Boolean));
  });
  afterEach(closeLevels);
  afterAll(() => Promise.all(nodes.map((node) => node.stop())));

  test("every key is found on its node, and the loss of a node loses only its keys", async () => {
    const { level } = await openLevel(nodes[0]?.url ?? "");
    for (let index = 0; index < 60; index++) {
      expect((await level.findOrLease(`key ${index}`)).kind).toBe("leased");
      await level.put(`key ${index}`, cachedToken(`token ${index}`), inAnHour());
    }
    const sizes = await Promise.all(nodes.map((node) => node.command("DBSIZE")));
    expect(sizes.reduce((sum: number, size) => sum + Number(size), 0)).toBe(60);
    expect(Math.min(...sizes.map(Number))).toBeGreaterThan(0);
    for (let index = 0; index < 60; index++) {
      expect((await level.find(`key ${index}`))?.accessToken.reveal()).toBe(`token ${index}`);
    }
    const lost = Number(sizes[2]);
    await nodes[2]?.kill();
    let found = 0;
    for (let index = 0; index < 60; index++) {
      found += (await level.find(`key ${index}`)) === undefined ? 0 : 1;
    }
    expect(found).toBeLessThanOrEqual(60 - lost);
  });
});

async function isWhole(node: RedisServer): Promise<boolean> {
  const info = String(await node.command("CLUSTER", "INFO"));
  return info.includes("cluster_state:ok") && info.includes("cluster_slots_assigned:16384");
}
