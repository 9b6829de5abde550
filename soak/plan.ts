/**
 * The plan of a soak: rounds of steps that run at the same time, the faults during each round, and how far the clock moves
 * after it. The same seed gives the same plan. Pure.
 */
import { hash } from "node:crypto";
import { seededRandom } from "../test/support/seeded-random.ts";

export const FAULTS = [
  "table-drops-writes",
  "table-drops-all",
  "table-drops-some",
  "redis-killed",
  "redis-frozen",
  "entra-unavailable",
  "entra-drops",
  "entra-throttles",
  "entra-fails-once",
  "vault-unavailable",
] as const;
export type Fault = (typeof FAULTS)[number];

export const ACTIONS = [
  "exchange",
  "exchange-by-application",
  "exchange-expired",
  "exchange-forged",
  "force-refresh",
  "issue-grant",
  "issue-application-grant",
  "redeem",
  "redeem",
  "redeem-as-another",
  "redeem-revoked",
  "revoke",
  "list",
] as const;
export type Action = (typeof ACTIONS)[number];

export interface Step {
  readonly action: Action;
  /** Index of the person. */
  readonly person: number;
  readonly instance: 0 | 1;
  /** Chooses a grant, from 0 to 1. */
  readonly choice: number;
}

export interface Round {
  readonly faults: readonly Fault[];
  readonly steps: readonly Step[];
  readonly advanceMs: number;
}

const STEPS_PER_ROUND = 12;
const MINUTE = 60_000;
/** Most rounds have no fault, so that a request without an excuse is common. */
const FAULTY_ROUNDS = 0.3;
const TWO_FAULTS = 0.25;

export function* planRounds(seed: number, people: number): Generator<Round, never> {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const oneOf = <T>(list: readonly [T, ...T[]]): T => list[below(list.length)] ?? list[0];
  const step = (): Step => ({
    action: oneOf(ACTIONS),
    person: below(people),
    instance: random() < 0.5 ? 0 : 1,
    choice: random(),
  });
  for (;;) {
    const isFaulty = random() < FAULTY_ROUNDS;
    const faults = isFaulty ? [oneOf(FAULTS), ...(random() < TWO_FAULTS ? [oneOf(FAULTS)] : [])] : [];
    const steps = Array.from({ length: STEPS_PER_ROUND }, step);
    yield { faults, steps, advanceMs: Math.floor(random() * random() * 20 * MINUTE) };
  }
}

export function firstRounds(seed: number, people: number, count: number): Round[] {
  const rounds: Round[] = [];
  for (const round of planRounds(seed, people)) {
    if (rounds.length === count) break;
    rounds.push(round);
  }
  return rounds;
}

/** Names a plan, so that two runs can be compared. */
export function digestOf(seed: number, people: number): string {
  return hash("sha256", JSON.stringify(firstRounds(seed, people, 200))).slice(0, 16);
}
