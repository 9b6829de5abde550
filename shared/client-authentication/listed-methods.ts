/**
 * Which methods of client authentication the policy accepts beside Entra's tokens, and from which clients. Every method
 * is off unless an entry lists it. Pure.
 */
import type { CallerRule, Policy } from "../policy/rules.ts";

type Listed = CallerRule["clientAuthentication"][number];

/** A credential that Entra issued to the client or knows from it. */
export type OwnCredential = Exclude<Listed, "ignored_with_subject">;

/**
 * The entry of the application that may authenticate in this way: at most one, because a policy with two is refused.
 * `clientId`: GUID in lower case.
 */
export function entryWith(policy: Policy, clientId: string, method: OwnCredential): CallerRule | undefined {
  return policy.callers.find(
    (entry) =>
      entry.kind === "application" && entry.clientId === clientId && entry.clientAuthentication.includes(method),
  );
}

/**
 * The client sends a secret because it cannot do otherwise, and the user's token authenticates the request. A client
 * whose secret is also proved at Entra is not among these: its secret counts.
 */
export function ignoresSecret(policy: Policy, clientId: string): boolean {
  if (entryWith(policy, clientId, "entra_secret") !== undefined) return false;
  return policy.callers.some(
    (entry) =>
      entry.kind === "user" &&
      entry.clientId === clientId &&
      entry.clientAuthentication.includes("ignored_with_subject"),
  );
}

/** Every method that at least one entry lists, for the metadata document. */
export function listedMethods({ callers }: Policy): ReadonlySet<Listed> {
  return new Set(callers.flatMap((entry) => entry.clientAuthentication));
}
