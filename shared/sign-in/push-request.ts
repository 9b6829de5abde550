/**
 * `POST /oauth2/par` (RFC 9126): an application announces a sign-in before any browser is involved. Who asks and what
 * it may have is settled here, over an authenticated channel; the browser later carries a reference that it can neither
 * read nor change.
 *
 *   caller → policy (flow, redirect URI, API, scopes) → sealed reference
 */
import type { AuditFacts } from "../audit/audit-event.ts";
import { authenticate } from "../authenticate.ts";
import type { SignInHints } from "../authorize/boxes.ts";
import type { Proof, Wish } from "../exchange-request.ts";
import type { Failure } from "../failure.ts";
import { PUSHED_REQUEST_SECONDS } from "../limits.ts";
import { decide } from "../policy/decide.ts";
import { fail, type Result, succeed } from "../result.ts";
import type { ReturnAddress } from "../return-address.ts";
import { noteCaller } from "../whose-token.ts";
import { boxFailure, type SignInRooms } from "./sign-in-rooms.ts";
import { targetFacts, toTarget } from "./target.ts";

/** A pushed request as read: bounded, not yet trusted. */
export interface PushRequest {
  readonly proof: Exclude<Proof, { method: "subject_itself" }> | undefined;
  readonly clientId: string;
  readonly wish: Wish;
  readonly returnTo: ReturnAddress;
  readonly hints: SignInHints;
}

export interface PushedReference {
  readonly requestUri: string;
  readonly expiresInSeconds: number;
}

/** RFC 9126 section 2.2: a URN whose last part only we can read. */
export const REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:";

export async function pushRequest(
  rooms: SignInRooms,
  request: PushRequest,
  note: (facts: Partial<AuditFacts>) => void,
): Promise<Result<PushedReference, Failure>> {
  const { wish, returnTo, hints } = request;
  note({ flow: "authorization-code" });

  const caller = await authenticate(rooms, request.proof);
  if (!caller.ok) {
    return caller;
  }
  noteCaller(caller.value, note);
  const clientId = caller.value.clientId.toLowerCase();
  if (request.clientId.toLowerCase() !== clientId) {
    return fail({ kind: "request_invalid", problem: "client_id_mismatch", parameter: "client_id" });
  }

  const { redirectUri } = returnTo;
  const decision = decide(rooms.policy, { caller: caller.value, flow: "authorization-code", wish, redirectUri });
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  const target = toTarget(decision.value, clientId);
  note(targetFacts(target));

  const sealed = await (await rooms.signIn.boxes()).pushedRequests.seal({ target, returnTo, hints });
  return sealed.ok
    ? succeed({ requestUri: REQUEST_URI_PREFIX + sealed.value, expiresInSeconds: PUSHED_REQUEST_SECONDS })
    : boxFailure(sealed.failure, { broken: "too_large", expired: "too_large" });
}
