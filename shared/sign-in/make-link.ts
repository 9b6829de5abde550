/**
 * `POST /signin/links`: an application asks for a link by which a person makes a grant for it; or a person with the role
 * `Grant.Create` asks for one on an application's behalf. The link says who, which APIs and which scopes, sealed; who
 * opens it can change nothing, and nothing is granted until that person has confirmed it on a page of ours.
 */
import { askedFacts } from "../asked-facts.ts";
import type { AuditFacts } from "../audit/audit-event.ts";
import { authenticate } from "../authenticate.ts";
import type { Caller } from "../caller/caller.ts";
import type { Proof } from "../exchange-request.ts";
import type { Failure } from "../failure.ts";
import { LINK_SECONDS } from "../limits.ts";
import { decideSignIn } from "../policy/decide.ts";
import type { CallerRule } from "../policy/rules.ts";
import { entryFor, type SignInInput } from "../policy/weigh.ts";
import { fail, type Result, succeed } from "../result.ts";
import { noteCaller } from "../whose-token.ts";
import { boxFailure, type SignInRooms } from "./sign-in-rooms.ts";
import { toTarget } from "./target.ts";

/** App role of this service's registration: may make links for applications of the policy. */
export const LINK_ROLE = "Grant.Create";

export interface LinkRequest {
  readonly proof: Exclude<Proof, { method: "subject_itself" }> | undefined;
  /** Name of the policy entry that the grant is for. An application may leave it out: itself. */
  readonly caller: string | undefined;
  readonly apis: SignInInput["apis"];
  /** `oid` of the only person that may use the link. */
  readonly expectedUser: string | undefined;
  /** A demand of Entra's (JSON text) that the sign-in shall meet. */
  readonly claims: string | undefined;
}

export interface SignInUrl {
  readonly url: string;
  readonly expiresAtSeconds: number;
}

export async function makeLink(
  rooms: SignInRooms,
  request: LinkRequest,
  note: (facts: Partial<AuditFacts>) => void,
): Promise<Result<SignInUrl, Failure>> {
  const caller = await authenticate(rooms, request.proof);
  if (!caller.ok) {
    return caller;
  }
  noteCaller(caller.value, note);
  const entry = entryOfLink(rooms, caller.value, request.caller);
  if (!entry.ok) {
    return entry;
  }
  const { apis, expectedUser, claims } = request;
  return sealLink(rooms, { entry: entry.value, apis, expectedUser, claims, note });
}

export interface LinkContent {
  readonly entry: CallerRule;
  readonly apis: SignInInput["apis"];
  readonly expectedUser: string | undefined;
  readonly claims: string | undefined;
  readonly note: (facts: Partial<AuditFacts>) => void;
}

/** Decides, and seals what was decided. */
export async function sealLink(
  rooms: Pick<SignInRooms, "policy" | "signIn" | "nowSeconds">,
  { entry, apis, expectedUser, claims, note }: LinkContent,
): Promise<Result<SignInUrl, Failure>> {
  const { clientId } = entry;
  const decision = decideSignIn(rooms.policy, { entry: entry.name, clientId, apis });
  if (!decision.ok) {
    return fail({ kind: "policy_refused", ...decision.failure });
  }
  const target = toTarget(decision.value, clientId);
  note(askedFacts(target.entry, target.apis));
  const expiresAtSeconds = rooms.nowSeconds() + LINK_SECONDS;
  const sealed = await (await rooms.signIn.boxes()).links.seal({ target, expectedUser, claims });
  return sealed.ok
    ? succeed({ url: `${rooms.signIn.serviceUrl}/signin/${sealed.value}`, expiresAtSeconds })
    : boxFailure(sealed.failure, { broken: "too_large", expired: "too_large" });
}

/** An application makes links for itself; a person with the role, for any application in the policy. */
function entryOfLink({ policy }: SignInRooms, caller: Caller, named: string | undefined): Result<CallerRule, Failure> {
  if (caller.kind === "user") {
    return entryForOther(policy.callers, caller, named);
  }
  const own = entryFor(policy, caller);
  if (own === undefined) {
    return fail({ kind: "policy_refused", reason: "caller_not_listed" });
  }
  if (own.requireConfidentialClient && !caller.confidential) {
    return fail({ kind: "policy_refused", reason: "public_client", entry: own.name });
  }
  return named === undefined || named === own.name
    ? succeed(own)
    : fail({ kind: "policy_refused", reason: "link_caller_not_own", entry: own.name });
}

function entryForOther(
  callers: readonly CallerRule[],
  { roles }: Caller,
  named: string | undefined,
): Result<CallerRule, Failure> {
  if (!roles.includes(LINK_ROLE)) {
    return fail({ kind: "policy_refused", reason: "role_required" });
  }
  if (named === undefined) {
    return fail({ kind: "request_invalid", problem: "parameter_missing", parameter: "caller" });
  }
  const entry = callers.find(({ name }) => name === named);
  return entry === undefined ? fail({ kind: "policy_refused", reason: "caller_not_listed" }) : succeed(entry);
}
