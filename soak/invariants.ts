/** What must be true of every answer, whatever fails. A fault excuses only that a request is not served. */
import { RESOURCE_URIS } from "../local/tenant/directory/seed-ids.ts";
import { claimsOf } from "./clients.ts";
import type { Observed, Violation } from "./ledger.ts";

const LISTED = ["User.Read", "Mail.Read"];
const OIDC = ["openid", "profile", "email", "offline_access"];
/** The service could not do it now: the caller tries again. */
const RETRY = [429, 502, 503];
/** A deadline passed. It counts in real time, so a busy machine can miss it without a fault; the report counts them. */
const LATE = 504;

export interface RoundFacts {
  /** A fault is active, or was a short time ago. */
  readonly excused: boolean;
  readonly nowSeconds: number;
}

export function violationsOf(observed: Observed, facts: RoundFacts): Violation[] {
  const { answer, action } = observed;
  const found: string[] = [];
  const token = tokenIn(observed);
  if (answer.status === 500) found.push("no request is answered with 500");
  if (token !== undefined) found.push(...aboutToken(observed, token));
  const isServed = answer.status === 200;
  if (observed.owner === undefined && token !== undefined) found.push("a request without a right gets no token");
  if (observed.owner !== undefined && !isServed) found.push(...aboutRefusal(observed, facts));
  return found.map((rule) => ({ rule, detail: `${action}: ${answer.status} ${answer.text.slice(0, 300)}` }));
}

// ---------------------------------------------------------------------------------------------------------------

function tokenIn({ answer, action }: Observed): string | undefined {
  if (answer.status !== 200 || action === "list" || action === "revoke") return undefined;
  const { access_token: oauth, authorizationHeader: header } = answer.json();
  const token = typeof oauth === "string" ? oauth : String(header ?? "").replace(/^Bearer /, "");
  return token === "" ? undefined : token;
}

function aboutToken({ owner, grant, startedAt, answer }: Observed, token: string): string[] {
  const claims = claimsOf(token);
  const scopes = String(claims["scp"] ?? "").split(" ");
  const found: string[] = [];
  if (claims["oid"] !== owner?.objectId) found.push("a token is about the right person");
  if (![RESOURCE_URIS.graph, "00000003-0000-0000-c000-000000000000"].includes(String(claims["aud"]))) {
    found.push("a token is for the right API");
  }
  if (scopes.some((scope) => !LISTED.includes(scope) && !OIDC.includes(scope))) {
    found.push("a token has listed scopes only");
  }
  if (grant !== undefined && typeof grant.revoked === "number" && grant.revoked < startedAt) {
    found.push("nothing comes from a revoked grant");
  }
  if (grant === undefined && owner !== undefined && usableUntil(answer) > owner.expiresAtSeconds) {
    found.push("nothing is released beyond the end of the assertion");
  }
  return found;
}

/** Seconds since 1970. */
function usableUntil(answer: { json(): Record<string, unknown> }): number {
  const { expiresOn } = answer.json();
  return typeof expiresOn === "string" ? Date.parse(expiresOn) / 1_000 : 0;
}

function aboutRefusal({ answer, grant, action }: Observed, { excused, nowSeconds }: RoundFacts): string[] {
  const { code } = answer.json();
  if (code === "budget_used_up" || answer.status === LATE) return [];
  if (RETRY.includes(answer.status)) return excused ? [] : ["without a fault, every request with a right is served"];
  const mayBeGone = grant !== undefined && (grant.revoked !== undefined || grant.endsAtSeconds <= nowSeconds);
  if (mayBeGone || action === "revoke") return [];
  return [grant === undefined ? "a fault is no reason to refuse a caller for good" : "no live grant is lost"];
}
