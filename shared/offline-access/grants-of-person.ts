/** The grants that applications hold on behalf of a person who signed in to the service itself, for `/me`. */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Failure } from "../core/failure.ts";
import { isGrantId } from "../core/grant.ts";
import type { GrantEvents } from "../core/grant-event.ts";
import { type Result, succeed } from "../core/result.ts";
import type { UserIdentity } from "../core/user-identity.ts";
import { aboutGrant } from "../events/about-grant.ts";
import type { GrantCaller, GrantPage } from "../grants/grant-types.ts";
import type { Grants } from "../grants/grants.ts";
import { fromGrantResult } from "./grant-failure.ts";

/** A person, and the client id of the registration that they signed in to. */
export interface SignedInPerson {
  readonly user: UserIdentity;
  readonly registration: string;
}

export interface GrantsOfPerson {
  /** Newest first. `after`: `next` of the previous page. */
  list(person: SignedInPerson, after: string | undefined): Promise<Result<GrantPage, Failure>>;
  /** False: there is no such grant, or it is another person's. */
  end(person: SignedInPerson, grantId: string, audit: AuditTrail): Promise<Result<boolean, Failure>>;
}

/** Grants in one page of `/me`. */
const PAGE_SIZE = 25;

export function createGrantsOfPerson(grants: () => Promise<Grants>, events: GrantEvents): GrantsOfPerson {
  return {
    async list(person, after) {
      const page = { limit: PAGE_SIZE, onTheirBehalf: true, ...(after === undefined ? {} : { after }) };
      return fromGrantResult(await (await grants()).list(asCaller(person), page));
    },
    async end(person, grantId, audit) {
      if (!isGrantId(grantId)) return succeed(false);
      audit.add({ grantId, grantRevoked: false });
      const ended = fromGrantResult(
        await (await grants()).revokeById(grantId, asCaller(person), { onTheirBehalf: true }),
      );
      // Another person's grant gets the same answer as one that does not exist.
      if (!ended.ok) return ended.failure.kind === "grant_refused" ? succeed(false) : ended;
      if (ended.value === undefined) return succeed(false);
      audit.add({ grantRevoked: true, grantClientId: ended.value.binding.clientId });
      events.publish(aboutGrant("revoked", ended.value));
      return succeed(true);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function asCaller({ user, registration }: SignedInPerson): GrantCaller {
  return { kind: "user", tenantId: user.tenantId, objectId: user.objectId, clientId: registration };
}
