/**
 * Finds out which APIs a new grant can serve. Entra binds a refresh token to a user and a registration, not to an
 * API, so one grant can serve several APIs. Entra states the consented scopes only with a token, so the service redeems
 * the refresh token once for each further API, checks the returned scopes against policy and drops those tokens. If one
 * API is refused, the service issues no grant.
 *
 * Source: https://learn.microsoft.com/entra/identity-platform/refresh-tokens
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import { byApi } from "../audit/requested-facts.ts";
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import { identityKey, isSameUser } from "../core/user-identity.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { Registration } from "../entra/registration.ts";
import { qualifiedScopes } from "../flows/flow.ts";
import type { ApiAllowance, Entitlement } from "../policy/entitlement.ts";
import { release } from "../policy/release.ts";
import { spendBudget, type ThrottlingContext, throttledCall } from "../throttling/throttled-call.ts";

export interface CollectConsent {
  /** The registration that Entra issued the refresh token for. */
  readonly registration: Registration;
  readonly entitlement: Entitlement;
  /** The token that Entra returned together with the refresh token. */
  readonly token: EntraToken;
  /** True scopes of that token, bare, after the release check. */
  readonly scopes: readonly string[];
  readonly correlationId: string;
  readonly trace?: RequestTrace | undefined;
  /** Aborts when the deadline passes. */
  readonly signal?: AbortSignal | undefined;
  readonly audit: AuditTrail;
}

/** What a grant is issued for. */
export interface Consent {
  readonly apis: ConsentedApis;
  /** Entra's newest refresh token. Undefined: Entra returned none. */
  readonly refreshToken: SecretValue | undefined;
}

export async function collectConsentedApis(
  context: ThrottlingContext,
  request: CollectConsent,
): Promise<Result<Consent, Failure>> {
  const { entitlement, token, audit, signal } = request;
  const first = { api: entitlement.api.name, scopes: grantedScopes(entitlement, request.scopes) };
  const others: ApiScopes[] = [];
  let { refreshToken } = token;
  for (const allowance of entitlement.also) {
    if (signal?.aborted === true) return fail({ kind: "deadline_passed" });
    if (refreshToken === undefined) return fail(ANSWER_INVALID);
    const redeemed = await redeemForApi(context, request, { allowance, refreshToken });
    if (!redeemed.ok) return redeemed;
    const scopes = release(allowance, redeemed.value.scopes, entitlement.entry);
    if (!scopes.ok) return scopes;
    others.push({ api: allowance.api.name, scopes: grantedScopes(allowance, scopes.value) });
    refreshToken = redeemed.value.refreshToken ?? refreshToken;
  }
  if (others.length > 0) audit.add({ alsoReturned: byApi(others) });
  return succeed({ apis: [first, ...others], refreshToken });
}

// ---------------------------------------------------------------------------------------------------------------

const ANSWER_INVALID: Failure = { kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" };

interface FurtherApi {
  readonly allowance: ApiAllowance;
  readonly refreshToken: SecretValue;
}

async function redeemForApi(
  context: ThrottlingContext,
  { registration, entitlement, token, correlationId, trace }: CollectConsent,
  { allowance, refreshToken }: FurtherApi,
): Promise<Result<EntraToken, Failure>> {
  if (token.user === undefined) return fail(ANSWER_INVALID);
  const user = identityKey(token.user);
  // The refresh token is new each time, so the same request never comes again.
  const call = { registration, entitlement, api: allowance.api.name, user, refusalKey: undefined };
  const refused = spendBudget(context, call);
  if (refused !== undefined) return fail(refused);
  const redeemed = await throttledCall(context, call, async () =>
    (await registration.entra()).redeemRefreshToken({
      refreshToken,
      scopes: qualifiedScopes(allowance),
      claims: undefined,
      correlationId,
      trace,
      cae: false,
    }),
  );
  return redeemed.ok && !isSameUser(redeemed.value.user, token.user) ? fail(ANSWER_INVALID) : redeemed;
}

/**
 * The scopes of one API in a grant: those that were released. Entra does not downscope, so they may be more than the
 * request named, but never more than policy releases. A grant with fewer could not be redeemed.
 */
function grantedScopes({ scopes }: ApiAllowance, released: readonly string[]): readonly string[] {
  const requested = scopes.filter((scope) => scope === ".default");
  return [...requested, ...released].sort();
}
