/** What the timers of grants need of the service. The composition root makes one for each version of the policy. */

import type { GrantEvents } from "../core/grant-event.ts";
import type { FlowContext } from "../flows/flow.ts";
import type { GrantUpkeep } from "../grants/grant-upkeep.ts";
import type { Grants } from "../grants/grants.ts";
import type { OfflineAccess } from "../offline-access/offline-access.ts";
import type { RefusalContext } from "../offline-access/refused-redemption.ts";
import type { OfferContext } from "../sign-in/offer-sign-in.ts";
import type { ThrottlingContext } from "../throttling/throttled-call.ts";

export interface KeepAliveContext
  extends OfferContext,
    ThrottlingContext,
    Pick<FlowContext, "allowGuests" | "onOtherUser"> {
  readonly grants: Pick<OfflineAccess, "redeemed">;
  /** Resolved on first use: the table and JWE parts of the bundle are lazy. */
  readonly grantStore: () => Promise<Pick<Grants, "recordRefusedRedemption">>;
  readonly upkeep: () => Promise<GrantUpkeep>;
  readonly events: GrantEvents;
  readonly codeOf: RefusalContext["codeOf"];
}
