/**
 * `POST /oauth2/par` (RFC 9126): an application pushes an authorization request before the browser is involved. The
 * service authenticates the application, and policy decides. The browser later sends a reference that it can neither
 * read nor change.
 *
 *   caller → policy (flow, redirect URI, API, scopes) → sealed reference
 */
import type { AuditTrail } from "../audit/audit-trail.ts";
import { authenticate } from "../caller/authenticate.ts";
import type { ClientAuthentication, TokenParameters } from "../core/exchange-request.ts";
import type { Failure } from "../core/failure.ts";
import { PUSHED_REQUEST_SECONDS } from "../core/limits.ts";
import type { RedirectTarget } from "../core/redirect-target.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { decide } from "../policy/decide.ts";
import { entryFor } from "../policy/find-entry.ts";
import type { SignInHints } from "../sealed-state/sealed-state.ts";
import { fromStateFailure, type SignInContext } from "./sign-in-context.ts";
import { targetFacts, toTarget } from "./target.ts";

/** A pushed request after parsing: its size is limited, but it is not authenticated yet. */
export interface PushRequest {
  readonly clientAuthentication: Exclude<ClientAuthentication, { method: "subject_itself" }> | undefined;
  readonly clientId: string;
  readonly tokenParameters: TokenParameters;
  readonly returnTo: RedirectTarget;
  readonly hints: SignInHints;
}

export interface PushedReference {
  readonly requestUri: string;
  readonly expiresInSeconds: number;
}

/** RFC 9126 section 2.2: a URN. Only this service can read its last part. */
export const REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:";

export async function pushRequest(
  context: SignInContext,
  request: PushRequest,
  audit: AuditTrail,
): Promise<Result<PushedReference, Failure>> {
  const { tokenParameters, returnTo, hints } = request;
  audit.add({ flow: "authorization-code" });

  const caller = await authenticate(context, request.clientAuthentication, audit);
  if (!caller.ok) return caller;
  const clientId = caller.value.clientId.toLowerCase();
  if (request.clientId.toLowerCase() !== clientId) {
    return fail({ kind: "request_invalid", problem: "client_id_mismatch", parameter: "client_id" });
  }

  const { redirectUri } = returnTo;
  const decision = decide(context.policy, {
    caller: caller.value,
    flow: "authorization-code",
    tokenParameters,
    redirectUri,
  });
  if (!decision.ok) return fail({ kind: "policy_refused", ...decision.failure });
  // The service shows a confirmation page, so there is a prompt.
  if (decision.value.requireConfirmation && hints.prompt === "none") {
    return fail({ kind: "request_invalid", problem: "parameter_invalid", parameter: "prompt" });
  }
  const blueprint = entryFor(context.policy, caller.value)?.blueprint;
  const target = toTarget(decision.value, { clientId, blueprint, registration: caller.value.registration });
  audit.add(targetFacts(context.policy, target));

  const sealed = await (await context.signIn.sealedState()).pushedRequests.seal({ target, returnTo, hints });
  return sealed.ok
    ? succeed({ requestUri: REQUEST_URI_PREFIX + sealed.value, expiresInSeconds: PUSHED_REQUEST_SECONDS })
    : fromStateFailure(sealed.failure, { invalid: "too_large", expired: "too_large" });
}
