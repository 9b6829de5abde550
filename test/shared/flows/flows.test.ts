/** The flows: what a token depends on, until when, and how Entra is asked. Entra is a list of what it was asked. */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { EntraClient, EntraToken, SignedInToken } from "../../../shared/entra/entra-token.ts";
import type { FlowContext, FlowRequest } from "../../../shared/flows/flow.ts";
import { flowFor } from "../../../shared/flows/flows.ts";
import type { Subject } from "../../../shared/flows/subject.ts";
import type { UnsealedGrant } from "../../../shared/grants/grant.ts";
import type { Entitlement } from "../../../shared/policy/entitlement.ts";
import { GRAPH, TENANT_ID, userCaller } from "../policy/support/policies.ts";

const OWNER = { tenantId: TENANT_ID, objectId: "a11ce000-0000-4000-8000-000000000001" };
const QUALIFIED = [`${GRAPH}/Mail.Read`, `${GRAPH}/User.Read`];
const FAILURE: Failure = { kind: "dependency_failed", dependency: "entra", problem: "timeout" };

const REQUEST: FlowRequest = {
  entitlement: {
    api: { name: "graph", resource: GRAPH, contentType: "application/json" },
    scopes: ["Mail.Read", "User.Read"],
    cae: true,
  } as unknown as Entitlement,
  claims: '{"access_token":{}}',
  correlationId: "c0440000-0000-4000-8000-000000000001",
};
const COMMON = { claims: REQUEST.claims, correlationId: REQUEST.correlationId, cae: true };

const GRANT = {
  grant: { id: "9".repeat(64), user: OWNER, expiresAtSeconds: 3_000_000 },
  refreshToken: new SecretValue("1.kept"),
} as unknown as UnsealedGrant;
const CODE = {
  entraCode: new SecretValue("entra.code"),
  verifier: new SecretValue("verifier"),
  nonce: "nonce",
} as unknown as Extract<Subject, { source: "code" }>["code"];

const USER: Subject = { source: "user", user: userCaller(), presentedAs: "subject_token" };
const KEPT: Subject = { source: "grant", grant: GRANT };
const IMPORTED: Subject = { source: "imported", refreshToken: new SecretValue("1.raw") };
const SIGNED_IN: Subject = { source: "code", code: CODE };
const APPLICATION: Subject = { source: "application" };

function token(changes: Partial<SignedInToken> = {}): SignedInToken {
  return {
    accessToken: new SecretValue("a.b.c"),
    expiresAtSeconds: 2_000_000,
    refreshAtSeconds: undefined,
    scopes: QUALIFIED,
    refreshToken: undefined,
    user: { ...OWNER, guest: false },
    person: { name: "Alice", username: "alice", guest: false },
    ...changes,
  };
}

function surroundings(answer: Result<SignedInToken, Failure> = succeed(token()), changes: Partial<FlowContext> = {}) {
  const asked: [string, Record<string, unknown>][] = [];
  const redeemed: [UnsealedGrant, string | undefined][] = [];
  const call = (name: string) => (request: object) => {
    const shown = Object.entries(request).map(([key, value]) => [
      key,
      value instanceof SecretValue ? value.reveal() : value,
    ]);
    asked.push([name, Object.fromEntries(shown)]);
    return Promise.resolve(answer);
  };
  const entra: EntraClient = {
    onBehalfOf: call("onBehalfOf"),
    redeemRefreshToken: call("redeemRefreshToken"),
    clientCredentials: call("clientCredentials"),
    redeemCode: call("redeemCode"),
    signInUrl: () => Promise.resolve(fail(FAILURE)),
  };
  const dependencies: FlowContext = {
    entra,
    allowGuests: false,
    grantRedeemed(grant, newer) {
      redeemed.push([grant, newer?.reveal()]);
      return Promise.resolve(succeed(true));
    },
    ...changes,
  };
  return { asked, redeemed, dependencies };
}

describe("what a token depends on, and until when", () => {
  test.each<[string, Subject, unknown, number | undefined]>([
    [
      "a user's: the checked identity and the assertion; ends with the assertion (SEC-10)",
      USER,
      {
        kind: "user",
        tenantId: TENANT_ID,
        objectId: OWNER.objectId,
        clientId: userCaller().clientId,
        assertionDigest: userCaller().tokenDigest,
      },
      2_000_000,
    ],
    ["a grant's: the grant; ends with it", KEPT, { kind: "grant", grantId: "9".repeat(64) }, 3_000_000],
    ["the application's: nothing else", APPLICATION, { kind: "application" }, undefined],
    ["an imported one is never cached", IMPORTED, undefined, undefined],
    ["a sign-in is never cached", SIGNED_IN, undefined, undefined],
  ])("%s", (_name, permission, identity, notAfterSeconds) => {
    const flow = flowFor(permission);
    expect(flow.identity).toEqual(identity);
    expect(flow.notAfterSeconds).toBe(notAfterSeconds);
  });
});

