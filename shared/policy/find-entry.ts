/** Which entry of the policy matches a caller, and why none does. Pure. */
import type { Caller } from "../caller/caller.ts";
import type { PolicyRefused } from "../core/failure.ts";
import { entriesOfClient } from "./entries-of-client.ts";
import { isOfRegistration, registrationName } from "./registrations.ts";
import type { CallerRule, Policy } from "./rules.ts";

/** The properties of a caller that policy uses. */
export type PolicyCaller = Pick<
  Caller,
  "kind" | "clientId" | "registration" | "roles" | "confidential" | "understandsClaimsChallenge"
> &
  Partial<Pick<Caller, "agent">>;

/**
 * The entry that matches the caller's kind, client id and registration, and its role if the entry names one. A role
 * counts only with the registration that assigned it.
 */
export function entryFor(policy: Policy, caller: PolicyCaller): CallerRule | undefined {
  return entriesOfClient(policy, caller).find(
    (entry) =>
      isOfRegistration(policy, entry, caller.registration) &&
      (entry.role === undefined || caller.roles.includes(entry.role)),
  );
}

/**
 * The refusal of a caller whose token is for another registration than its entries. Undefined: the caller has an entry
 * with the registration of its token, or none at all.
 */
export function registrationRefusal(policy: Policy, caller: PolicyCaller): PolicyRefused | undefined {
  const entries = entriesOfClient(policy, caller);
  const [entry] = entries;
  if (entry === undefined || entries.some((one) => isOfRegistration(policy, one, caller.registration)))
    return undefined;
  return { reason: "token_for_other_registration", callerKind: caller.kind, ...named(entry) };
}

/** Why no entry matches the caller: its token is for another registration, or no entry lists it. */
export function noEntry(policy: Policy, caller: PolicyCaller): PolicyRefused {
  return registrationRefusal(policy, caller) ?? callerNotListed(policy, caller);
}

/** The entry and its registration, as refusals and entitlements name them. */
export function named(entry: CallerRule) {
  return { entry: entry.name, registration: registrationName(entry) };
}

// ---------------------------------------------------------------------------------------------------------------

/** The caller's kind and client id, and the app role of an entry that would match with it. */
function callerNotListed(policy: Policy, caller: PolicyCaller): PolicyRefused {
  const roles = entriesOfClient(policy, caller)
    .filter((entry) => isOfRegistration(policy, entry, caller.registration))
    .flatMap(({ role }) => role ?? []);
  return {
    reason: "caller_not_listed",
    requested: [`${caller.kind} ${caller.clientId}`],
    ...(roles.length === 0 ? {} : { listed: roles }),
  };
}
