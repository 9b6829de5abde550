/**
 * Redeems one idle grant, so that Entra does not end its refresh token after 90 idle days. The steps are those of a
 * redemption by its application, without a release:
 *
 *   policy → claim (one instance, one attempt) → open with the sealed handle → Entra → newer refresh token, or the refusal
 */
import { randomUUID } from "node:crypto";
import type { Failure } from "../core/failure.ts";
import { keepAliveTime } from "../core/grant.ts";
import { identityKey } from "../core/user-identity.ts";
import { aboutGrant } from "../events/about-grant.ts";
import { flowFor } from "../flows/flows.ts";
import type { StoredGrant, UnsealedGrant } from "../grants/grant-types.ts";
import { toRefusal } from "../offline-access/refused-redemption.ts";
import { decideKeepAlive } from "../policy/decide.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import { type KeepAliveRule, keepAliveRule } from "../policy/evaluate-keep-alive.ts";
import { isTooOld } from "../policy/grants-not-before.ts";
import { createHealingLink } from "../sign-in/offer-sign-in.ts";
import { throttledCall } from "../throttling/throttled-call.ts";
import type { KeepAliveContext } from "./keep-alive-context.ts";

/**
 * - kept: Entra redeemed it; stopped: its entry no longer wants it; not_due, not_allowed, taken: no call to Entra;
 * - dead, refused: Entra's answer is about this grant, and the row says so;
 * - busy: Entra, or the way to it, does not answer now, or Entra refuses the service's credential; gone: it was revoked during the call; failed: the grant store or the sealing key.
 */
export type KeepAliveOutcome =
  | "kept"
  | "stopped"
  | "not_due"
  | "not_allowed"
  | "taken"
  | "dead"
  | "refused"
  | "busy"
  | "gone"
  | "failed";

/**
 * After a claim, no timer touches the grant for a day, even if the instance stops or Entra does not answer. With
 * `keepAliveDays` of at most 60, a month of such days remains before Entra ends the refresh token.
 */
const CLAIM_SECONDS = 24 * 3600;

/**
 * After a refusal that is no death, the timer tries again this soon: an administrator may remove the cause, for example a
 * policy of Conditional Access, and Entra ends the refresh token after 90 idle days.
 */
const RETRY_REFUSED_SECONDS = 3 * 24 * 3600;

export async function keepGrantAlive(context: KeepAliveContext, stored: StoredGrant): Promise<KeepAliveOutcome> {
  const upkeep = await context.upkeep();
  const rule = keepAliveRule(context.policy, stored.grant);
  if (rule === undefined) return (await upkeep.stop(stored)).ok ? "stopped" : "failed";
  const now = context.nowSeconds();
  if (!isDue(stored, rule, now)) return "not_due";
  const { allowedAtSeconds } = stored.grant;
  if (isTooOld(context.policy, rule, { allowedAtSeconds, nowSeconds: now })) return "not_allowed";
  const decision = decideKeepAlive(context.policy, rule, stored.grant);
  if (!decision.ok) return "not_allowed";
  const claimed = await upkeep.claim(stored, now + CLAIM_SECONDS);
  if (!claimed.ok) return "failed";
  if (claimed.value === undefined) return "taken";
  const opened = await upkeep.open(claimed.value);
  if (!opened.ok) return "failed";
  return redeem(context, { rule, entitlement: decision.value, opened: opened.value });
}

// ---------------------------------------------------------------------------------------------------------------

/** Dead, expired and unverified grants are left alone: a redemption cannot help them. */
function isDue({ grant }: StoredGrant, { keepAliveDays }: KeepAliveRule, now: number): boolean {
  const { allowedAtSeconds, lastRenewedAtSeconds = 0, lastRedeemedAtSeconds = 0, keepAliveAfterSeconds = 0 } = grant;
  const isLive = grant.deadSinceSeconds === undefined && grant.expiresAtSeconds > now;
  const isVerified = grant.codeChallenge === undefined || grant.verifiedAtSeconds !== undefined;
  const lastUse = Math.max(allowedAtSeconds, lastRenewedAtSeconds, lastRedeemedAtSeconds);
  const dueAt = Math.max(keepAliveTime(grant.id, lastUse, keepAliveDays), keepAliveAfterSeconds);
  return isLive && isVerified && dueAt <= now;
}

interface Redemption {
  readonly rule: KeepAliveRule;
  readonly entitlement: Entitlement;
  readonly opened: UnsealedGrant;
}

async function redeem(context: KeepAliveContext, { rule, entitlement, opened }: Redemption): Promise<KeepAliveOutcome> {
  const { grant } = opened;
  const registration = context.registrations.find(grant.registration);
  if (registration === undefined) return "not_allowed";
  const user = identityKey(grant.user);
  const call = { registration, entitlement, api: entitlement.api.name, user, refusalKey: undefined };
  const redeemed = await throttledCall(context, call, async () => {
    const flowContext = {
      entra: await registration.entra(),
      allowGuests: context.allowGuests,
      onOtherUser: context.onOtherUser,
      grantRedeemed: (...[given, newer]: Parameters<KeepAliveContext["grants"]["redeemed"]>) =>
        context.grants.redeemed(given, newer, { keepAliveDays: rule.keepAliveDays, by: "timer" }),
    };
    const request = { entitlement, claims: undefined, correlationId: randomUUID() };
    return flowFor({ source: "grant", grant: opened }).acquire(flowContext, request);
  });
  return redeemed.ok ? "kept" : recordFailure(context, { rule, opened }, redeemed.failure);
}

async function recordFailure(
  context: KeepAliveContext,
  { rule, opened }: Omit<Redemption, "entitlement">,
  failure: Failure,
): Promise<KeepAliveOutcome> {
  const refusal = toRefusal(failure, context.codeOf);
  if (refusal === undefined) return failure.kind === "grant_refused" ? "gone" : "busy";
  const { code, isDead } = refusal;
  const keepAliveAfterSeconds = context.nowSeconds() + RETRY_REFUSED_SECONDS;
  const recorded = await (await context.grantStore()).recordRefusedRedemption(opened, {
    code,
    isDead,
    keepAliveAfterSeconds,
  });
  if (!recorded.ok) return "failed";
  if (!isDead) return "refused";
  if (recorded.value) {
    const claims = failure.kind === "entra_refused" ? failure.evidence.claims : undefined;
    const signInUrl = await createHealingLink(context, opened, { entry: rule.name, claims });
    context.events.publish(aboutGrant("dead", opened.grant, { reason: code, signInUrl }));
  }
  return "dead";
}