describe("how Entra is asked", () => {
  test.each<[string, Subject, string, Record<string, unknown>]>([
    [
      "on-behalf-of",
      USER,
      "onBehalfOf",
      { assertion: "h.p.s", presentedAs: "subject_token", scopes: QUALIFIED, ...COMMON },
    ],
    ["grant", KEPT, "redeemRefreshToken", { refreshToken: "1.kept", scopes: QUALIFIED, ...COMMON }],
    ["import", IMPORTED, "redeemRefreshToken", { refreshToken: "1.raw", scopes: QUALIFIED, ...COMMON }],
    [
      "authorization code",
      SIGNED_IN,
      "redeemCode",
      { code: "entra.code", codeVerifier: "verifier", nonce: "nonce", scopes: QUALIFIED, ...COMMON },
    ],
    [
      "client credentials take .default only",
      APPLICATION,
      "clientCredentials",
      { scopes: [`${GRAPH}/.default`], ...COMMON },
    ],
  ])("%s: once, with qualified scopes", async (_name, permission, call, request) => {
    const { asked, dependencies } = surroundings();
    expect(await flowFor(permission).acquire(dependencies, REQUEST)).toEqual({ ok: true, value: token() });
    expect(asked).toEqual([[call, request]]);
  });

  test.each([USER, KEPT, IMPORTED, SIGNED_IN, APPLICATION])(
    "a failure of Entra's is the flow's: $source",
    async (permission) => {
      const { redeemed, dependencies } = surroundings(fail(FAILURE));
      expect(await flowFor(permission).acquire(dependencies, REQUEST)).toEqual(fail(FAILURE));
      expect(redeemed).toEqual([]);
    },
  );
});

describe("a redeemed grant", () => {
  test.each<[string, string | undefined]>([
    ["the newer refresh token is kept", "1.newer"],
    ["no newer one: the redemption is noted all the same", undefined],
  ])("%s", async (_name, newer) => {
    const refreshToken = newer === undefined ? undefined : new SecretValue(newer);
    const { redeemed, dependencies } = surroundings(succeed(token({ refreshToken })));
    expect(await flowFor(KEPT).acquire(dependencies, REQUEST)).toMatchObject({ ok: true });
    expect(redeemed).toEqual([[GRANT, newer]]);
  });

  test.each<[string, EntraToken["user"]]>([
    ["another user", { ...OWNER, objectId: "b0b00000-0000-4000-8000-000000000002" }],
    ["the same object id in another tenant", { ...OWNER, tenantId: "c0470500-0000-4000-8000-000000000002" }],
    ["nobody", undefined],
  ])("Entra's answer is about %s: no token, and nothing is kept", async (_name, user) => {
    const { redeemed, dependencies } = surroundings(succeed(token({ user, refreshToken: new SecretValue("1.newer") })));
    expect(await flowFor(KEPT).acquire(dependencies, REQUEST)).toEqual(
      fail({ kind: "grant_refused", reason: "user_changed" }),
    );
    expect(redeemed).toEqual([]);
  });

  test.each([
    ["a guest", true, KEPT],
    ["somebody of whom Entra does not tell", undefined, KEPT],
    ["a guest who is imported", true, IMPORTED],
  ] as const)("%s gets no token where guests are not allowed", async (_name, guest, permission) => {
    const user = guest === undefined ? OWNER : { ...OWNER, guest };
    const { redeemed, dependencies } = surroundings(succeed(token({ user })));
    expect(await flowFor(permission).acquire(dependencies, REQUEST)).toEqual(
      fail({ kind: "sign_in_refused", reason: "guest" }),
    );
    expect(redeemed).toEqual([]);
    const open = surroundings(succeed(token({ user })), { allowGuests: true });
    expect(await flowFor(permission).acquire(open.dependencies, REQUEST)).toMatchObject({ ok: true });
  });

  test("revoked meanwhile: no token", async () => {
    const revoked: Failure = { kind: "grant_refused", reason: "unknown" };
    const { dependencies } = surroundings(undefined, { grantRedeemed: () => Promise.resolve(fail(revoked)) });
    expect(await flowFor(KEPT).acquire(dependencies, REQUEST)).toEqual(fail(revoked));
  });
});

describe("a sign-in", () => {
  const guest = succeed(token({ person: { name: "Guest", username: "g", guest: true } }));

  test("of a guest gives no token", async () => {
    expect(await flowFor(SIGNED_IN).acquire(surroundings(guest).dependencies, REQUEST)).toEqual(
      fail({ kind: "sign_in_refused", reason: "guest" }),
    );
  });

  test("of a guest where guests are allowed", async () => {
    const { dependencies } = surroundings(guest, { allowGuests: true });
    expect(await flowFor(SIGNED_IN).acquire(dependencies, REQUEST)).toMatchObject({ ok: true });
  });
});
