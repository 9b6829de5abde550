/**
 * An application presented a handle, but a person must sign in first: no one has allowed the grant yet, the grant expired,
 * or Entra ended the session, returned a claims challenge or requires consent. The refusal then contains a link for exactly
 * this handle, application, API, scopes and person, which the application can forward. One answer of that person makes the
 * handle live. If no link is possible, the refusal only says that a sign-in is required.
 */

import type { Caller } from "../caller/caller.ts";
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import type { WantedGrant } from "../core/grant.ts";
import { URL_CLAIMS_MAX_BYTES } from "../core/limits.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { Registrations } from "../entra/registration.ts";
import type { Subject } from "../flows/flows.ts";
import type { UnsealedGrant } from "../grants/grant-types.ts";
import { entryFor } from "../policy/find-entry.ts";
import type { CallerRule, Policy } from "../policy/rules.ts";
import { sealLink, targetOfLink } from "./create-link.ts";
import type { SignInState } from "./sign-in-context.ts";

export interface OfferContext {
  readonly policy: Policy;
  readonly registrations: Registrations;
  readonly nowSeconds: () => number;
  readonly signIn: SignInState | undefined;
}

/** Verdicts that a new sign-in resolves. */
const RESOLVED_BY_SIGN_IN: readonly string[] = ["grant_dead", "interaction_required", "consent_required"];

/** Entra refused the grant of an application. */
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
  const { grant, handle } = subject.grant;
  const entry = entryFor(context.policy, caller);
  const url = await createOfferedLink(context, handle, {
    entry: entry?.name ?? "",
    confidential: caller.confidential,
    clientId: grant.binding.clientId,
    apis: grant.apis,
    expectedUser: grant.user.objectId,
    claims: failure.evidence.claims,
    heals: true,
  });
  return { ...failure, signIn: { url } };
}

/** The grant is pending or expired, so the service did not call Entra. `handle`: what the application presented. */
export async function offerLinkForGrant(
  context: OfferContext,
  failure: Failure,
  handle: SecretValue | undefined,
): Promise<Failure> {
  if (failure.kind !== "grant_refused" || failure.wanted === undefined) return failure;
  const { wanted, ...refused } = failure;
  const url = handle === undefined ? undefined : await createOfferedLink(context, handle, wanted);
  return { ...refused, signIn: { url } };
}

/** A link with which the grant's own person makes the same handle live again. Undefined: policy allows none. */
export function createHealingLink(
  context: OfferContext,
  { grant, handle }: Pick<UnsealedGrant, "grant" | "handle">,
  { entry, claims }: Pick<WantedGrant, "entry" | "claims">,
): Promise<string | undefined> {
  return createOfferedLink(context, handle, {
    entry,
    // The caller of the entry is not present. Its own request must be confidential again.
    confidential: true,
    clientId: grant.binding.clientId,
    apis: grant.apis,
    expectedUser: grant.user.objectId,
    claims,
    heals: true,
  });
}

// ---------------------------------------------------------------------------------------------------------------

/** A grant has the scopes that Entra returned. A link may request only those that the entry lists. */
function renewableScopes(entry: CallerRule, { api, scopes }: ApiScopes): ApiScopes[] {
  const listed = Object.entries(entry.apis).find(([name]) => name === api)?.[1] ?? [];
  const renewable = scopes.filter((scope) => listed.includes(scope));
  if (renewable.length === 0) return [];
  return [{ api, scopes: renewable.includes(".default") ? [".default"] : renewable }];
}

function apisOfLink(entry: CallerRule, { apis, heals }: WantedGrant): ConsentedApis | undefined {
  if (!heals) return apis;
  const [first, ...others] = apis.flatMap((given) => renewableScopes(entry, given));
  return first === undefined ? undefined : [first, ...others];
}

/** It includes Entra's claims challenge, unless that is too long for a URL. */
async function createOfferedLink(
  { policy, registrations, nowSeconds, signIn }: OfferContext,
  handle: SecretValue,
  wanted: WantedGrant,
): Promise<string | undefined> {
  const { clientId, expectedUser, claims, heals } = wanted;
  const entry = policy.callers.find(({ name }) => name === wanted.entry);
  if (signIn === undefined || entry === undefined) return undefined;
  if (entry.requireConfidentialClient && !wanted.confidential) return undefined;
  if (claims !== undefined && Buffer.byteLength(claims) > URL_CLAIMS_MAX_BYTES) return undefined;
  const apis = apisOfLink(entry, wanted);
  if (apis === undefined) return undefined;
  const context = { policy, registrations, nowSeconds, signIn };
  const target = targetOfLink(context, { entry, clientId: clientId.toLowerCase(), apis });
  if (!target.ok) return undefined;
  const content = { target: target.value, claims, expectedUser, handle: handle.reveal(), heals };
  const link = await sealLink(context, entry, content);
  return link.ok ? link.value.url : undefined;
}
