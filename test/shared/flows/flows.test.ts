/**
 * The flows: how the cache identifies a token, when the right to it ends, and how Entra is called. Entra is a recorder
 * of calls.
 */
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../shared/core/failure.ts";
import { fail, type Result, succeed } from "../../../shared/core/result.ts";
import { SecretValue } from "../../../shared/core/secret-value.ts";
import type { EntraClient, EntraToken, SignedInToken } from "../../../shared/entra/entra-token.ts";
import type { FlowContext, FlowRequest } from "../../../shared/flows/flow.ts";
import type { Subject } from "../../../shared/flows/flows.ts";
import { flowFor } from "../../../shared/flows/flows.ts";
import type { UnsealedGrant } from "../../../shared/grants/grant-types.ts";
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
  refreshToken: new SecretValue("1.stored"),
} as unknown as UnsealedGrant;
const CODE = {
  entraCode: new SecretValue("entra.code"),
  verifier: new SecretValue("verifier"),
  nonce: "nonce",
} as unknown as Extract<Subject, { source: "code" }>["code"];

const USER: Subject = { source: "user", user: userCaller(), presentedAs: "subject_token" };
const FROM_GRANT: Subject = { source: "grant", grant: GRANT };
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

function contextWith(answer: Result<SignedInToken, Failure> = succeed(token()), changes: Partial<FlowContext> = {}) {
  const calls: [string, Record<string, unknown>][] = [];
  const redeemed: [UnsealedGrant, string | undefined][] = [];
  const otherUsers: string[][] = [];
  const call = (name: string) => (request: object) => {
    const shown = Object.entries(request).map(([key, value]) => [
      key,
      value instanceof SecretValue ? value.reveal() : value,
    ]);
    calls.push([name, Object.fromEntries(shown)]);
    return Promise.resolve(answer);
  };
  const entra: EntraClient = {
    onBehalfOf: call("onBehalfOf"),
    redeemRefreshToken: call("redeemRefreshToken"),
    clientCredentials: call("clientCredentials"),
    redeemCode: call("redeemCode"),
    signInUrl: () => Promise.resolve(fail(FAILURE)),
  };
  const context: FlowContext = {
    entra,
    allowGuests: false,
    grantRedeemed(grant, newer) {
      redeemed.push([grant, newer?.reveal()]);
      return Promise.resolve(succeed(true));
    },
    onOtherUser: (expected, returned) => void otherUsers.push([expected.objectId, returned.objectId]),
    ...changes,
  };
  return { calls, redeemed, otherUsers, context };
}

