/** Several APIs in one request: allowed only if the request issues a grant, and never for one token. */

import { describe, expect, test } from "vitest";
import type { TokenParameters } from "../../../shared/core/exchange-request.ts";
import type { FlowName } from "../../../shared/core/flow-name.ts";
import { type DecisionInput, decide } from "../../../shared/policy/decide.ts";
import type { CallerRule } from "../../../shared/policy/rules.ts";
import {
  applicationCaller,
  GRAPH,
  ORDERS,
  policyWith,
  tokenParametersFor,
  userCaller,
  WEB_ID,
} from "./support/policies.ts";

const REDIRECT_URI = "https://app.example/callback";
const APIS = { graph: ["User.Read", "Mail.Read"], orders: ["Orders.Read"] };
const BOTH: Partial<CallerRule> = {
  flows: ["on-behalf-of", "refresh-token", "authorization-code"],
  apis: APIS,
  redirectUris: [REDIRECT_URI],
  offlineAccess: true,
  importRefreshTokens: true,
};
const GIVEN = [
  { api: "graph", scopes: ["User.Read"] },
  { api: "orders", scopes: ["Orders.Read"] },
] as const;

function input(
  flow: FlowName,
  tokenParameters: Partial<TokenParameters>,
  changes: Partial<DecisionInput> = {},
): DecisionInput {
  const subject = flow === "on-behalf-of" ? { subject: userCaller() } : {};
  const requested = tokenParametersFor({ audiences: [], offlineAccess: true, ...tokenParameters });
  return {
    caller: applicationCaller(),
    flow,
    tokenParameters: requested,
    redirectUri: REDIRECT_URI,
    ...subject,
    ...changes,
  };
}

/** The allowed APIs, the token's API first (`graph: User.Read, orders: …`), or the rule that refused. */
function outcome(request: DecisionInput, backend: Partial<CallerRule> = {}, users: Partial<CallerRule> = {}): string {
  const decision = decide(policyWith({ apis: APIS, ...users }, { ...BOTH, ...backend }), request);
  if (!decision.ok) return decision.failure.reason;
  const all = [decision.value, ...decision.value.also];
  return all.map(({ api, scopes }) => `${api.name}: ${scopes.join(" ")}`).join(", ");
}

const everything = "graph: Mail.Read User.Read, orders: Orders.Read";
const graphScope = `${GRAPH}/User.Read`;
const ordersScope = `${ORDERS}/Orders.Read`;

describe("on-behalf-of or an imported refresh token, with the token's API stated and scopes of another API", () => {
  const rows: [string, Partial<TokenParameters>, string][] = [
    [
      "issues a grant for both if audience names the token's API",
      { audiences: ["graph"], scopes: [ordersScope] },
      everything,
    ],
    [
      "issues a grant for both if resource names the token's API",
      { resources: [ORDERS], scopes: [graphScope] },
      "orders: Orders.Read, graph: User.Read",
    ],
    [
      "treats bare scopes as scopes of the stated API",
      { audiences: ["graph"], scopes: ["User.Read", ordersScope] },
      "graph: User.Read, orders: Orders.Read",
    ],
    [
      "accepts audience and resource of the same API",
      { audiences: ["graph"], resources: [GRAPH], scopes: [ordersScope] },
      everything,
    ],
    ["is ambiguous with two stated APIs", { audiences: ["graph", "orders"] }, "api_ambiguous"],
    ["is ambiguous without a stated API", { scopes: [graphScope, ordersScope] }, "api_ambiguous"],
    [
      "is refused with a scope of an unknown resource",
      { audiences: ["graph"], scopes: ["https://mail.example/X"] },
      "api_unknown",
    ],
    [
      "is refused if a scope of the other API is not in the list",
      { audiences: ["graph"], scopes: [`${ORDERS}/Orders.Write`] },
      "scope_not_allowed",
    ],
  ];
  test.each(rows)("%s", (_name, tokenParameters, expected) => {
    expect(outcome(input("on-behalf-of", tokenParameters))).toBe(expected);
    expect(outcome(input("refresh-token", { ...tokenParameters, offlineAccess: false }), { unattended: true })).toBe(
      expected,
    );
  });

  test("without offline_access is ambiguous, because a token is for one API", () => {
    const tokenParameters = { audiences: ["graph"], scopes: [ordersScope], offlineAccess: false };
    expect(outcome(input("on-behalf-of", tokenParameters))).toBe("api_ambiguous");
  });

  test("limits each API to the list of the client that obtained the user's token", () => {
    const tokenParameters = { audiences: ["graph"], scopes: [ordersScope] };
    const own = { subjectClients: [WEB_ID] };
    expect(outcome(input("on-behalf-of", tokenParameters), own, { apis: { graph: ["User.Read"] } })).toBe(
      "api_not_allowed",
    );
    const narrower = { apis: { graph: ["User.Read"], orders: ["Orders.Read"] } };
    expect(outcome(input("on-behalf-of", tokenParameters), own, narrower)).toBe(
      "graph: User.Read, orders: Orders.Read",
    );
  });
});

