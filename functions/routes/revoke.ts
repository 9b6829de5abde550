import { succeed } from "../../shared/core/result.ts";
import { readRevocation } from "../../shared/http/read-revocation.ts";
import { json } from "../../shared/http/write-answer.ts";
import { authenticated } from "../authenticated.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/**
 * `POST /oauth2/revoke` (RFC 7009): ends one of the caller's grants, or a grant that an application holds on the
 * caller's behalf. Answers 200 and whether a grant was ended; an unknown grant is not an error.
 */
export function revokeRoute({ exchangeContext }: Service): Route {
  return {
    name: "revoke",
    template: "oauth2/revoke",
    methods: ["POST"],
    dialect: "oauth",
    audit: "answered",
    run: authenticated(
      exchangeContext,
      readRevocation,
      async (caller, { token }, _request, { audit, correlationId }) => {
        const revoked = await exchangeContext.grants.revoke(token, caller, audit);
        return revoked.ok ? succeed(json(200, correlationId, { revoked: revoked.value })) : revoked;
      },
    ),
  };
}