describe("the cache identity of a token and the end of the right to it", () => {
  test.each<[string, Subject, unknown, number | undefined]>([
    [
      "user: the validated identity and the assertion; ends with the assertion (SEC-10)",
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
    ["grant: the grant id; ends with the grant", FROM_GRANT, { kind: "grant", grantId: "9".repeat(64) }, 3_000_000],
    ["application: nothing else; ends with the token", APPLICATION, { kind: "application" }, undefined],
    ["imported refresh token: never cached", IMPORTED, undefined, undefined],
    ["authorization code: never cached", SIGNED_IN, undefined, undefined],
  ])("%s", (_name, subject, identity, notAfterSeconds) => {
    const flow = flowFor(subject);
    expect(flow.identity).toEqual(identity);
    expect(flow.notAfterSeconds).toBe(notAfterSeconds);
  });
});

describe("the call to Entra", () => {
  test.each<[string, Subject, string, Record<string, unknown>]>([
    [
      "on-behalf-of",
      USER,
      "onBehalfOf",
      { assertion: "h.p.s", presentedAs: "subject_token", scopes: QUALIFIED, ...COMMON },
    ],
    ["grant", FROM_GRANT, "redeemRefreshToken", { refreshToken: "1.stored", scopes: QUALIFIED, ...COMMON }],
    ["imported refresh token", IMPORTED, "redeemRefreshToken", { refreshToken: "1.raw", scopes: QUALIFIED, ...COMMON }],
    [
      "authorization code",
      SIGNED_IN,
      "redeemCode",
      { code: "entra.code", codeVerifier: "verifier", nonce: "nonce", scopes: QUALIFIED, ...COMMON },
    ],
    [
      "client credentials (.default only)",
      APPLICATION,
      "clientCredentials",
      { scopes: [`${GRAPH}/.default`], ...COMMON },
    ],
  ])("%s: one call, with qualified scopes", async (_name, subject, call, request) => {
    const { calls, context } = contextWith();
    expect(await flowFor(subject).acquire(context, REQUEST)).toEqual({ ok: true, value: token() });
    expect(calls).toEqual([[call, request]]);
  });

  test.each([USER, FROM_GRANT, IMPORTED, SIGNED_IN, APPLICATION])(
    "returns Entra's failure unchanged: $source",
    async (subject) => {
      const { redeemed, context } = contextWith(fail(FAILURE));
      expect(await flowFor(subject).acquire(context, REQUEST)).toEqual(fail(FAILURE));
      expect(redeemed).toEqual([]);
    },
  );
});

describe("on-behalf-of", () => {
  const bob = { ...OWNER, objectId: "b0b00000-0000-4000-8000-000000000002" };

  test.each<[string, NonNullable<EntraToken["user"]>]>([
    ["another user", bob],
    ["the same object id in another tenant", { ...OWNER, tenantId: "c0470500-0000-4000-8000-000000000002" }],
  ])("gives no token and reports it if Entra's token is of %s", async (_name, user) => {
    const { otherUsers, context } = contextWith(succeed(token({ user })));
    expect(await flowFor(USER).acquire(context, REQUEST)).toEqual(
      fail({ kind: "dependency_failed", dependency: "entra", problem: "answer_invalid" }),
    );
    expect(otherUsers).toEqual([[OWNER.objectId, user.objectId]]);
  });

  test("gives a token if Entra's response names no user", async () => {
    const { otherUsers, context } = contextWith(succeed(token({ user: undefined })));
    expect(await flowFor(USER).acquire(context, REQUEST)).toMatchObject({ ok: true });
    expect(otherUsers).toEqual([]);
  });
});

describe("a redeemed grant", () => {
  test.each<[string, string | undefined]>([
    ["stores the newer refresh token", "1.newer"],
    ["records the redemption even without a newer refresh token", undefined],
  ])("%s", async (_name, newer) => {
    const refreshToken = newer === undefined ? undefined : new SecretValue(newer);
    const { redeemed, context } = contextWith(succeed(token({ refreshToken })));
    expect(await flowFor(FROM_GRANT).acquire(context, REQUEST)).toMatchObject({ ok: true });
    expect(redeemed).toEqual([[GRANT, newer]]);
  });

  test.each<[string, EntraToken["user"]]>([
    ["another user", { ...OWNER, objectId: "b0b00000-0000-4000-8000-000000000002" }],
    ["the same object id in another tenant", { ...OWNER, tenantId: "c0470500-0000-4000-8000-000000000002" }],
    ["no user", undefined],
  ])("is refused and stores nothing if Entra's answer is about %s", async (_name, user) => {
    const { redeemed, context } = contextWith(succeed(token({ user, refreshToken: new SecretValue("1.newer") })));
    expect(await flowFor(FROM_GRANT).acquire(context, REQUEST)).toEqual(
      fail({ kind: "grant_refused", reason: "user_changed" }),
    );
    expect(redeemed).toEqual([]);
  });

  test.each([
    ["a guest", true, FROM_GRANT],
    ["a user whose token does not say whether it is a guest", undefined, FROM_GRANT],
    ["a guest with an imported refresh token", true, IMPORTED],
  ] as const)("gives no token to %s where guests are not allowed", async (_name, guest, subject) => {
    const user = guest === undefined ? OWNER : { ...OWNER, guest };
    const { redeemed, context } = contextWith(succeed(token({ user })));
    expect(await flowFor(subject).acquire(context, REQUEST)).toEqual(
      fail({ kind: "sign_in_refused", reason: "guest" }),
    );
    expect(redeemed).toEqual([]);
    const open = contextWith(succeed(token({ user })), { allowGuests: true });
    expect(await flowFor(subject).acquire(open.context, REQUEST)).toMatchObject({ ok: true });
  });

  test("gives no token if the grant was revoked during the redemption", async () => {
    const revoked: Failure = { kind: "grant_refused", reason: "unknown" };
    const { context } = contextWith(undefined, { grantRedeemed: () => Promise.resolve(fail(revoked)) });
    expect(await flowFor(FROM_GRANT).acquire(context, REQUEST)).toEqual(fail(revoked));
  });
});

describe("an authorization code", () => {
  const guest = succeed(token({ person: { name: "Guest", username: "g", guest: true } }));

  test("of a guest gives no token where guests are not allowed", async () => {
    expect(await flowFor(SIGNED_IN).acquire(contextWith(guest).context, REQUEST)).toEqual(
      fail({ kind: "sign_in_refused", reason: "guest" }),
    );
  });

  test("of a guest gives a token where guests are allowed", async () => {
    const { context } = contextWith(guest, { allowGuests: true });
    expect(await flowFor(SIGNED_IN).acquire(context, REQUEST)).toMatchObject({ ok: true });
  });
});
