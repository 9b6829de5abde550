import { byApi } from "../../shared/audit/requested-facts.ts";
import type { Grant } from "../../shared/core/grant.ts";
import { isoTime } from "../../shared/core/iso-time.ts";
import { succeed } from "../../shared/core/result.ts";
import { readGrantsQuery } from "../../shared/http/read-grants-query.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { authenticated, bearerOnly } from "../authenticated.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /grants`: answers the caller's own grants. A user also sees the grants that applications hold on their behalf,
 * with the application's name. The response never contains a handle. `?after=` takes `next` of the previous page,
 * `?expiringWithinDays=14` leaves only the grants that end within so many days.
 */
export function grantsRoute({ exchangeContext }: Service): Route {
  return {
    name: "grants",
    template: "grants",
    methods: ["GET"],
    dialect: "problem",
    audit: "answered",
    run: authenticated(exchangeContext, bearerOnly, async (caller, _input, request, { correlationId }) => {
      const query = readGrantsQuery(new URL(request.url).searchParams, exchangeContext.nowSeconds());
      if (!query.ok) return query;
      const page = await exchangeContext.grants.list(caller, query.value);
      if (!page.ok) return page;
      const { grants, next } = page.value;
      return succeed(
        json(200, correlationId, {
          grants: grants.map((grant) => toListedGrant(exchangeContext.policy, grant)),
          ...(next === undefined ? {} : { next }),
        }),
      );
    }),
  };
}

// ------------------------------------------------------------------------------------------------------------------

/** A grant as lists show it. */
export function toListedGrant({ callers }: Policy, grant: Grant): Record<string, unknown> {
  const { id, binding, user, apis, requestedBy, lastError } = grant;
  const entry = callers.find(
    ({ name, clientId = binding.clientId.toLowerCase() }) =>
      name === grant.policyEntry && clientId === binding.clientId.toLowerCase(),
  );
  return {
    id,
    kind: binding.kind,
    clientId: binding.clientId,
    ...(binding.kind === "application" ? { application: entry?.displayName ?? grant.policyEntry } : {}),
    userObjectId: user.objectId,
    apis: byApi(apis),
    requestedBy: {
      clientId: requestedBy.clientId,
      ...(requestedBy.userObjectId === undefined ? {} : { userObjectId: requestedBy.userObjectId }),
    },
    createdOn: isoTime(grant.createdAtSeconds),
    expiresOn: isoTime(grant.expiresAtSeconds),
    ...timeIfKnown("lastRedeemedOn", grant.lastRedeemedAtSeconds),
    ...timeIfKnown("lastRenewedOn", grant.lastRenewedAtSeconds),
    ...(lastError === undefined ? {} : { lastError: { code: lastError.code, on: isoTime(lastError.atSeconds) } }),
  };
}

function timeIfKnown(name: string, seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { [name]: isoTime(seconds) };
}
