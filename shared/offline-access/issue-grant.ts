/**
 * Issues a grant if the request asks for one and policy allows it: collects the consented APIs, then stores the grant.
 * A redeemed grant is returned as it is. Every other request creates nothing.
 */
import type { ExchangeRequest } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { Registrations } from "../entra/registration.ts";
import type { Subject } from "../flows/flows.ts";
import type { Entitlement } from "../policy/entitlement.ts";
import type { ThrottlingContext } from "../throttling/throttled-call.ts";
import { type CollectConsent, collectConsentedApis } from "./consented-apis.ts";
import type { OfflineAccess } from "./offline-access.ts";
import type { IssuedGrant, IssueGrant } from "./store-grant.ts";

interface IssueContext extends ThrottlingContext {
  readonly registrations: Registrations;
  readonly grants: OfflineAccess;
}

type IssueRequestedGrant = Omit<IssueGrant, "consent"> & Pick<CollectConsent, "scopes">;

/** The grant that the response names: the new one, the redeemed one, or none. */
export async function issueRequestedGrant(
  context: IssueContext,
  request: IssueRequestedGrant,
  { correlationId, trace, signal }: ExchangeRequest,
): Promise<Result<IssuedGrant | undefined, Failure>> {
  const { caller, subject, entitlement, token, scopes, audit } = request;
  if (subject.source === "grant") {
    const { id, expiresAtSeconds } = subject.grant.grant;
    return succeed({ id, expiresAtSeconds, handle: undefined });
  }
  if (!isGrantRequested(subject, entitlement)) return succeed(undefined);
  const registration = context.registrations.find(caller.registration);
  if (registration === undefined) return fail({ kind: "internal" });
  const consent = await collectConsentedApis(context, {
    registration,
    entitlement,
    token,
    scopes,
    correlationId,
    trace,
    signal,
    audit,
  });
  if (!consent.ok) return consent;
  // The deadline passed and the caller got 504: do not create a grant.
  return signal?.aborted === true
    ? fail({ kind: "deadline_passed" })
    : context.grants.issue({ ...request, consent: consent.value, signal });
}

function isGrantRequested({ source }: Subject, { offlineAccess }: Entitlement): boolean {
  return offlineAccess || source === "imported";
}
