/**
 * Removes a grant whose caller got an error instead of the handle. The write may have reached the table although its answer
 * was lost, and a slow one may reach it after the first attempt to delete it. So the service deletes the row at once and a
 * few times later, in the background. No caller has the handle, so the row opens for none.
 */
import type { Grant } from "../core/grant.ts";
import type { GrantStore } from "./grant-store.ts";

/** Waits before each attempt: none, then long enough for a restart of the table service, then for a longer outage. */
const PAUSES_MS = [0, 10_000, 60_000, 300_000] as const;

export interface OrphanRemovalInput {
  readonly store: Pick<GrantStore, "delete">;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  /** `removed`: the row existed. `left`: the last attempt failed. */
  readonly onOrphan: (grantId: string, outcome: "removed" | "left") => void;
}

export function createOrphanRemoval({ store, pause, onOrphan }: OrphanRemovalInput): (grant: Grant) => Promise<void> {
  return async (grant) => {
    let answered = false;
    for (const pauseMs of PAUSES_MS) {
      if (pauseMs > 0) await pause(pauseMs);
      const deleted = await store.delete(grant);
      if (deleted.ok && deleted.value) return onOrphan(grant.id, "removed");
      answered = deleted.ok;
    }
    if (!answered) onOrphan(grant.id, "left");
  };
}
