import type { HttpRequest } from "@azure/functions";
import type { AuthenticationContext } from "../../shared/caller/authenticate.ts";
import type { Caller } from "../../shared/caller/caller.ts";
import { hasOperatorRole } from "../../shared/caller/operator-role.ts";
import type { Failure } from "../../shared/core/failure.ts";
import { fail, type Result } from "../../shared/core/result.ts";
import type { Registrations } from "../../shared/entra/registration.ts";
import type { OutgoingResponse } from "../../shared/http/outgoing-response.ts";
import { authenticated, bearerOnly } from "../authenticated.ts";
import type { Route, RouteContext } from "../handle.ts";

/** The app role that may list and revoke the grants of others. */
const MANAGE_ROLE = "Grant.Admin";

/** A route's `run` for administrators. Nothing of the request is read before the caller's role is known. */
export function managed(
  context: AuthenticationContext & { readonly registrations: Registrations },
  run: (
    administrator: Caller,
    request: HttpRequest,
    context: RouteContext,
  ) => Promise<Result<OutgoingResponse, Failure>>,
): Route["run"] {
  return authenticated(context, bearerOnly, async (caller, _input, request, routeContext) =>
    hasOperatorRole(caller, MANAGE_ROLE, context.registrations)
      ? run(caller, request, routeContext)
      : fail({ kind: "policy_refused", reason: "role_required", listed: [MANAGE_ROLE] }),
  );
}
