/** Valid policies and callers for tests. A test changes one member. */
import type { ApplicationCaller, UserCaller } from "../../../../shared/caller/caller.ts";
import type { TokenParameters } from "../../../../shared/core/exchange-request.ts";
import { SecretValue } from "../../../../shared/core/secret-value.ts";
import { parsePolicy } from "../../../../shared/policy/parse-policy.ts";
import type { CallerRule, Policy } from "../../../../shared/policy/rules.ts";

export const TENANT_ID = "c0470500-0000-4000-8000-000000000001";
export const WEB_ID = "ca11e400-0000-4000-8000-00000000000a";
/** Client id of the default registration, which no policy names. */
export const REGISTRATION_ID = "5e471ce0-0000-4000-8000-00000000000a";
export const APP_ID = "ca11e400-0000-4000-8000-00000000000b";
export const GRAPH = "https://graph.microsoft.com";
export const ORDERS = "https://api.contoso.example/orders";

const WEB_USERS = {
  name: "web-users",
  kind: "user",
  clientId: WEB_ID,
  flows: ["on-behalf-of", "refresh-token"],
  apis: { graph: ["User.Read", "Mail.Read"] },
};

const BACKEND = {
  name: "backend",
  kind: "application",
  clientId: APP_ID,
  flows: ["on-behalf-of", "refresh-token"],
  apis: { graph: ["User.Read", "Calendars.Read", ".default"], orders: ["Orders.Read"] },
  subjectClients: [WEB_ID],
  unattended: true,
};

/**
 * The JSON of a policy with one user entry and one application entry. The arguments replace members of these entries.
 */
export function policyText(users: Record<string, unknown> = {}, backend: Record<string, unknown> = {}): string {
  return JSON.stringify({
    apis: {
      graph: { resource: GRAPH, scopes: ["User.Read", "Mail.Read", "Calendars.Read", ".default"] },
      orders: { resource: ORDERS, scopes: ["Orders.Read"], contentType: "application/vnd.contoso+json" },
    },
    callers: [
      { ...WEB_USERS, ...users },
      { ...BACKEND, ...backend },
    ],
  });
}

export function policyWith(users: Partial<CallerRule> = {}, backend: Partial<CallerRule> = {}): Policy {
  return parsed(policyText(users, backend));
}

export function parsed(text: string): Policy {
  const result = parsePolicy(text);
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

/** A validated caller, without a real token. */
export function userCaller(changes: Partial<UserCaller> = {}): UserCaller {
  return {
    ...validated(WEB_ID, "a11ce000-0000-4000-8000-000000000001"),
    kind: "user",
    scopes: [],
    ...changes,
  } as UserCaller;
}

export function applicationCaller(changes: Partial<ApplicationCaller> = {}): ApplicationCaller {
  return {
    ...validated(APP_ID, "0b1ec700-0000-4000-8000-000000000001"),
    kind: "application",
    ...changes,
  } as ApplicationCaller;
}

function validated(clientId: string, objectId: string) {
  return {
    tenantId: TENANT_ID,
    objectId,
    clientId,
    registration: REGISTRATION_ID,
    confidential: true,
    roles: [],
    tokenId: undefined,
    expiresAtSeconds: 2_000_000,
    understandsClaimsChallenge: false,
    token: new SecretValue("h.p.s"),
    claims: {},
  };
}

export function tokenParametersFor(changes: Partial<TokenParameters> = {}): TokenParameters {
  return {
    audiences: ["graph"],
    resources: [],
    scopes: undefined,
    offlineAccess: false,
    claims: undefined,
    forceRefresh: false,
    minimumSeconds: 0,
    ...changes,
  };
}
