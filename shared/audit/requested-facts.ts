/** What the audit trail says of what is asked of Entra: the token's API, and what else a kept permission shall cover. */
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { AuditFacts } from "./audit-event.ts";

export function requestedFacts(policyEntry: string, [token, ...others]: ConsentedApis): Partial<AuditFacts> {
  const facts = { policyEntry, api: token.api, scopesAsked: token.scopes };
  return others.length === 0 ? facts : { ...facts, alsoAsked: byApi(others) };
}

/** As the audit event and `GET /grants` show it. */
export function byApi(apis: readonly ApiScopes[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(apis.map(({ api, scopes }) => [api, scopes]));
}
