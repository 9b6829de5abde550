/** Which entry of the policy belongs to a client: its own, or that of the blueprint whose agent it is. Pure. */
import type { Caller } from "../caller/caller.ts";
import type { CallerRule, Policy } from "./rules.ts";

type Client = Pick<Caller, "kind" | "clientId"> & Partial<Pick<Caller, "agent">>;

/**
 * The only entry that can match: the one with the caller's kind and client id. An agent without such an entry has the one
 * of its blueprint. A separate entry excludes the blueprint's even if its role is missing, so that an administrator
 * can narrow one agent.
 */
export function entryOfClient({ callers }: Policy, { kind, clientId, agent }: Client): CallerRule | undefined {
  const client = clientId.toLowerCase();
  const own = callers.find((entry) => entry.kind === kind && entry.clientId === client);
  if (own !== undefined || agent === undefined) return own;
  return callers.find((entry) => entry.kind === kind && entry.blueprint === agent.blueprint);
}

/**
 * Sealed state names the entry and the client that was authenticated when it was sealed. The entry of a blueprint no
 * longer matches an agent that has got a separate entry.
 */
export function stillMatches({ callers }: Policy, entry: CallerRule, clientId: string): boolean {
  if (entry.blueprint === undefined) return entry.clientId === clientId;
  return !callers.some((other) => other.kind === entry.kind && other.clientId === clientId);
}
