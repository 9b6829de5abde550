/**
 * An application redeemed a grant, but the user must sign in again: the grant expired, or Entra ended the session,
 * returned a claims challenge or requires consent. The refusal then contains a link for exactly this application, API,
 * scopes and user, which the application can forward. If no link is possible, the refusal only says that a sign-in is
 * required.
 */

import type { Caller } from "../caller/caller.ts";
import type { ApiScopes } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import type { Grant } from "../core/grant.ts";
import { URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import type { Registrations } from "../entra/registration.ts";
import type { Subject } from "../flows/flows.ts";
import { entryFor } from "../policy/find-entry.ts";
import type { CallerRule, Policy } from "../policy/rules.ts";
import { sealLink } from "./create-link.ts";
import type { SignInState } from "./sign-in-context.ts";

export interface OfferContext {
  readonly policy: Policy;
  readonly registrations: Registrations;
  readonly nowSeconds: () => number;
  readonly signIn: SignInState | undefined;
}

/** Verdicts that a new sign-in resolves. */
const RESOLVED_BY_SIGN_IN: readonly string[] = ["grant_dead", "interaction_required", "consent_required"];

export async function offerSignIn(
  context: OfferContext,
  { caller, subject }: { readonly caller: Caller; readonly subject: Subject },
  failure: Failure,
): Promise<Failure> {
  const offers =
    failure.kind === "entra_refused" &&
    RESOLVED_BY_SIGN_IN.includes(failure.verdict) &&
    caller.kind === "application" &&
    subject.source === "grant";
  if (!offers) return failure;
  const entry = entryFor(context.policy, caller);
  const url =
    entry === undefined
      ? undefined
      : await createRenewalLink(context, entry, subject.grant.grant, failure.evidence.claims);
  return { ...failure, signIn: { url } };
}

/** The grant expired, so the service did not call Entra. */
export async function offerLinkForExpiredGrant(context: OfferContext, failure: Failure): Promise<Failure> {
  if (failure.kind !== "grant_refused" || failure.ended === undefined) return failure;
  const { ended, ...refused } = failure;
  const entry = context.policy.callers.find(({ name }) => name === ended.entry);
  const mayRenew = entry !== undefined && !(entry.requireConfidentialClient && !ended.confidential);
  const url = mayRenew ? await createRenewalLink(context, entry, ended.grant, undefined) : undefined;
  return { ...refused, signIn: { url } };
}

// ---------------------------------------------------------------------------------------------------------------

/** A grant has the scopes that Entra returned. A link may request only those that the entry lists. */
function renewableScopes(entry: CallerRule, { api, scopes }: ApiScopes): ApiScopes[] {
  const listed = Object.entries(entry.apis).find(([name]) => name === api)?.[1] ?? [];
  const renewable = scopes.filter((scope) => listed.includes(scope));
  if (renewable.length === 0) return [];
  return [{ api, scopes: renewable.includes(".default") ? [".default"] : renewable }];
}

/**
 * A link that creates the same grant again. It includes Entra's claims challenge, unless that is too long for a URL.
 */
async function createRenewalLink(
  { policy, registrations, nowSeconds, signIn }: OfferContext,
  entry: CallerRule,
  { apis, user, binding }: Grant,
  claims: string | undefined,
): Promise<string | undefined> {
  if (signIn === undefined || (claims !== undefined && Buffer.byteLength(claims) > URL_CLAIMS_MAX_BYTES)) {
    return undefined;
  }
  const [first, ...others] = apis.flatMap((given) => renewableScopes(entry, given));
  if (first === undefined) return undefined;
  const link = await sealLink(
    { policy, registrations, nowSeconds, signIn },
    {
      entry,
      clientId: binding.clientId.toLowerCase(),
      apis: [first, ...others],
      expectedUser: user.objectId,
      claims,
      audit: { add: () => undefined },
    },
  );
  return link.ok ? link.value.url : undefined;
}
