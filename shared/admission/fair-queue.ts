/**
 * Work at once on one instance: a bounded number of requests, and one of each lane in turn. A lane is one caller.
 *
 * A cached answer takes only processor time, so no number of running requests keeps one caller from another: what counts
 * is the order in which they begin. A request begins at once if none began in this turn of the event loop. The others
 * wait, and each turn begins one, of the lane that has waited longest for its turn. Between two turns Node reads what has
 * arrived, so a caller with one request waits for one request of another caller and not for all of them.
 *
 * A request that would wait too long is refused when it arrives. Bounded; no timer while nothing waits.
 */
import {
  ADMISSION_WAIT_MAX_MS,
  REQUESTS_AT_ONCE_ABSOLUTE_MAX,
  REQUESTS_AT_ONCE_MAX,
  REQUESTS_AT_ONCE_RESERVED,
} from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";

/** `lane_full`: the lane has its limit of requests. `instance_full`: the instance has. `late`: the wait is too long. */
export type NotAdmitted = "lane_full" | "instance_full" | "late";

/** Call it exactly once, when the request has ended. */
export type Leave = () => void;

export interface FairQueue {
  /** `atOnce`: requests of this lane that may run or wait. Resolves when the request may begin. */
  enter(lane: string, atOnce: number): Result<Leave, NotAdmitted> | Promise<Result<Leave, NotAdmitted>>;
  /** Requests that run or wait. */
  size(): number;
}

export interface FairQueueInput {
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  /** Calls back in the next turn of the event loop. For tests; normally `setImmediate`. */
  readonly nextTurn?: (turn: () => void) => void;
}

interface Waiting {
  readonly sinceMs: number;
  readonly begin: (result: Result<Leave, NotAdmitted>) => void;
}

interface Lane {
  readonly waiting: Waiting[];
  running: number;
}

export function createFairQueue({ steadyMs, nextTurn = setImmediate }: FairQueueInput): FairQueue {
  const lanes = new Map<string, Lane>();
  /** The lanes with waiting requests. The first one has waited longest for its turn. */
  const turns = new Set<string>();
  let size = 0;
  let begunInThisTurn = false;

  const leaveOf = (name: string, lane: Lane): Leave => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      lane.running -= 1;
      forget(name, lane);
    };
  };
  const forget = (name: string, lane: Lane): void => {
    size -= 1;
    if (lane.running === 0 && lane.waiting.length === 0) lanes.delete(name);
  };
  const begin = (name: string, lane: Lane): Result<Leave, NotAdmitted> => {
    lane.running += 1;
    if (!begunInThisTurn) nextTurn(turn);
    begunInThisTurn = true;
    return succeed(leaveOf(name, lane));
  };
  /** Begins one request. Those that have waited too long are refused, which costs almost nothing. */
  const turn = (): void => {
    begunInThisTurn = false;
    for (let next = takeNext(); next !== undefined; next = takeNext()) {
      const { name, lane, waiting } = next;
      if (steadyMs() - waiting.sinceMs <= ADMISSION_WAIT_MAX_MS) {
        waiting.begin(begin(name, lane));
        return;
      }
      forget(name, lane);
      waiting.begin(fail("late"));
    }
  };
  const takeNext = () => {
    const [name] = turns;
    const lane = name === undefined ? undefined : lanes.get(name);
    const waiting = lane?.waiting.shift();
    if (name === undefined || lane === undefined || waiting === undefined) return undefined;
    turns.delete(name);
    if (lane.waiting.length > 0) turns.add(name);
    return { name, lane, waiting };
  };

  return {
    size: () => size,
    enter(name, atOnce) {
      const lane = lanes.get(name) ?? { waiting: [], running: 0 };
      const refused = refusalOf(lane, { atOnce, size, nowMs: steadyMs() });
      if (refused !== undefined) return fail(refused);
      lanes.set(name, lane);
      size += 1;
      if (!begunInThisTurn) return begin(name, lane);
      const { promise, resolve } = Promise.withResolvers<Result<Leave, NotAdmitted>>();
      lane.waiting.push({ sinceMs: steadyMs(), begin: resolve });
      turns.add(name);
      return promise;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/**
 * A lane with few requests still gets in when the others have filled the instance, so that no number of busy lanes shuts
 * out a quiet one.
 */
function refusalOf(
  { running, waiting }: Lane,
  { atOnce, size, nowMs }: { readonly atOnce: number; readonly size: number; readonly nowMs: number },
): NotAdmitted | undefined {
  const own = running + waiting.length;
  if (own >= atOnce) return "lane_full";
  const limit = own < REQUESTS_AT_ONCE_RESERVED ? REQUESTS_AT_ONCE_ABSOLUTE_MAX : REQUESTS_AT_ONCE_MAX;
  if (size >= limit) return "instance_full";
  const [first] = waiting;
  return first !== undefined && nowMs - first.sinceMs > ADMISSION_WAIT_MAX_MS ? "late" : undefined;
}
