/**
 * The fixture of every test that runs the service in this process. It registers the hooks that start the local tenant
 * and the table service before the first test and stop them after the last one.
 */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { MovableClock } from "./movable-clock.ts";
import {
  type LocalWorld,
  type LocalWorldOptions,
  type ServiceChanges,
  type ServiceUnderTest,
  startLocalWorld,
} from "./service-under-test.ts";
import { current } from "./use-tenant.ts";

export interface WorldOptions extends ServiceChanges, LocalWorldOptions {
  /** Each test gets a service without cached tokens and with full budgets. Default: the tests share one service. */
  readonly newServiceForEachTest?: boolean;
}

export interface WorldFixture {
  readonly world: LocalWorld;
  /** The clock of the tenant and of every service. */
  readonly clock: MovableClock;
  readonly service: ServiceUnderTest;
  /** Makes `service` a new instance with other settings. */
  restart(changes?: ServiceChanges): void;
}

/**
 * Call it once, at the top of a test file or of a `describe` block. The values it returns work inside hooks and tests.
 * Each test starts with an empty request log of the tenant, without prepared answers and with the true time.
 */
export function useWorld({
  newServiceForEachTest = false,
  movesDate = false,
  ...changes
}: WorldOptions = {}): WorldFixture {
  let world: LocalWorld | undefined;
  let service: ServiceUnderTest | undefined;
  const restart = (to: ServiceChanges = changes) => {
    service = world?.serve(to);
  };

  beforeAll(async () => {
    world = await startLocalWorld({ movesDate });
    restart();
  });
  beforeEach(() => {
    world?.tenant.state.clearLog();
    if (newServiceForEachTest) restart();
  });
  afterEach(() => {
    world?.clock.reset();
    world?.tenant.state.clearOrders();
  });
  afterAll(() => world?.stop());

  return {
    world: current(() => world),
    clock: current(() => world?.clock),
    service: current(() => service),
    restart,
  };
}
