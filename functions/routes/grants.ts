import { byApi } from "../../shared/audit/requested-facts.ts";
import type { Grant } from "../../shared/core/grant.ts";
import { isoTime } from "../../shared/core/iso-time.ts";
import { succeed } from "../../shared/core/result.ts";
import { json } from "../../shared/http/write-answer.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { authenticated, bearerOnly } from "../authenticated.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /grants`: answers the caller's own grants. A user also sees the grants that applications hold on their behalf,
 * with the application's name. The response never contains a handle. `?after=` takes `next` of the previous page.
 */
export function grantsRoute({ exchangeContext }: Service): Route {
  return {
    name: "grants",
    template: "grants",
    methods: ["GET"],
    dialect: "problem",
    audit: "answered",
    run: authenticated(exchangeContext, bearerOnly, async (caller, _input, request, { correlationId }) => {
      const after = new URL(request.url).searchParams.get("after") ?? undefined;
      const page = await exchangeContext.grants.list(caller, after === "" ? undefined : after);
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
  const { id, binding, user, apis, createdAtSeconds, expiresAtSeconds, lastRedeemedAtSeconds } = grant;
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
    createdOn: isoTime(createdAtSeconds),
    expiresOn: isoTime(expiresAtSeconds),
    ...(lastRedeemedAtSeconds === undefined ? {} : { lastRedeemedOn: isoTime(lastRedeemedAtSeconds) }),
  };
}
