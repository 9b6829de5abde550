/**
 * An application redeemed a grant and the person is wanted back: the grant's time is over, or Entra ended the session, has
 * a demand, misses a consent. The refusal then carries a ready link for exactly that application, API, scopes and person,
 * so that a flow can send it on. Where no link can be made, it says that somebody must sign in.
 */
import type { ApiScopes } from "../api-scopes.ts";
import type { Caller } from "../caller/caller.ts";
import type { Failure } from "../failure.ts";
import type { Grant } from "../grants/grant.ts";
import { URL_CLAIMS_MAX_BYTES } from "../limits.ts";
import type { Permission } from "../permission.ts";
import type { CallerRule, Policy } from "../policy/rules.ts";
import { entryFor } from "../policy/weigh.ts";
import { sealLink } from "./make-link.ts";
import type { SignInParts } from "./sign-in-rooms.ts";

export interface OfferRooms {
  readonly policy: Policy;
  readonly nowSeconds: () => number;
  readonly signIn: SignInParts | undefined;
}

const MENDED_BY_SIGN_IN: readonly string[] = ["grant_dead", "interaction_required", "consent_required"];

export async function offerSignIn(
  rooms: OfferRooms,
  { caller, permission }: { readonly caller: Caller; readonly permission: Permission },
  failure: Failure,
): Promise<Failure> {
  const offers =
    failure.kind === "entra_refused" &&
    MENDED_BY_SIGN_IN.includes(failure.verdict) &&
    caller.kind === "application" &&
    permission.source === "grant";
  if (!offers) {
    return failure;
  }
  const entry = entryFor(rooms.policy, caller);
  const url =
    entry === undefined ? undefined : await linkAgain(rooms, entry, permission.grant.grant, failure.evidence.claims);
  return { ...failure, signIn: { url } };
}

/** The grant's own time was over, so that Entra was never asked. */
export async function offerForEnded(rooms: OfferRooms, failure: Failure): Promise<Failure> {
  if (failure.kind !== "grant_refused" || failure.ended === undefined) {
    return failure;
  }
  const { ended, ...refused } = failure;
  const entry = rooms.policy.callers.find(({ name }) => name === ended.entry);
  const mayAsk = entry !== undefined && !(entry.requireConfidentialClient && !ended.confidential);
  const url = mayAsk ? await linkAgain(rooms, entry, ended.grant, undefined) : undefined;
  return { ...refused, signIn: { url } };
}

/** A grant has the scopes that Entra gave; asked for again are those that the entry may ask for. */
function askAgain(entry: CallerRule, { api, scopes }: ApiScopes): ApiScopes[] {
  const listed = Object.entries(entry.apis).find(([name]) => name === api)?.[1] ?? [];
  const mayAsk = scopes.filter((scope) => listed.includes(scope));
  if (mayAsk.length === 0) {
    return [];
  }
  return [{ api, scopes: mayAsk.includes(".default") ? [".default"] : mayAsk }];
}

/** A link that makes the grant again as it was; a demand of Entra's is met on the way, if a URL can hold it. */
async function linkAgain(
  { policy, nowSeconds, signIn }: OfferRooms,
  entry: CallerRule,
  { apis, user }: Grant,
  claims: string | undefined,
): Promise<string | undefined> {
  if (signIn === undefined || (claims !== undefined && Buffer.byteLength(claims) > URL_CLAIMS_MAX_BYTES)) {
    return undefined;
  }
  const [first, ...others] = apis.flatMap((given) => askAgain(entry, given));
  if (first === undefined) {
    return undefined;
  }
  const link = await sealLink(
    { policy, nowSeconds, signIn },
    {
      entry,
      apis: [first, ...others],
      expectedUser: user.objectId,
      claims,
      note: () => undefined,
    },
  );
  return link.ok ? link.value.url : undefined;
}
