/** Who asked for a grant, as the grant records it. Pure. */
import type { Caller } from "../caller/caller.ts";
import type { GrantRequester } from "../core/grant.ts";

export function toRequester({ kind, clientId, objectId }: Caller): GrantRequester {
  return { clientId, userObjectId: kind === "user" ? objectId : undefined };
}
