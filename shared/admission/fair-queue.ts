/**
 * Work at once on one instance: a bounded number of requests, and one of each lane in turn. A lane is one caller.
 *
 * Cached answers cost only CPU time, so capping running requests does not protect callers from each other; start order
 * does. A request begins at once if none began in this turn of the event loop. The others
 * wait, and each turn begins one, of the lane that has waited longest for its turn. Between two turns Node reads what has
 * arrived, so a caller with one request waits for one request of another caller and not for all of them.
 *
 * A request that has waited too long is refused at its turn; while the first of its lane is late, new ones are refused on
 * arrival. Bounded; no timer while nothing waits.
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

/** Call it when the request has ended. A second call has no effect. */
export type Release = () => void;

/** A request that may begin. */
export interface Admitted {
  readonly release: Release;
  /** The request turns out to be of this lane. False: that lane has its limit; the request stays in its lane. */
  move(lane: string, atOnce: number): boolean;
}

export interface FairQueue {
  /** `atOnce`: requests of this lane that may run or wait. Resolves when the request may begin. */
  enter(lane: string, atOnce: number): Result<Admitted, NotAdmitted> | Promise<Result<Admitted, NotAdmitted>>;
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
  readonly begin: (result: Result<Admitted, NotAdmitted>) => void;
}

interface Lane {
  readonly name: string;
  readonly waiting: Waiting[];
  running: number;
}

export function createFairQueue({ steadyMs, nextTurn = setImmediate }: FairQueueInput): FairQueue {
  const lanes = createLanes();
  /** The lanes with waiting requests. The first one has waited longest for its turn. */
  const turns = new Set<Lane>();
  let begunInThisTurn = false;

  const begin = (lane: Lane): Result<Admitted, NotAdmitted> => {
    if (!begunInThisTurn) nextTurn(turn);
    begunInThisTurn = true;
    return succeed(lanes.run(lane));
  };
  /** Begins one request. Those that have waited too long are refused, which costs almost nothing. */
  const turn = (): void => {
    begunInThisTurn = false;
    for (let next = takeNext(); next !== undefined; next = takeNext()) {
      const { lane, waiting } = next;
      if (steadyMs() - waiting.sinceMs <= ADMISSION_WAIT_MAX_MS) {
        waiting.begin(begin(lane));
        return;
      }
      lanes.leave(lane);
      waiting.begin(fail("late"));
    }
  };
  const takeNext = () => {
    const [lane] = turns;
    const waiting = lane?.waiting.shift();
    if (lane === undefined || waiting === undefined) return undefined;
    turns.delete(lane);
    if (lane.waiting.length > 0) turns.add(lane);
    return { lane, waiting };
  };

  return {
    size: lanes.size,
    enter(name, atOnce) {
      const lane = lanes.named(name);
      const refused = refusalOf(lane, { atOnce, size: lanes.size(), nowMs: steadyMs() });
      if (refused !== undefined) return fail(refused);
      lanes.join(lane);
      if (!begunInThisTurn) return begin(lane);
      const { promise, resolve } = Promise.withResolvers<Result<Admitted, NotAdmitted>>();
      lane.waiting.push({ sinceMs: steadyMs(), begin: resolve });
      turns.add(lane);
      return promise;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The lanes with requests, and the number of these. A lane without requests is forgotten. */
function createLanes() {
  const lanes = new Map<string, Lane>();
  let size = 0;

  const named = (name: string): Lane => lanes.get(name) ?? { name, waiting: [], running: 0 };
  const join = (lane: Lane): void => {
    lanes.set(lane.name, lane);
    size += 1;
  };
  const leave = (lane: Lane): void => {
    size -= 1;
    if (countOf(lane) === 0) lanes.delete(lane.name);
  };
  const run = (first: Lane): Admitted => {
    let lane: Lane | undefined = first;
    first.running += 1;
    return {
      release() {
        if (lane === undefined) return;
        lane.running -= 1;
        leave(lane);
        lane = undefined;
      },
      move(name, atOnce) {
        if (lane === undefined || lane.name === name) return true;
        const target = named(name);
        if (countOf(target) >= atOnce) return false;
        lane.running -= 1;
        leave(lane);
        target.running += 1;
        join(target);
        lane = target;
        return true;
      },
    };
  };
  return { size: () => size, named, join, leave, run };
}

function countOf({ running, waiting }: Lane): number {
  return running + waiting.length;
}

/**
 * A lane with few requests still gets in when the others have filled the instance, so that no number of busy lanes shuts
 * out a quiet one.
 */
function refusalOf(
  lane: Lane,
  { atOnce, size, nowMs }: { readonly atOnce: number; readonly size: number; readonly nowMs: number },
): NotAdmitted | undefined {
  const own = countOf(lane);
  if (own >= atOnce) return "lane_full";
  const limit = own < REQUESTS_AT_ONCE_RESERVED ? REQUESTS_AT_ONCE_ABSOLUTE_MAX : REQUESTS_AT_ONCE_MAX;
  if (size >= limit) return "instance_full";
  const [first] = lane.waiting;
  return first !== undefined && nowMs - first.sinceMs > ADMISSION_WAIT_MAX_MS ? "late" : undefined;
}