describe("a pushed request may name several APIs (RFC 8707 section 2.1)", () => {
  test.each<[string, Partial<TokenParameters>, string]>([
    [
      "by audience, in their order",
      { audiences: ["orders", "graph"] },
      "orders: Orders.Read, graph: Mail.Read User.Read",
    ],
    ["by resource", { resources: [GRAPH, ORDERS] }, everything],
    ["by resource prefix of a scope", { scopes: [graphScope, ordersScope] }, "graph: User.Read, orders: Orders.Read"],
    [
      "but not with a bare scope, which may belong to either",
      { audiences: ["graph", "orders"], scopes: ["User.Read"] },
      "api_ambiguous",
    ],
    ["but not with an unknown audience", { audiences: ["graph", "mail"] }, "api_unknown"],
    ["but not without offline_access", { audiences: ["graph", "orders"], offlineAccess: false }, "api_ambiguous"],
  ])("%s", (_name, tokenParameters, expected) => {
    expect(outcome(input("authorization-code", tokenParameters))).toBe(expected);
  });

  test.each<[string, Partial<TokenParameters>, string]>([
    ["is for the first API if the request names none", {}, "graph: User.Read, orders: Orders.Read"],
    ["is for the named API", { resources: [ORDERS] }, "orders: Orders.Read, graph: User.Read"],
    ["never gets more than was allowed at the start", { scopes: [`${GRAPH}/Mail.Read`] }, "scope_not_allowed"],
    ["is ambiguous with two APIs", { audiences: ["graph", "orders"] }, "api_ambiguous"],
    ["has no further API without offline_access", { offlineAccess: false }, "graph: User.Read"],
  ])("and its code %s", (_name, tokenParameters, expected) => {
    expect(outcome(input("authorization-code", tokenParameters, { given: GIVEN }))).toBe(expected);
  });

  test("and its code is refused if policy no longer lists one of them", () => {
    const code = input("authorization-code", {}, { given: GIVEN });
    expect(outcome(code, { apis: { graph: ["User.Read"] } })).toBe("api_not_allowed");
  });
});

describe("a grant for several APIs, when redeemed,", () => {
  test.each<[string, Partial<TokenParameters>, string]>([
    ["is for the first API if the request names none", {}, "graph: User.Read"],
    ["is for the named API", { audiences: ["orders"] }, "orders: Orders.Read"],
    ["never gets more than was granted", { audiences: ["graph"], scopes: ["Mail.Read"] }, "scope_not_allowed"],
    ["is ambiguous with two APIs", { scopes: [graphScope, ordersScope] }, "api_ambiguous"],
    [
      "is ambiguous with two APIs even if one is stated",
      { audiences: ["graph"], scopes: [ordersScope] },
      "api_ambiguous",
    ],
  ])("%s", (_name, tokenParameters, expected) => {
    expect(outcome(input("refresh-token", tokenParameters, { given: GIVEN }), { unattended: true })).toBe(expected);
  });

  test("is refused for an API that it was not issued for", () => {
    const redemption = input("refresh-token", { audiences: ["orders"] }, { given: [GIVEN[0]] });
    expect(outcome(redemption, { unattended: true })).toBe("api_not_allowed");
  });
});
