/** What `/me` shows to the person of the session, and what its forms do. */
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Cookie } from "../core/cookie.ts";
import type { Failure } from "../core/failure.ts";
import type { Grant } from "../core/grant.ts";
import { type Result, succeed } from "../core/result.ts";
import type { Policy } from "../policy/rules.ts";
import { clearCookies, newestId, readCookie } from "../sealed-state/cookies.ts";
import { sameText } from "../sealed-state/pkce.ts";
import type { Session } from "../sealed-state/sealed-state.ts";
import { fromStateFailure, refuseSignIn } from "../sign-in/sign-in-context.ts";
import type { MyAccessContext } from "./my-access-context.ts";

/** An API of a grant. The policy may have removed it since. */
interface AccessApi {
  readonly name: string;
  readonly resource: string;
  readonly scopeDescriptions: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
}

/** A grant that an application holds on the person's behalf. */
export interface Access {
  readonly grantId: string;
  /** The application's name in the policy. */
  readonly application: string;
  readonly clientId: string;
  readonly purpose: string | undefined;
  readonly apis: readonly AccessApi[];
  readonly sinceSeconds: number;
  readonly lastUsedSeconds: number | undefined;
  readonly untilSeconds: number;
}

export interface MyAccess {
  readonly accesses: readonly Access[];
  /** `after` of the next page. */
  readonly next: string | undefined;
}

/** The session in this browser's cookie. `session_ended`: the browser has no session, or it has ended. */
export async function openSession(
  { signIn }: MyAccessContext,
  cookieHeader: string,
): Promise<Result<Session, Failure>> {
  const id = newestId(cookieHeader, "me");
  const cookie = id === undefined ? undefined : readCookie(cookieHeader, "me", id);
  if (cookie === undefined) return refuseSignIn("session_ended");
  const unsealed = await (await signIn.sealedState()).sessions.unseal(cookie);
  if (!unsealed.ok) return fromStateFailure(unsealed.failure, { invalid: "session_ended", expired: "session_ended" });
  // The name of the cookie is not sealed.
  return unsealed.value.id === id ? unsealed : refuseSignIn("session_ended");
}

export async function listMyAccess(
  { grants, policy }: MyAccessContext,
  session: Session,
  after?: string,
): Promise<Result<MyAccess, Failure>> {
  const page = await grants.list(session, after);
  if (!page.ok) return page;
  return succeed({ accesses: page.value.grants.map((grant) => toAccess(policy, grant)), next: page.value.next });
}

/** Ends a grant of the person. False: it had ended before, or it never was the person's. */
export async function endMyAccess(
  { grants }: MyAccessContext,
  session: Session,
  { formToken, grantId }: { readonly formToken: string; readonly grantId: string },
  audit: AuditTrail,
): Promise<Result<boolean, Failure>> {
  return sameText(formToken, session.formToken)
    ? grants.end(session, grantId, audit)
    : refuseSignIn("session_form_forged");
}

/** Ends the session in this browser. */
export function leave(session: Session, formToken: string, cookieHeader: string): Result<readonly Cookie[], Failure> {
  return sameText(formToken, session.formToken)
    ? succeed(clearCookies(cookieHeader, "me", session.id))
    : refuseSignIn("session_form_forged");
}

// ---------------------------------------------------------------------------------------------------------------

function toAccess(policy: Policy, grant: Grant): Access {
  const clientId = grant.binding.clientId.toLowerCase();
  const entry = policy.callers.find((one) => one.name === grant.policyEntry && (one.clientId ?? clientId) === clientId);
  return {
    grantId: grant.id,
    application: entry?.displayName ?? grant.policyEntry,
    clientId,
    purpose: entry?.purpose,
    apis: grant.apis.map(({ api, scopes }) => {
      const rule = Object.hasOwn(policy.apis, api) ? policy.apis[api] : undefined;
      const { resource = "", scopeDescriptions = {} } = rule ?? {};
      return { name: api, resource, scopeDescriptions, scopes };
    }),
    sinceSeconds: grant.createdAtSeconds,
    lastUsedSeconds: grant.lastRedeemedAtSeconds,
    untilSeconds: grant.expiresAtSeconds,
  };
}
