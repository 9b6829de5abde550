/**
 * The entries of a caller's kind and client id. Each request asks for them, so the time must not grow with the policy:
 * the entries of a policy are indexed on first use. A policy never changes, so the index is never stale, and it goes
 * when its policy goes.
 */
import type { CallerRule, Policy } from "./rules.ts";

export function entriesOfClient(
  { callers }: Policy,
  { kind, clientId }: Pick<CallerRule, "kind" | "clientId">,
): readonly CallerRule[] {
  const known = INDEXES.get(callers);
  const index = known ?? Map.groupBy(callers, keyOf);
  if (known === undefined) INDEXES.set(callers, index);
  return index.get(keyOf({ kind, clientId: clientId.toLowerCase() })) ?? [];
}

// ---------------------------------------------------------------------------------------------------------------

type Index = ReadonlyMap<string, readonly CallerRule[]>;

const INDEXES = new WeakMap<Policy["callers"], Index>();

function keyOf({ kind, clientId }: Pick<CallerRule, "kind" | "clientId">): string {
  return `${kind} ${clientId}`;
}
