/**
 * An application redeemed a grant and the person is wanted back: the grant's time is over, or Entra ended the session, has
 * a demand, misses a consent. The refusal then carries a ready link for exactly that application, API, scopes and person,
 * so that a flow can send it on. Where no link can be made, it says that somebody must sign in.
 */

import type { Caller } from "../caller/caller.ts";
import type { ApiScopes } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import type { Grant } from "../core/grant.ts";
import { URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import type { Subject } from "../flows/flows.ts";
import { entryFor } from "../policy/evaluate.ts";
import type { CallerRule, Policy } from "../policy/rules.ts";
import { sealLink } from "./create-link.ts";
import type { SignInState } from "./sign-in-context.ts";

export interface OfferContext {
  readonly policy: Policy;
  readonly nowSeconds: () => number;
  readonly signIn: SignInState | undefined;
}

const MENDED_BY_SIGN_IN: readonly string[] = ["grant_dead", "interaction_required", "consent_required"];

export async function offerSignIn(
  context: OfferContext,
  { caller, subject }: { readonly caller: Caller; readonly subject: Subject },
  failure: Failure,
): Promise<Failure> {
  const offers =
    failure.kind === "entra_refused" &&
    MENDED_BY_SIGN_IN.includes(failure.verdict) &&
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

/** The grant's own time was over, so that Entra was never asked. */
export async function offerForEnded(context: OfferContext, failure: Failure): Promise<Failure> {
  if (failure.kind !== "grant_refused" || failure.ended === undefined) return failure;
  const { ended, ...refused } = failure;
  const entry = context.policy.callers.find(({ name }) => name === ended.entry);
  const mayAsk = entry !== undefined && !(entry.requireConfidentialClient && !ended.confidential);
  const url = mayAsk ? await createRenewalLink(context, entry, ended.grant, undefined) : undefined;
  return { ...refused, signIn: { url } };
}

/** A grant has the scopes that Entra gave; asked for again are those that the entry may ask for. */
function scopesToRequest(entry: CallerRule, { api, scopes }: ApiScopes): ApiScopes[] {
  const listed = Object.entries(entry.apis).find(([name]) => name === api)?.[1] ?? [];
  const mayAsk = scopes.filter((scope) => listed.includes(scope));
  if (mayAsk.length === 0) return [];
  return [{ api, scopes: mayAsk.includes(".default") ? [".default"] : mayAsk }];
}

/** A link that makes the grant again as it was; a demand of Entra's is met on the way, if a URL can hold it. */
async function createRenewalLink(
  { policy, nowSeconds, signIn }: OfferContext,
  entry: CallerRule,
  { apis, user }: Grant,
  claims: string | undefined,
): Promise<string | undefined> {
  if (signIn === undefined || (claims !== undefined && Buffer.byteLength(claims) > URL_CLAIMS_MAX_BYTES)) {
    return undefined;
  }
  const [first, ...others] = apis.flatMap((given) => scopesToRequest(entry, given));
  if (first === undefined) return undefined;
  const link = await sealLink(
    { policy, nowSeconds, signIn },
    {
      entry,
      apis: [first, ...others],
      expectedUser: user.objectId,
      claims,
      audit: { add: () => undefined },
    },
  );
  return link.ok ? link.value.url : undefined;
}
