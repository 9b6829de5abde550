/**
 * Stage 6 of the story: a permission becomes a grant, if that was asked and policy allows it. Learns first what it covers;
 * then keeps it. A redeemed grant is told about as it is; everything else leaves no trace.
 */
import type { EntraGuards } from "./ask-entra.ts";
import { type CoverApis, coverApis } from "./cover-apis.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import type { Failure } from "./failure.ts";
import type { GrantKeeper, KeepGrant, KeptGrant } from "./keep-grant.ts";
import type { Permission } from "./permission.ts";
import type { Entitlement } from "./policy/entitlement.ts";
import type { Registration } from "./registration.ts";
import { fail, type Result, succeed } from "./result.ts";

interface Rooms extends EntraGuards {
  readonly delegated: Registration;
  readonly grants: GrantKeeper;
}

type KeepPermission = Omit<KeepGrant, "covered"> & Pick<CoverApis, "scopes">;

/** The grant to tell the caller about: a new one, the redeemed one, or none. */
export async function keepPermission(
  rooms: Rooms,
  request: KeepPermission,
  { correlationId, trace, isOver }: ExchangeRequest,
): Promise<Result<KeptGrant | undefined, Failure>> {
  const { permission, entitlement, token, scopes, note } = request;
  if (permission.source === "grant") {
    const { id, expiresAtSeconds } = permission.grant.grant;
    return succeed({ id, expiresAtSeconds, handle: undefined });
  }
  if (!isToBeKept(permission, entitlement)) {
    return succeed(undefined);
  }
  const covered = await coverApis(rooms, { entitlement, token, scopes, correlationId, trace, isOver, note });
  if (!covered.ok) {
    return covered;
  }
  // Who has been told that it took too long gets nothing lasting.
  return isOver?.() === true
    ? fail({ kind: "deadline_passed" })
    : rooms.grants.keep({ ...request, covered: covered.value, isOver });
}

function isToBeKept({ source }: Permission, { offlineAccess }: Entitlement): boolean {
  return offlineAccess || source === "imported";
}
