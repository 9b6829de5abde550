/**
 * The entries that may match a client: its own, or those of the blueprint whose agent it is. Each request asks for them,
 * so the time must not grow with the policy: the entries of a policy are indexed on first use. A policy never changes, so
 * the index is never stale, and it goes when its policy goes.
 */
import type { Caller } from "../caller/caller.ts";
import type { CallerRule, Policy } from "./rules.ts";

type Client = Pick<Caller, "kind" | "clientId"> & Partial<Pick<Caller, "agent">>;

/**
 * An agent without an entry of its own has those of its blueprint. A separate entry excludes the blueprint's even if its
 * role is missing, so that an administrator can narrow one agent.
 */
export function entriesOfClient({ callers }: Policy, { kind, clientId, agent }: Client): readonly CallerRule[] {
  const index = indexOf(callers);
  const own = index.get(clientKey(kind, clientId.toLowerCase()));
  if (own !== undefined || agent === undefined) return own ?? [];
  return index.get(blueprintKey(kind, agent.blueprint)) ?? [];
}

/** What sealed state says about the client that was authenticated when it was sealed. */
export interface SealedClient {
  readonly clientId: string;
  /** The blueprint of the entry that matched. Undefined: the entry named the client. */
  readonly blueprint: string | undefined;
}

/**
 * The entry of a blueprint no longer matches an agent that has got a separate entry, nor the agents of the blueprint that
 * it named before.
 */
export function stillMatches(policy: Policy, entry: CallerRule, { clientId, blueprint }: SealedClient): boolean {
  if (entry.blueprint === undefined) return entry.clientId === clientId;
  if (entry.blueprint !== blueprint) return false;
  return entriesOfClient(policy, { kind: entry.kind, clientId }).length === 0;
}

// ---------------------------------------------------------------------------------------------------------------

type Index = ReadonlyMap<string, readonly CallerRule[]>;

const INDEXES = new WeakMap<Policy["callers"], Index>();

function indexOf(callers: Policy["callers"]): Index {
  const known = INDEXES.get(callers);
  if (known !== undefined) return known;
  const index = Map.groupBy(callers, ({ kind, clientId, blueprint = "" }) =>
    clientId === undefined ? blueprintKey(kind, blueprint) : clientKey(kind, clientId),
  );
  INDEXES.set(callers, index);
  return index;
}

function clientKey(kind: string, clientId: string): string {
  return `${kind} client ${clientId}`;
}

function blueprintKey(kind: string, blueprint: string): string {
  return `${kind} blueprint ${blueprint}`;
}
