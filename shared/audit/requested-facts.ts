/** The audit facts of what a request asks of Entra: the API and scopes of the token, and the other APIs of a grant. */
import type { ApiScopes, ConsentedApis } from "../core/api-scopes.ts";
import type { AuditFacts } from "./audit-event.ts";

/** The policy entry of a request, and the name of its registration. */
export interface EntryNames {
  readonly entry: string;
  readonly registration: string;
}

export function requestedFacts(
  { entry: policyEntry, registration }: EntryNames,
  [token, ...others]: ConsentedApis,
): Partial<AuditFacts> {
  const facts = { policyEntry, registration, api: token.api, scopesAsked: token.scopes };
  return others.length === 0 ? facts : { ...facts, alsoAsked: byApi(others) };
}

/** Scopes by API name, as in the audit event and in `GET /grants`. */
export function byApi(apis: readonly ApiScopes[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(apis.map(({ api, scopes }) => [api, scopes]));
}
