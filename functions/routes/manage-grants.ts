import { isoTime } from "../../shared/core/iso-time.ts";
import { succeed } from "../../shared/core/result.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Service } from "../composition/compose.ts";
import type { GrantServices } from "../composition/grants.ts";
import type { Route } from "../handle.ts";
import { toListedGrant } from "./grants.ts";
import { managed } from "./managed.ts";

/**
 * `GET /manage/grants`: answers the live grants of a person, caller, policy entry or API, or all of them. The app role
 * `Grant.Admin` is required. The response never contains a handle.
 */
export function manageGrantsRoute(service: Service, { store }: GrantServices): Route {
  const { exchangeContext, revocations, nowMs } = service;
  return {
    name: "manage-grants",
    template: "manage/grants",
    methods: ["GET"],
    dialect: "problem",
    audit: "answered",
    run: managed(exchangeContext, async (_caller, request, { correlationId }) => {
      const [{ readManagedSearch }, { listManagedGrants }] = await Promise.all([
        import("../../shared/http/read-management-request.ts"),
        import("../../shared/offline-access/manage-grants.ts"),
      ]);
      const search = readManagedSearch(request);
      if (!search.ok) return search;
      const page = await listManagedGrants({ store, revocations, nowMs }, search.value);
      if (!page.ok) return page;
      const { grants, next } = page.value;
      return succeed(
        json(200, correlationId, {
          grants: grants.map((grant) => ({
            ...toListedGrant(exchangeContext.policy, grant),
            entry: grant.policyEntry,
            allowedOn: isoTime(grant.allowedAtSeconds),
          })),
          ...(next === undefined ? {} : { next }),
        }),
      );
    }),
  };
}
