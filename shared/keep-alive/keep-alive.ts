/**
 * One run of the timer that keeps grants alive. It goes through the grants whose rows have a sealed handle, and redeems
 * those that are due: a few at a time, a limited number in one run, and the run ends after three calls that Entra throttles
 * or does not answer. The next run takes the rest.
 */
import { inGroups } from "../core/in-groups.ts";
import type { FindGrants } from "../grants/grant-store.ts";
import type { StoredGrant } from "../grants/grant-types.ts";
import type { KeepAliveContext } from "./keep-alive-context.ts";
import { type KeepAliveOutcome, keepGrantAlive } from "./keep-alive-grant.ts";

/** Calls to Entra in one run. With a run each hour, 4,800 a day: enough for 140,000 grants with 30 `keepAliveDays`. */
const CALLS_PER_RUN = 200;
/** Calls at once: a few, beside the requests of callers. */
const CALLS_AT_ONCE = 4;
/** So many busy answers end the run: Entra, the way to it or the credential has a problem that more calls do not solve. */
const BUSY_MAX = 3;

export type KeepAliveReport = Readonly<Partial<Record<KeepAliveOutcome, number>>> & {
  /** Why the run ended early. */
  readonly ended?: "budget" | "entra_busy" | "store";
};

/** Outcomes after a call to Entra, or after a claim. */
const COUNTED: readonly KeepAliveOutcome[] = ["kept", "dead", "refused", "busy", "gone", "failed"];

export async function keepGrantsAlive(context: KeepAliveContext): Promise<KeepAliveReport> {
  const counts = new Map<KeepAliveOutcome, number>();
  const count = (names: readonly KeepAliveOutcome[]) => names.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
  const ended = (): KeepAliveReport["ended"] => {
    if (count(["busy"]) >= BUSY_MAX) return "entra_busy";
    return count(COUNTED) >= CALLS_PER_RUN ? "budget" : undefined;
  };
  const report = (end: KeepAliveReport["ended"]): KeepAliveReport => ({
    ...Object.fromEntries(counts),
    ...(end === undefined ? {} : { ended: end }),
  });
  for await (const page of pagesOf(context, { which: "kept_alive" })) {
    if (page === "failed") return report("store");
    for (const group of inGroups(page, CALLS_AT_ONCE)) {
      const outcomes = await Promise.all(group.map((stored) => keepGrantAlive(context, stored)));
      for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      const end = ended();
      if (end !== undefined) return report(end);
    }
  }
  return report(undefined);
}

/** The grants that a timer looks for, page by page. `failed`: the store did not answer, and the search ends. */
export async function* pagesOf(
  { upkeep }: Pick<KeepAliveContext, "upkeep">,
  request: FindGrants,
): AsyncGenerator<readonly StoredGrant[] | "failed"> {
  let continuation: string | undefined;
  do {
    const found = await (await upkeep()).find({ ...request, continuation });
    if (!found.ok) {
      yield "failed";
      return;
    }
    yield found.value.grants;
    continuation = found.value.continuation;
  } while (continuation !== undefined);
}
