/** The order in which requests begin, and the bounds of what runs and waits. Turns of the event loop are made by hand. */
import { describe, expect, test } from "vitest";
import { createFairQueue } from "../../../shared/admission/fair-queue.ts";
import {
  ADMISSION_WAIT_MAX_MS,
  REQUESTS_AT_ONCE_ABSOLUTE_MAX,
  REQUESTS_AT_ONCE_MAX,
  REQUESTS_AT_ONCE_RESERVED,
} from "../../../shared/core/limits.ts";

function scene() {
  const clock = { ms: 0 };
  const turns: (() => void)[] = [];
  const queue = createFairQueue({ steadyMs: () => clock.ms, nextTurn: (turn) => void turns.push(turn) });
  const began: string[] = [];
  const leaves: (() => void)[] = [];
  const refused: string[] = [];
  const send = async (lane: string, atOnce = 1_000, name = lane): Promise<void> => {
    const entered = await queue.enter(lane, atOnce);
    if (!entered.ok) {
      refused.push(`${name} ${entered.failure}`);
      return;
    }
    began.push(name);
    leaves.push(entered.value.release);
  };
  /** The next turn of the event loop. */
  const turn = async () => {
    turns.shift()?.();
    await settle();
  };
  return { clock, queue, began, leaves, refused, send, turn, turns };
}

const settle = async () => {
  for (let round = 0; round < 5; round++) await Promise.resolve();
};

describe("requests of several lanes", () => {
  test("a request on an idle instance begins at once", async () => {
    const { queue } = scene();
    expect(queue.enter("a", 1)).toMatchObject({ ok: true });
  });

  test("one request begins in each turn of the event loop", async () => {
    const { send, turn, began } = scene();
    for (let sent = 0; sent < 3; sent++) void send("a");
    await settle();
    expect(began).toHaveLength(1);
    await turn();
    expect(began).toHaveLength(2);
    await turn();
    expect(began).toHaveLength(3);
  });

  test("a caller with one request begins after one request of a caller with fifty", async () => {
    const { send, turn, began } = scene();
    for (let sent = 0; sent < 50; sent++) void send("greedy");
    void send("polite");
    await settle();
    await turn();
    await turn();
    expect(began).toEqual(["greedy", "greedy", "polite"]);
  });

  test("lanes take turns, and each lane keeps its own order", async () => {
    const { send, turn, began } = scene();
    for (const [lane, name] of [
      ["a", "a1"],
      ["a", "a2"],
      ["a", "a3"],
      ["b", "b1"],
      ["b", "b2"],
      ["c", "c1"],
    ] as const)
      void send(lane, 10, name);
    await settle();
    for (let round = 0; round < 5; round++) await turn();
    expect(began).toEqual(["a1", "a2", "b1", "c1", "a3", "b2"]);
  });

  test("no turn is requested while nothing waits", async () => {
    const { send, turn, turns } = scene();
    void send("a");
    await settle();
    expect(turns).toHaveLength(1);
    await turn();
    expect(turns).toHaveLength(0);
  });
});

describe("the bounds", () => {
  test("a lane may have atOnce requests, running and waiting, and another lane is not affected", async () => {
    const { send, refused, leaves, queue } = scene();
    for (let sent = 0; sent < 3; sent++) void send("a", 2);
    void send("b", 2);
    await settle();
    expect(refused).toEqual(["a lane_full"]);
    expect(queue.size()).toBe(3);
    leaves[0]?.();
    void send("a", 2);
    await settle();
    expect(refused).toHaveLength(1);
  });

  test("a request that moves counts in its new lane, and its old lane has room again", async () => {
    const { queue } = scene();
    const entered = await queue.enter("first", 1);
    if (!entered.ok) throw new Error("not admitted");
    const { move, release } = entered.value;
    expect(move("own", 1)).toBe(true);
    expect(move("own", 1)).toBe(true);
    expect(queue.enter("own", 1)).toEqual({ ok: false, failure: "lane_full" });
    void queue.enter("first", 1);
    expect(queue.size()).toBe(2);
    release();
    expect(queue.size()).toBe(1);
  });

  test("a request does not move to a lane that has its limit, and stays in its own", async () => {
    const { queue, turns } = scene();
    void queue.enter("own", 1);
    const entering = queue.enter("first", 1);
    turns.shift()?.();
    const entered = await entering;
    if (!entered.ok) throw new Error("not admitted");
    expect(entered.value.move("own", 1)).toBe(false);
    expect(queue.enter("first", 1)).toEqual({ ok: false, failure: "lane_full" });
    entered.value.release();
    expect(queue.size()).toBe(1);
  });

  test("leaving twice counts once", async () => {
    const { send, leaves, queue } = scene();
    void send("a");
    await settle();
    leaves[0]?.();
    leaves[0]?.();
    expect(queue.size()).toBe(0);
  });

  test("a full instance refuses a busy lane and admits a quiet one, up to an absolute number", async () => {
    const { send, refused, queue } = scene();
    for (let sent = 0; sent < REQUESTS_AT_ONCE_MAX; sent++) void send("busy");
    void send("busy");
    await settle();
    expect(refused).toEqual(["busy instance_full"]);
    for (let sent = 0; sent < REQUESTS_AT_ONCE_RESERVED; sent++) void send("quiet");
    await settle();
    expect(refused).toHaveLength(1);
    void send("quiet");
    await settle();
    expect(refused).toEqual(["busy instance_full", "quiet instance_full"]);
    for (let lane = 0; queue.size() < REQUESTS_AT_ONCE_ABSOLUTE_MAX; lane++) void send(`lane ${lane}`);
    void send("last");
    await settle();
    expect(refused.at(-1)).toBe("last instance_full");
  });

  test("a request that has waited too long is refused, and the next one begins in the same turn", async () => {
    const { send, turn, began, refused, clock, queue } = scene();
    void send("a", 10, "a1");
    void send("a", 10, "a2");
    await settle();
    clock.ms = ADMISSION_WAIT_MAX_MS + 1;
    void send("b", 10, "b1");
    await settle();
    await turn();
    expect(refused).toEqual(["a2 late"]);
    expect(began).toEqual(["a1", "b1"]);
    expect(queue.size()).toBe(2);
  });

  test("while the first of a lane has waited too long, a new request of that lane is refused when it arrives", async () => {
    const { send, refused, clock } = scene();
    void send("a");
    void send("a");
    await settle();
    clock.ms = ADMISSION_WAIT_MAX_MS + 1;
    void send("a", 10, "new");
    await settle();
    expect(refused).toEqual(["new late"]);
  });

  test("nothing is left when every request has ended", async () => {
    const { send, turn, leaves, queue } = scene();
    for (let sent = 0; sent < 5; sent++) void send(`lane ${sent % 2}`);
    await settle();
    for (let round = 0; round < 5; round++) await turn();
    for (const leave of leaves) leave();
    expect(queue.size()).toBe(0);
  });
});
