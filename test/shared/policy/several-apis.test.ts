/** Several APIs in one request: allowed only where a permission begins that is kept, and never for one token. */

import { describe, expect, test } from "vitest";
import type { TokenParameters } from "../../../shared/core/exchange-request.ts";
import type { FlowName } from "../../../shared/core/flow-name.ts";
import { type DecisionInput, decide } from "../../../shared/policy/decide.ts";
import type { CallerRule } from "../../../shared/policy/rules.ts";
import { applicationCaller, GRAPH, ORDERS, policyWith, userCaller, WEB_ID, wishFor } from "./support/policies.ts";

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
  const asked = wishFor({ audiences: [], offlineAccess: true, ...tokenParameters });
  return {
    caller: applicationCaller(),
    flow,
    tokenParameters: asked,
    redirectUri: REDIRECT_URI,
    ...subject,
    ...changes,
  };
}

/** The token's API first: `graph: User.Read, orders: …`; or the rule that refused. */
function outcome(asked: DecisionInput, backend: Partial<CallerRule> = {}, users: Partial<CallerRule> = {}): string {
  const decision = decide(policyWith({ apis: APIS, ...users }, { ...BOTH, ...backend }), asked);
  if (!decision.ok) return decision.failure.reason;
  const all = [decision.value, ...decision.value.also];
  return all.map(({ api, scopes }) => `${api.name}: ${scopes.join(" ")}`).join(", ");
}

const everything = "graph: Mail.Read User.Read, orders: Orders.Read";
const graphScope = `${GRAPH}/User.Read`;
const ordersScope = `${ORDERS}/Orders.Read`;

describe("on-behalf-of and an imported refresh token: the token's API is stated, scopes of others extend what is kept", () => {
  const rows: [string, Partial<TokenParameters>, string][] = [
    ["by name", { audiences: ["graph"], scopes: [ordersScope] }, everything],
    ["by resource", { resources: [ORDERS], scopes: [graphScope] }, "orders: Orders.Read, graph: User.Read"],
    [
      "bare names are the stated API's",
      { audiences: ["graph"], scopes: ["User.Read", ordersScope] },
      "graph: User.Read, orders: Orders.Read",
    ],
    ["name and resource of the same", { audiences: ["graph"], resources: [GRAPH], scopes: [ordersScope] }, everything],
    ["two stated", { audiences: ["graph", "orders"] }, "api_ambiguous"],
    ["none stated", { scopes: [graphScope, ordersScope] }, "api_ambiguous"],
    ["an unknown one", { audiences: ["graph"], scopes: ["https://mail.example/X"] }, "api_unknown"],
    [
      "a scope of the other that is not allowed",
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

  test("without offline_access there is one API", () => {
    const tokenParameters = { audiences: ["graph"], scopes: [ordersScope], offlineAccess: false };
    expect(outcome(input("on-behalf-of", tokenParameters))).toBe("api_ambiguous");
  });

  test("each API is narrowed by the client that obtained the user's token", () => {
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

describe("a pushed request gives no token yet: RFC 8707 section 2.1 lets it name several", () => {
  test.each<[string, Partial<TokenParameters>, string]>([
    [
      "by name, the first one first",
      { audiences: ["orders", "graph"] },
      "orders: Orders.Read, graph: Mail.Read User.Read",
    ],
    ["by resource", { resources: [GRAPH, ORDERS] }, everything],
    ["by scope", { scopes: [graphScope, ordersScope] }, "graph: User.Read, orders: Orders.Read"],
    ["a bare name that may be either's", { audiences: ["graph", "orders"], scopes: ["User.Read"] }, "api_ambiguous"],
    ["an unknown one", { audiences: ["graph", "mail"] }, "api_unknown"],
    ["only to be kept", { audiences: ["graph", "orders"], offlineAccess: false }, "api_ambiguous"],
  ])("%s", (_name, tokenParameters, expected) => {
    expect(outcome(input("authorization-code", tokenParameters))).toBe(expected);
  });

  test.each<[string, Partial<TokenParameters>, string]>([
    ["the first where none is named", {}, "graph: User.Read, orders: Orders.Read"],
    ["the one that is named", { resources: [ORDERS] }, "orders: Orders.Read, graph: User.Read"],
    ["never more than was decided", { scopes: [`${GRAPH}/Mail.Read`] }, "scope_not_allowed"],
    ["two at once", { audiences: ["graph", "orders"] }, "api_ambiguous"],
    ["no further one, when nothing is kept", { offlineAccess: false }, "graph: User.Read"],
  ])("its code: %s", (_name, tokenParameters, expected) => {
    expect(outcome(input("authorization-code", tokenParameters, { given: GIVEN }))).toBe(expected);
  });

  test("its code, when policy has dropped one of them since", () => {
    const code = input("authorization-code", {}, { given: GIVEN });
    expect(outcome(code, { apis: { graph: ["User.Read"] } })).toBe("api_not_allowed");
  });
});

describe("a grant that covers several gives one token at a time", () => {
  test.each<[string, Partial<TokenParameters>, string]>([
    ["the first where none is named", {}, "graph: User.Read"],
    ["the one that is named", { audiences: ["orders"] }, "orders: Orders.Read"],
    ["never more than was given", { audiences: ["graph"], scopes: ["Mail.Read"] }, "scope_not_allowed"],
    ["two at once", { scopes: [graphScope, ordersScope] }, "api_ambiguous"],
    ["two at once, one stated", { audiences: ["graph"], scopes: [ordersScope] }, "api_ambiguous"],
  ])("%s", (_name, tokenParameters, expected) => {
    expect(outcome(input("refresh-token", tokenParameters, { given: GIVEN }), { unattended: true })).toBe(expected);
  });

  test("one that it does not cover", () => {
    const redemption = input("refresh-token", { audiences: ["orders"] }, { given: [GIVEN[0]] });
    expect(outcome(redemption, { unattended: true })).toBe("api_not_allowed");
  });
});
