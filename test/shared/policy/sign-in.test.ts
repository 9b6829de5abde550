/** May a person make a grant for an application that is not there? Only for one that may redeem it. */
import { describe, expect, test } from "vitest";
import type { ApiScopes } from "../../../shared/core/api-scopes.ts";
import { decideSignIn } from "../../../shared/policy/decide.ts";
import { describePolicy, policyWarnings } from "../../../shared/policy/describe-policy.ts";
import { mayHaveLinks } from "../../../shared/policy/evaluate.ts";
import type { CallerRule } from "../../../shared/policy/rules.ts";
import { APP_ID, policyWith, WEB_ID } from "./support/policies.ts";

const KEEPS: Partial<CallerRule> = { offlineAccess: true, unattended: true };
const GRAPH: ApiScopes = { api: "graph", scopes: [] };

function signIn(backend: Partial<CallerRule> = {}, asked: Partial<ApiScopes> = {}) {
  const policy = policyWith({}, { ...KEEPS, ...backend });
  const decision = decideSignIn(policy, { entry: "backend", clientId: APP_ID, apis: [{ ...GRAPH, ...asked }] });
  return decision.ok ? decision.value : decision.failure.reason;
}

describe("a sign-in for an application", () => {
  test("gives what its entry says, to be kept", () => {
    expect(signIn()).toMatchObject({
      entry: "backend",
      flow: "authorization-code",
      scopes: ["Calendars.Read", "User.Read"],
      offlineAccess: true,
      cae: false,
    });
  });

  test.each<[string, Partial<CallerRule>, string]>([
    ["no unattended", { unattended: false, offlineAccess: false }, "unattended_not_allowed"],
    ["no offlineAccess", { offlineAccess: false }, "offline_access_not_allowed"],
    ["no flow to redeem it", { flows: ["on-behalf-of"], offlineAccess: false }, "flow_not_allowed"],
    ["no list for the API", { apis: { orders: ["Orders.Read"] } }, "api_not_allowed"],
  ])("%s", (_name, backend, reason) => {
    expect(signIn(backend)).toBe(reason);
  });

  test.each<[string, Partial<ApiScopes>, string]>([
    ["an unknown API", { api: "mail" }, "api_unknown"],
    ["a scope outside the list", { scopes: ["Mail.Read"] }, "scope_not_allowed"],
  ])("%s", (_name, asked, reason) => {
    expect(signIn({}, asked)).toBe(reason);
  });

  test("a user's entry, an entry that is gone, one that is about another client by now", () => {
    const policy = policyWith({}, KEEPS);
    const ask = (entry: string, clientId: string) => {
      const decision = decideSignIn(policy, { entry, clientId, apis: [GRAPH] });
      return decision.ok ? "allowed" : decision.failure.reason;
    };
    expect(ask("web-users", WEB_ID)).toBe("application_required");
    expect(ask("gone", APP_ID)).toBe("caller_not_listed");
    expect(ask("backend", WEB_ID)).toBe("caller_not_listed");
  });

  test("links are made under the same rule", () => {
    const [users, backend] = policyWith({}, KEEPS).callers;
    expect([users, backend].map((entry) => entry !== undefined && mayHaveLinks(entry))).toEqual([false, true]);
  });
});

describe("a policy in plain lines", () => {
  test("who may do what", () => {
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
      limits: { bypassPerMinute: 3 },
    };
    expect(describePolicy(policyWith(users, backend))).toEqual([
      `web-users (user ${WEB_ID} with role Reader)`,
      "  may use on-behalf-of, refresh-token",
      "  may have graph: User.Read Mail.Read",
      "  must be a confidential client",
      "  may keep a permission for 30 days",
      "  may pass the token cache by 10 times a minute for each user",
      `backend (application ${APP_ID})`,
      "  may use on-behalf-of, refresh-token, authorization-code",
      "  may have graph: User.Read Calendars.Read .default",
      "  may have orders: Orders.Read",
      "  may redeem grants while nobody is there",
      "  may bring refresh tokens of Entra",
      "  gets tokens even when they carry more scopes than listed",
      "  gets long-lived tokens that Graph may challenge",
      `  may exchange users' tokens obtained by ${WEB_ID}`,
      "  codes go to https://app.example/one",
      "  codes go to https://app.example/two",
      "  may pass the token cache by 3 times a minute for each user",
    ]);
  });

  test.each<[string, Partial<CallerRule>, string[]]>([
    ["the default", { subjectClients: undefined as never }, [APP_ID]],
    ["none", { subjectClients: [] }, []],
    ["of use to on-behalf-of only", { flows: ["refresh-token"] }, []],
  ])("whose users' tokens an application may exchange: %s", (_name, backend, clients) => {
    const lines = describePolicy(policyWith({}, backend)).filter((line) => line.includes("may exchange"));
    expect(lines).toEqual(clients.map((client) => `  may exchange users' tokens obtained by ${client}`));
  });

  const same: Partial<CallerRule> = { apis: { graph: ["User.Read"] } };
  test.each<[string, Partial<CallerRule>, Partial<CallerRule>, RegExp | undefined]>([
    ["nothing to say", same, same, undefined],
    ["tiers that Entra does not keep apart", same, {}, /^graph: callers share one registration but have different/],
    [
      "lists in another order are no tiers",
      { apis: { graph: ["User.Read", "Mail.Read"] } },
      { apis: { graph: ["Mail.Read", "User.Read"] } },
      undefined,
    ],
    [
      "an application token's list is no tier",
      same,
      { flows: ["client-credentials"], apis: { graph: [".default"] } },
      undefined,
    ],
    ["surplus", same, { ...same, acceptSurplus: true }, /^backend: acceptSurplus releases/],
    [
      "public clients that keep permissions",
      { ...same, offlineAccess: true },
      same,
      /^web-users: public clients may keep/,
    ],
    [
      "nobody whose token could be exchanged",
      same,
      { ...same, subjectClients: [] },
      /^backend: on-behalf-of gives nothing/,
    ],
    [
      "the default, and no people at its own client",
      same,
      { ...same, subjectClients: undefined as never },
      /^backend: on-behalf-of gives nothing/,
    ],
    [
      "people who share no scope with it",
      { apis: { orders: ["Orders.Read"] } },
      same,
      /^backend: on-behalf-of gives nothing/,
    ],
    ["grants that may not be redeemed", same, { ...same, unattended: false }, /^backend: refresh-token gives nothing/],
    [
      "an import",
      same,
      { ...same, importRefreshTokens: true },
      /^backend: importRefreshTokens is meant for a migration/,
    ],
  ])("worth a second look: %s", (_name, users, backend, warning) => {
    expect(policyWarnings(policyWith(users, backend))).toEqual(
      warning === undefined ? [] : [expect.stringMatching(warning)],
    );
  });
});
