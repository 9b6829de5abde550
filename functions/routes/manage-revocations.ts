import { isoTime } from "../../shared/core/iso-time.ts";
import { fail, succeed } from "../../shared/core/result.ts";
import type { RevocationTarget } from "../../shared/core/revocation.ts";
import type { RevocationMark } from "../../shared/grants/mark-store.ts";
import { json } from "../../shared/http/write-answer.ts";
import { fromGrantFailure } from "../../shared/offline-access/grant-failure.ts";
import type { RevokedAccess } from "../../shared/offline-access/manage-grants.ts";
import type { Service } from "../composition/compose.ts";
import type { GrantServices } from "../composition/grants.ts";
import type { Route } from "../handle.ts";
import { managed } from "./managed.ts";

/**
 * `POST /manage/revocations`: an administrator revokes grants and cached tokens by person, caller, policy entry, API or
 * grant, or everything. Answers how many grants it concerns. `GET`: the revocations in effect. The app role
 * `Grant.Admin` is required.
 */
export function manageRevocationsRoute(service: Service, { store }: GrantServices): Route {
  const { exchangeContext, revocations, nowMs } = service;
  const { events } = exchangeContext;
  return {
    name: "manage-revocations",
    template: "manage/revocations",
    methods: ["GET", "POST"],
    dialect: "problem",
    audit: "answered",
    run: managed(exchangeContext, async (administrator, request, { audit, correlationId }) => {
      if (request.method === "GET") {
        const marks = await revocations.list();
        if (!marks.ok) return fail(fromGrantFailure(marks.failure));
        return succeed(json(200, correlationId, { revocations: marks.value.map(toListedMark) }));
      }
      const [{ readManagedRevocation }, { revokeAccess }] = await Promise.all([
        import("../../shared/http/read-management-request.ts"),
        import("../../shared/offline-access/manage-grants.ts"),
      ]);
      const read = await readManagedRevocation(request);
      if (!read.ok) return read;
      const revoked = await revokeAccess(
        { store, revocations, events, nowMs },
        { ...read.value, administrator },
        audit,
      );
      if (!revoked.ok) return revoked;
      const { target, dryRun } = read.value;
      return succeed(json(200, correlationId, { dryRun, ...toMember(target), ...toAnswer(revoked.value) }));
    }),
  };
}

// ------------------------------------------------------------------------------------------------------------------

function toMember({ kind, key }: RevocationTarget): Record<string, unknown> {
  return { [kind]: kind === "everything" ? true : key };
}

function toAnswer({ concerned, mark, effectiveAtSeconds }: RevokedAccess): Record<string, unknown> {
  return {
    ...concerned,
    ...(mark === undefined ? {} : { id: mark.id, allowedUntil: isoTime(mark.notBeforeSeconds) }),
    ...(effectiveAtSeconds === undefined ? {} : { effectiveOn: isoTime(effectiveAtSeconds) }),
  };
}

function toListedMark({ id, kind, key, notBeforeSeconds, reason, createdAtSeconds, by }: RevocationMark) {
  return {
    id,
    ...toMember({ kind, key }),
    allowedUntil: isoTime(notBeforeSeconds),
    reason,
    createdOn: isoTime(createdAtSeconds),
    byClientId: by.clientId,
    byObjectId: by.objectId,
  };
}
