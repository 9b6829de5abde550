/** Makes the dependencies of the service fail, and mends them again. */

import type { RedisServer } from "../test/shared/cache/redis/support/redis-server.ts";
import type { FaultyProxy } from "../test/support/faulty-proxy.ts";
import type { LocalWorld } from "../test/support/service-under-test.ts";
import type { Fault } from "./plan.ts";

export interface FaultContext {
  readonly world: LocalWorld;
  /** One before the table for each instance. */
  readonly tables: readonly FaultyProxy[];
  readonly redis: RedisServer;
}

export async function begin({ world, tables, redis }: FaultContext, fault: Fault): Promise<void> {
  const { state } = world.tenant;
  const tableFails = (fails: FaultyProxy["fails"]) => {
    for (const table of tables) table.fails = fails;
  };
  switch (fault) {
    case "table-drops-writes":
      return tableFails((method) => method !== "GET");
    case "table-drops-all":
      return tableFails(() => true);
    case "table-drops-some": {
      let requests = 0;
      return tableFails(() => ++requests % 3 === 0);
    }
    case "redis-killed":
      return redis.kill();
    case "redis-frozen":
      return redis.freeze();
    case "entra-unavailable":
      return void state.order({ endpoint: "token", client: "service", times: 0, status: 503, body: "" });
    case "entra-drops":
      return void state.order({ endpoint: "token", client: "service", times: 4, drop: true });
    case "entra-throttles":
      return void state.order({ endpoint: "token", client: "service", times: 3, throttleSeconds: 20 });
    case "entra-fails-once":
      return void state.order({ endpoint: "token", client: "service", aadsts: 90_033 });
    case "vault-unavailable":
      return void state.order({ endpoint: "vault", times: 0, status: 503, body: "" });
  }
}

export async function endAll({ world, tables, redis }: FaultContext, faults: readonly Fault[]): Promise<void> {
  world.tenant.state.clearOrders();
  for (const table of tables) table.fails = () => false;
  if (faults.includes("redis-frozen")) redis.thaw();
  if (faults.includes("redis-killed")) await redis.restart();
}
