/**
 * Sign-ins in which a person creates a grant for an application, and the description of a policy for administrators.
 */
import { describe, expect, test } from "vitest";
import type { ApiScopes } from "../../../shared/core/api-scopes.ts";
import { decideSignIn } from "../../../shared/policy/decide.ts";
import { describePolicy } from "../../../shared/policy/describe-policy.ts";
import { mayHaveLinks } from "../../../shared/policy/evaluate.ts";
import type { CallerRule } from "../../../shared/policy/rules.ts";
import { APP_ID, policyWith, WEB_ID } from "./support/policies.ts";

const WITH_GRANTS: Partial<CallerRule> = { offlineAccess: true, unattended: true };
const GRAPH: ApiScopes = { api: "graph", scopes: [] };

function signIn(backend: Partial<CallerRule> = {}, requested: Partial<ApiScopes> = {}) {
  const policy = policyWith({}, { ...WITH_GRANTS, ...backend });
  const decision = decideSignIn(policy, {
    entry: "backend",
    clientId: APP_ID,
    blueprint: undefined,
    apis: [{ ...GRAPH, ...requested }],
  });
  return decision.ok ? decision.value : decision.failure.reason;
}

describe("a sign-in that creates a grant for an application", () => {
  test("is allowed with the scopes of the entry and with offline access", () => {
    expect(signIn()).toMatchObject({
      entry: "backend",
      flow: "authorization-code",
      scopes: ["Calendars.Read", "User.Read"],
      offlineAccess: true,
      cae: false,
    });
  });

  test.each<[string, Partial<CallerRule>, string]>([
    ["is refused without unattended", { unattended: false, offlineAccess: false }, "unattended_not_allowed"],
    ["is refused without offlineAccess", { offlineAccess: false }, "offline_access_not_allowed"],
    [
      "is refused without the flow refresh-token",
      { flows: ["on-behalf-of"], offlineAccess: false },
      "flow_not_allowed",
    ],
    ["is refused if the entry has no list for the API", { apis: { orders: ["Orders.Read"] } }, "api_not_allowed"],
  ])("%s", (_name, backend, reason) => {
    expect(signIn(backend)).toBe(reason);
  });

  test.each<[string, Partial<ApiScopes>, string]>([
    ["is refused for an API that policy does not have", { api: "mail" }, "api_unknown"],
    ["is refused for a scope that is not in the list", { scopes: ["Mail.Read"] }, "scope_not_allowed"],
  ])("%s", (_name, requested, reason) => {
    expect(signIn({}, requested)).toBe(reason);
  });

  test("is refused for a user entry, for an entry that no longer exists and for an entry with another client id", () => {
    const policy = policyWith({}, WITH_GRANTS);
    const reasonFor = (entry: string, clientId: string) => {
      const decision = decideSignIn(policy, { entry, clientId, blueprint: undefined, apis: [GRAPH] });
      return decision.ok ? "allowed" : decision.failure.reason;
    };
    expect(reasonFor("web-users", WEB_ID)).toBe("application_required");
    expect(reasonFor("gone", APP_ID)).toBe("caller_not_listed");
    expect(reasonFor("backend", WEB_ID)).toBe("caller_not_listed");
  });

  test("follows the same rule as links: mayHaveLinks is true for the application only", () => {
    const [users, backend] = policyWith({}, WITH_GRANTS).callers;
    expect([users, backend].map((entry) => entry !== undefined && mayHaveLinks(entry))).toEqual([false, true]);
  });
});

describe("the description of a policy", () => {
  test("lists what each caller may do", () => {
    const users: Partial<CallerRule> = {
      role: "Reader",
      requireConfidentialClient: true,
      offlineAccess: true,
      grantMaxDays: 30,
    };
    const backend: Partial<CallerRule> = {
      importRefreshTokens: true,
      acceptSurplus: true,
      cae: true,
      flows: ["on-behalf-of", "refresh-token", "authorization-code"],
      redirectUris: ["https://app.example/one", "https://app.example/two"],
      limits: { bypassPerMinute: 3, missesPerMinute: 30, requestsAtOnce: 20, requestsPerMinute: 600 },
    };
    expect(describePolicy(policyWith(users, backend))).toEqual([
      `web-users (user ${WEB_ID} with role Reader)`,
      "  may use the flows on-behalf-of, refresh-token",
      "  may have graph: User.Read Mail.Read",
      "  must be a confidential client",
      "  may get grants that last 30 days",
      "  may bypass the token cache 10 times a minute for each user",
      `backend (application ${APP_ID})`,
      "  may use the flows on-behalf-of, refresh-token, authorization-code",
      "  may have graph: User.Read Calendars.Read .default",
      "  may have orders: Orders.Read",
      "  may redeem grants without the user",
      "  may import refresh tokens from Entra",
      "  gets tokens even if they carry more scopes than listed",
      "  gets long-lived tokens that Graph may challenge",
      `  may exchange users' tokens obtained by ${WEB_ID}`,
      "  receives authorization codes at https://app.example/one",
      "  receives authorization codes at https://app.example/two",
      "  may bypass the token cache 3 times a minute for each user",
      "  may miss the token cache 30 times a minute for each user and API",
      "  may have 20 requests at once on each instance",
      "  may send 600 requests a minute",
    ]);
  });

  test.each<[string, Partial<CallerRule>, string[]]>([
    ["the application's own client by default", { subjectClients: undefined as never }, [APP_ID]],
    ["no client if the list is empty", { subjectClients: [] }, []],
    ["no client without the flow on-behalf-of", { flows: ["refresh-token"] }, []],
  ])("lists the clients whose users' tokens an application may exchange: %s", (_name, backend, clients) => {
    const lines = describePolicy(policyWith({}, backend)).filter((line) => line.includes("may exchange"));
    expect(lines).toEqual(clients.map((client) => `  may exchange users' tokens obtained by ${client}`));
  });
});
