/**
 * Grants from issue to end: issued only if requested and allowed, redeemed only by the caller they are bound to, stored
 * through rotations, and ended by expiry, by revocation and by Entra.
 */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sealRefreshToken } from "../../local/tenant/oauth/refresh-token.ts";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { newTableName, readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service } = useWorld({ newServiceForEachTest: true });

const HANDLE = /^gte_[A-Za-z0-9_-]{43}$/;

/** An exchange that requests a grant. */
async function requestGrant(subject: string, headers: Record<string, string> = {}, at = service): Promise<Answer> {
  const form = exchangeForm(subject, { scope: "User.Read Mail.Read offline_access" });
  return at.call("/oauth2/token", { form, headers });
}

async function handleOf(answer: Promise<Answer>): Promise<string> {
  const handle = String((await answer).json()["refresh_token"]);
  expect(handle).toMatch(HANDLE);
  return handle;
}

const userGrant = (at = service) => handleOf(requestGrant(userToken(world), {}, at));
const applicationGrant = (at = service) => handleOf(requestGrant(userToken(world), bearer(appToken(world)), at));

function redeem(grant: string, caller: string, more: Record<string, string> = {}, at = service): Promise<Answer> {
  const form = { grant_type: "refresh_token", refresh_token: grant, ...more };
  return at.call("/oauth2/token", { form, headers: bearer(caller) });
}

/** The refresh tokens that Entra received, newest last. */
const refreshTokensSent = () =>
  world.tenant.state
    .requests({ endpoint: "token", grantType: "refresh_token" })
    .map(({ form }) => form?.["refresh_token"]);

const withStatus = (answer: Answer) => {
  const { correlation_id: _id, ...body } = answer.json();
  return { status: answer.status, ...body };
};

describe("issuing a grant", () => {
  test("an exchange without offline_access stores no grant", async () => {
    const before = await list(userToken(world));
    await service.call("/oauth2/token", { form: exchangeForm(userToken(world)) });
    await service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) });
    expect(await list(userToken(world))).toEqual(before);
  });

  test("POST /AuthorizationHeader with offline_access returns the grant handle once", async () => {
    const token = userToken(world);
    const json = { scopes: ["User.Read", "offline_access"] };
    const answer = await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json });
    expect(answer.json()).toMatchObject({
      grant: expect.stringMatching(HANDLE),
      grantExpiresOn: expect.stringMatching(/Z$/),
    });
    expect((await redeem(String(answer.json()["grant"]), token)).status).toBe(200);
  });

  test("the grant ends after grantMaxDays", async () => {
    const answer = await requestGrant(userToken(world));
    const days = (Date.parse(String(answer.json()["grant_expires_on"])) - Date.now()) / DAY;
    expect(days).toBeGreaterThan(29.99);
    expect(days).toBeLessThan(30.01);
  });

  test("every grant has a different handle", async () => {
    const token = userToken(world);
    const [one, two] = [await handleOf(requestGrant(token)), await handleOf(requestGrant(token))];
    expect(one).not.toBe(two);
  });

  test("if Entra returns no refresh token, the service issues neither a grant nor a token", async () => {
    const order = { access_token: "opaque", token_type: "Bearer", expires_in: 3_600, scope: "User.Read Mail.Read" };
    const client_info = Buffer.from(
      JSON.stringify({ uid: USER_IDS.alice, utid: world.tenant.state.tenantId }),
    ).toString("base64url");
    world.tenant.state.order({ endpoint: "token", client: "service", status: 200, body: { ...order, client_info } });
    const answer = await requestGrant(userToken(world));
    expect(withStatus(answer)).toMatchObject({ status: 502, code: "entra_answer_invalid" });
    expect(answer.text).not.toContain("opaque");
  });
});

describe("redeeming a grant", () => {
  test("by its user with a later token returns a new Graph token and no new handle", async () => {
    const grant = await userGrant();
    const answer = await redeem(grant, userToken(world));
    expect(Object.keys(answer.json()).sort()).toEqual(
      ["access_token", "expires_in", "grant_expires_on", "issued_token_type", "scope", "token_type"].sort(),
    );
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({ oid: USER_IDS.alice });
    expect(service.lastEvent()).toMatchObject({
      flow: "refresh-token",
      outcome: "issued",
      subjectObjectId: USER_IDS.alice,
      grantId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(refreshTokensSent()).toEqual([expect.stringMatching(/^1\.AX/)]);
  });

  test("at POST /AuthorizationHeader returns a token and no handle", async () => {
    const grant = await userGrant();
    const headers = bearer(userToken(world));
    const answer = await service.call("/AuthorizationHeader/graph", { headers, json: { grant } });
    expect(answer.json()).toMatchObject({ tokenType: "Bearer", grantExpiresOn: expect.any(String) });
    expect(answer.json()).not.toHaveProperty("grant");
  });

  test("by its application needs no user", async () => {
    const grant = await applicationGrant();
    clock.advance(2 * 60 * MINUTE);
    const answer = await redeem(grant, appToken(world));
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({
      oid: USER_IDS.alice,
      appid: CLIENT_IDS.service,
    });
    expect(service.lastEvent()).toMatchObject({ callerKind: "application", subjectObjectId: USER_IDS.alice });
  });

  test("uses the cached token until it expires", async () => {
    const grant = await userGrant();
    const first = await redeem(grant, userToken(world));
    const second = await redeem(grant, userToken(world));
    expect(second.json()["access_token"]).toBe(first.json()["access_token"]);
    expect(service.lastEvent()["cache"]).toBe("hit");
    expect(refreshTokensSent()).toHaveLength(1);
  });

  test("with minimumSeconds renews the cached token if Entra answers and can give a longer one", async () => {
    const grant = await userGrant();
    const headerOf = async (minimumSeconds: number) => {
      const json = { grant, minimumSeconds };
      const answer = await service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)), json });
      expect(answer.status).toBe(200);
      return answer.json()["authorizationHeader"];
    };
    const first = await headerOf(0);
    expect(await headerOf(50 * 60)).toBe(first);
    clock.advance(45 * MINUTE);
    const second = await headerOf(50 * 60);
    expect(second).not.toBe(first);
    // No token of Entra lives that long, so the service returns the one it has just acquired.
    expect(await headerOf(86_400)).toBe(second);
    expect(refreshTokensSent()).toHaveLength(2);

    clock.advance(2 * MINUTE);
    world.tenant.state.order({ endpoint: "token", status: 503, body: "", times: 2 });
    expect(await headerOf(86_400)).toBe(second);
    expect(service.lastEvent()).toMatchObject({ outcome: "issued", warning: "entra_unavailable" });
  });

  test("gives fewer scopes than granted on request, never more", async () => {
    const grant = await userGrant();
    expect((await redeem(grant, userToken(world), { scope: "User.Read" })).status).toBe(200);
    const other = await redeem(grant, userToken(world), { audience: "orders" });
    expect(withStatus(other)).toMatchObject({ status: 400, error: "invalid_target", code: "api_not_allowed" });

    const bob = () => userToken(world, { user: "bob" });
    world.tenant.state.withdrawConsent({ user: "bob", scopes: ["Mail.Read"] });
    const form = exchangeForm(bob(), { scope: "User.Read offline_access" });
    const narrow = await handleOf(service.call("/oauth2/token", { form }));
    expect((await redeem(narrow, bob())).status).toBe(200);
    world.tenant.state.addConsent({ user: "bob", scopes: ["Mail.Read"] });
    const more = await redeem(narrow, bob(), { scope: "User.Read Mail.Read" });
    expect(withStatus(more)).toMatchObject({ status: 400, error: "invalid_scope", code: "scope_not_allowed" });
  });

  test("gives the scopes that Entra returned when the grant was issued, and lists them", async () => {
    const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
    const grant = await handleOf(service.call("/oauth2/token", { form }));
    const [newest] = await list(userToken(world));
    expect(newest).toMatchObject({ apis: { graph: ["Mail.Read", "User.Read"] } });
    expect((await redeem(grant, userToken(world))).status).toBe(200);
  });
});

describe("a grant is bound to its caller", () => {
  const strangers: [title: string, caller: () => string][] = [
    ["another user of the same client", () => userToken(world, { user: "bob" })],
    ["the same user with another client", () => userToken(world, { client: "public" })],
    ["the client with its own token", () => appToken(world)],
    ["another application", () => appToken(world, { client: "daemon" })],
    ["a client that is not in the policy", () => userToken(world, { client: "stranger" })],
  ];

  test.each(strangers)(
    "a user's grant, redeemed by %s: the same answer as for an unknown grant",
    async (_title, caller) => {
      const grant = await userGrant();
      const refused = withStatus(await redeem(grant, caller()));
      expect(refused).toMatchObject({ status: 400, error: "invalid_grant", code: "grant_invalid", action: "sign_in" });
      expect(withStatus(await redeem(`gte_${"A".repeat(43)}`, caller()))).toEqual(refused);
      expect(refreshTokensSent()).toEqual([]);
      expect((await redeem(grant, userToken(world))).status).toBe(200);
    },
  );

  test.each([
    ["its user", () => userToken(world)],
    ["another application", () => appToken(world, { client: "daemon" })],
  ] as [string, () => string][])(
    "an application's grant, redeemed by %s: the same answer as for an unknown grant",
    async (_title, caller) => {
      const grant = await applicationGrant();
      const refused = withStatus(await redeem(grant, caller()));
      expect(refused).toEqual(withStatus(await redeem(`gte_${"A".repeat(43)}`, caller())));
      const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(caller()), json: { grant } });
      expect(withStatus(header)).toMatchObject({ status: 403, error: "invalid_grant", code: "grant_invalid" });
      expect(refreshTokensSent()).toEqual([]);
    },
  );

  test("a handle with different unused last bits is refused", async () => {
    const grant = await userGrant();
    const last = grant.at(-1) ?? "";
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const twin = grant.slice(0, -1) + alphabet[(alphabet.indexOf(last) ^ 1) % 64];
    for (const variant of [twin, grant.toUpperCase(), grant.replace("gte_", "GTE_")]) {
      const answer = await redeem(variant, userToken(world));
      expect(withStatus(answer)).toMatchObject({ status: 400, code: "handle_malformed" });
    }
    expect(refreshTokensSent()).toEqual([]);
  });

  test("an application that policy no longer allows to act unattended cannot redeem its grant", async () => {
    const settings = { POLICY: policyWithEntries({ "web-backend": { offlineAccess: false, unattended: false } }) };
    const attended = world.serve({ settings });
    const grant = await applicationGrant();
    const answer = await redeem(grant, appToken(world), {}, attended);
    expect(withStatus(answer)).toMatchObject({
      status: 400,
      error: "unauthorized_client",
      code: "unattended_not_allowed",
    });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("the current policy decides about an older grant", async () => {
    const grant = await userGrant();
    const without = policyWithEntries({ "web-users": { flows: ["on-behalf-of"], offlineAccess: false } });
    const flowless = world.serve({ settings: { POLICY: without } });
    expect(withStatus(await redeem(grant, userToken(world), {}, flowless))).toMatchObject({ code: "flow_not_allowed" });
    const removed = policyWith((policy) => {
      policy.callers = policy.callers.filter(({ name }) => name !== "web-users");
    });
    const strict = world.serve({ settings: { POLICY: removed } });
    expect(withStatus(await redeem(grant, userToken(world), {}, strict))).toMatchObject({ code: "caller_not_listed" });
    const narrower = world.serve({
      settings: { POLICY: policyWithEntries({ "web-users": { apis: { orders: ["Orders.Read"] } } }) },
    });
    expect(withStatus(await redeem(grant, userToken(world), {}, narrower))).toMatchObject({
      error: "invalid_target",
      code: "api_not_allowed",
    });
  });
});

describe("refresh token rotation", () => {
  test("two instances redeem at the same time: both succeed, and the next redemption uses a newer refresh token", async () => {
    const { state } = world.tenant;
    const grant = await userGrant();
    const [one, two, three] = [service.another(), service.another(), service.another()];
    const order = state.order({ endpoint: "token", grantType: "refresh_token", hold: true, times: 2 });
    const redemptions = [redeem(grant, userToken(world), {}, one), redeem(grant, userToken(world), {}, two)];
    await state.orders.hit(order, 2);
    state.releaseOrder({ id: order });
    expect((await Promise.all(redemptions)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await redeem(grant, userToken(world), {}, three)).status).toBe(200);
    const [first, second, third] = refreshTokensSent();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect([...one.logs, ...two.logs, ...three.logs].filter((line) => line.includes("rotation_lost"))).toEqual([]);
  });

  test("every redemption uses the refresh token from the one before", async () => {
    const grant = await userGrant();
    for (let round = 0; round < 4; round++) {
      expect((await redeem(grant, userToken(world), {}, service.another())).status).toBe(200);
    }
    expect(new Set(refreshTokensSent()).size).toBe(4);
  });

  test("twenty concurrent redemptions in one instance call Entra once", async () => {
    const { state } = world.tenant;
    const grant = await userGrant();
    const caller = userToken(world);
    const order = state.order({ endpoint: "token", grantType: "refresh_token", hold: true, times: 0 });
    const all = Array.from({ length: 20 }, () => redeem(grant, caller));
    await service.lookUps(20);
    state.releaseOrder({ id: order });
    expect(new Set((await Promise.all(all)).map((answer) => answer.json()["access_token"])).size).toBe(1);
    expect(refreshTokensSent()).toHaveLength(1);
  });

  test("twenty concurrent redemptions in a new instance all succeed while it reads the sealing key", async () => {
    const { state } = world.tenant;
    const grant = await userGrant();
    const caller = userToken(world);
    const fresh = world.serve();
    const order = state.order({ endpoint: "vault", path: "/secrets/sealing-key/", hold: true, times: 0 });
    const all = Array.from({ length: 20 }, () => redeem(grant, caller, {}, fresh));
    await state.orders.hit(order);
    state.releaseOrder({ id: order });
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  });

  test("after a rotation of the sealing key old grants still unseal, and new grants use the new key", async () => {
    const { state } = world.tenant;
    const old = await userGrant();
    const before = sealedWith(await rows());
    state.setSecret({ name: "sealing-key", value: Buffer.alloc(32, 7).toString("base64") });
    const later = world.serve();
    expect((await redeem(old, userToken(world), {}, later)).status).toBe(200);
    const fresh = await userGrant(later);
    const after = sealedWith(await rows());
    expect([...after].filter((kid) => !before.has(kid))).toHaveLength(1);
    expect((await redeem(fresh, userToken(world), {}, service)).status).toBe(200);
  });
});

describe("the end of a grant", () => {
  test("an expired grant is refused with grant_expired, but only to its caller", async () => {
    const grant = await userGrant();
    clock.advance(30 * DAY + MINUTE);
    const answer = await redeem(grant, userToken(world));
    expect(withStatus(answer)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_expired",
      action: "sign_in",
    });
    expect(withStatus(await redeem(grant, userToken(world, { user: "bob" })))).toMatchObject({ code: "grant_invalid" });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("a cached token does not outlive the grant", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { grantMaxDays: 1 } }) };
    const short = world.serve({ settings });
    const grant = await userGrant(short);
    clock.advance(DAY - 10 * MINUTE);
    expect((await redeem(grant, userToken(world), {}, short)).status).toBe(200);
    clock.advance(11 * MINUTE);
    expect(withStatus(await redeem(grant, userToken(world), {}, short))).toMatchObject({ code: "grant_expired" });
  });

  test("its caller revokes it by handle: the cached token is no longer released either", async () => {
    const grant = await userGrant();
    expect((await redeem(grant, userToken(world))).status).toBe(200);
    expect(await revoke(grant, userToken(world))).toMatchObject({ status: 200, revoked: true });
    expect(withStatus(await redeem(grant, userToken(world)))).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_invalid",
    });
    expect(await revoke(grant, userToken(world))).toMatchObject({ status: 200, revoked: false });
  });

  test("its caller revokes it by the id that GET /grants shows", async () => {
    const grant = await applicationGrant();
    // Grants issued within one second are list in any order.
    const id = createHash("sha256").update(grant).digest("hex");
    expect((await list(appToken(world))).map((row) => row["id"])).toContain(id);
    expect(await revoke(id, appToken(world))).toMatchObject({ status: 200, revoked: true });
    expect(withStatus(await redeem(grant, appToken(world)))).toMatchObject({ code: "grant_invalid" });
  });

  test.each([
    ["another user", () => userToken(world, { user: "bob" })],
    ["the client itself", () => appToken(world)],
  ] as [string, () => string][])("%s cannot revoke it and does not learn whether it exists", async (_title, caller) => {
    const grant = await userGrant();
    const [grantOfAlice] = await list(userToken(world));
    const nothing = { status: 200, revoked: false };
    expect(await revoke(grant, caller())).toEqual(nothing);
    expect(await revoke(String(grantOfAlice?.["id"]), caller())).toEqual(nothing);
    expect(await revoke(`gte_${"A".repeat(43)}`, caller())).toEqual(nothing);
    expect(await revoke("0".repeat(64), caller())).toEqual(nothing);
    expect((await redeem(grant, userToken(world))).status).toBe(200);
  });

  test("a revocation during a redemption prevents the release of the token", async () => {
    const { state } = world.tenant;
    const grant = await userGrant();
    const order = state.order({ endpoint: "token", grantType: "refresh_token", hold: true });
    const redeeming = redeem(grant, userToken(world));
    await state.orders.hit(order);
    expect(await revoke(grant, userToken(world), service.another())).toMatchObject({ revoked: true });
    state.releaseOrder({ id: order });
    expect(withStatus(await redeeming)).toMatchObject({ status: 400, code: "grant_invalid" });
    expect(await list(userToken(world)).then((grants) => grants.length)).toBe(
      await list(userToken(world), service.another()).then((grants) => grants.length),
    );
  });

  test("after Entra revoked the user's sessions (50173) the user must sign in again", async () => {
    const grant = await handleOf(requestGrant(userToken(world, { user: "bob" })));
    world.tenant.state.revokeSessions({ user: "bob" });
    const caller = userToken(world, { user: "bob" });
    const answer = await redeem(grant, caller);
    expect(withStatus(answer)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_dead",
      action: "sign_in",
      error_codes: [50173],
      suberror: "bad_token",
    });
    const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(caller), json: { grant } });
    expect(withStatus(header)).toMatchObject({ status: 403, error: "invalid_grant", action: "sign_in" });
  });

  test("Entra ends it after 90 days without use (700082), also if policy allows more", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { grantMaxDays: 120 } }) };
    const long = world.serve({ settings });
    const grant = await userGrant(long);
    clock.advance(91 * DAY);
    expect(withStatus(await redeem(grant, userToken(world), {}, long))).toMatchObject({
      code: "grant_dead",
      error_codes: [700082],
    });
  });
});

describe("GET /grants", () => {
  test("lists a user's grants for this client and those of applications on the user's behalf, an application's own grants, and never a handle", async () => {
    const handles = [await userGrant(), await applicationGrant()];
    const ofAlice = await list(userToken(world));
    const ofApplication = await list(appToken(world));
    expect(new Set(ofAlice.map(({ kind, clientId, userObjectId }) => `${kind} ${clientId} ${userObjectId}`))).toEqual(
      new Set([`user ${CLIENT_IDS.web} ${USER_IDS.alice}`, `application ${CLIENT_IDS.web} ${USER_IDS.alice}`]),
    );
    expect(new Set(ofApplication.map(({ kind, clientId }) => `${kind} ${clientId}`))).toEqual(
      new Set([`application ${CLIENT_IDS.web}`]),
    );
    const own = ofAlice.filter(({ kind }) => kind === "user");
    const members = new Set(own.flatMap((grant) => Object.keys(grant)).filter((name) => !name.startsWith("last")));
    expect([...members].sort()).toEqual(
      ["apis", "clientId", "createdOn", "expiresOn", "id", "kind", "requestedBy", "userObjectId"].sort(),
    );
    expect(await list(appToken(world, { client: "daemon" }))).toEqual([]);
    const elsewhere = await list(userToken(world, { client: "public" }));
    expect(new Set(elsewhere.map(({ kind, application }) => `${kind}: ${application}`))).toEqual(
      new Set(["application: The web application's backend"]),
    );
    for (const handle of handles) {
      expect(JSON.stringify([ofAlice, ofApplication])).not.toContain(handle.slice(4));
    }
  });

  test("returns pages of fifty, and refuses an invalid pagination cursor", async () => {
    const owner = () => userToken(world, { client: "cli" });
    const settings = {
      POLICY: policyWithEntries({ "cli-users": { limits: { bypassPerMinute: 1_000 } } }),
      GRANT_TABLE_NAME: newTableName(),
    };
    const at = world.serve({ settings });
    const token = owner();
    for (let count = 0; count < 51; count++) {
      await handleOf(requestGrant(token, {}, at));
    }
    const first = await at.call("/grants", { headers: bearer(owner()) });
    expect(first.json()["grants"]).toHaveLength(50);
    const next = String(first.json()["next"]);
    const second = await at.call(`/grants?after=${encodeURIComponent(next)}`, { headers: bearer(owner()) });
    expect(second.json()["grants"]).toHaveLength(1);
    expect(second.json()).not.toHaveProperty("next");
    for (const after of ["x", `${next}' or RowKey gt '`, "../../etc"]) {
      const bad = await at.call(`/grants?after=${encodeURIComponent(after)}`, { headers: bearer(owner()) });
      expect(withStatus(bad)).toMatchObject({ status: 400, code: "parameter_invalid" });
    }
  });
});

describe("an application's grant on a user's behalf", () => {
  const findGrant = async (grant: string, caller: string) =>
    (await list(caller)).find(({ id }) => id === createHash("sha256").update(grant).digest("hex"));

  test("the user finds it with any client of the policy, with the application's name", async () => {
    const grant = await applicationGrant();
    for (const client of ["web", "public", "cli"]) {
      expect(await findGrant(grant, userToken(world, { client }))).toMatchObject({
        kind: "application",
        clientId: CLIENT_IDS.web,
        application: "The web application's backend",
        userObjectId: USER_IDS.alice,
      });
    }
  });

  test.each([
    ["another user", () => userToken(world, { user: "bob" })],
    ["the user with a client that is not in the policy", () => userToken(world, { client: "stranger" })],
    ["another application", () => appToken(world, { client: "daemon" })],
  ] as [string, () => string][])("%s cannot find or revoke it", async (_title, caller) => {
    const grant = await applicationGrant();
    const id = createHash("sha256").update(grant).digest("hex");
    expect(await findGrant(grant, caller())).toBeUndefined();
    for (const token of [grant, id]) {
      expect(await revoke(token, caller())).toEqual({ status: 200, revoked: false });
    }
    expect((await redeem(grant, appToken(world))).status).toBe(200);
  });

  test.each([
    ["id", (grant: string) => createHash("sha256").update(grant).digest("hex")],
    ["handle", (grant: string) => grant],
  ])("the user revokes it by %s, and the application gets no more tokens", async (_title, nameOf) => {
    const grant = await applicationGrant();
    const alice = userToken(world, { client: "public" });
    expect(await revoke(nameOf(grant), alice)).toMatchObject({ status: 200, revoked: true });
    expect(withStatus(await redeem(grant, appToken(world)))).toMatchObject({ status: 400, code: "grant_invalid" });
    expect(await findGrant(grant, alice)).toBeUndefined();
    expect(await findGrant(grant, appToken(world))).toBeUndefined();
  });

  test("the user cannot redeem it", async () => {
    const grant = await applicationGrant();
    const refused = withStatus(await redeem(grant, userToken(world)));
    expect(refused).toMatchObject({ status: 400, error: "invalid_grant", code: "grant_invalid" });
    expect(refreshTokensSent()).toEqual([]);
  });
});

describe("importing a refresh token of Entra", () => {
  const POLICY = policyWithEntries({
    "web-users": { importRefreshTokens: true },
    daemon: { importRefreshTokens: true },
  });
  const entraToken = (user: keyof typeof USER_IDS) =>
    sealRefreshToken(world.tenant.state, {
      userOid: USER_IDS[user],
      clientId: CLIENT_IDS.service,
      issuedAtMs: Date.now(),
      scope: "https://graph.microsoft.com/User.Read",
      satisfied: [],
    });

  test("is refused unless policy allows it", async () => {
    const answer = await redeem(entraToken("alice"), userToken(world), { audience: "graph" });
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "unauthorized_client", code: "import_not_allowed" });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("a user imports a refresh token of that user and gets a grant", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const raw = entraToken("alice");
    const answer = await redeem(raw, userToken(world), { audience: "graph" }, importing);
    const grant = String(answer.json()["refresh_token"]);
    expect(grant).toMatch(HANDLE);
    expect(answer.text).not.toContain(raw);
    expect((await redeem(grant, userToken(world), {}, importing)).status).toBe(200);
    expect(refreshTokensSent()[0]).toBe(raw);
    expect(refreshTokensSent()[1]).not.toBe(raw);
  });

  test("a user cannot import another user's refresh token, and no grant is stored", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const before = await list(userToken(world), importing);
    const answer = await redeem(entraToken("bob"), userToken(world), { audience: "graph" }, importing);
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect(answer.text).not.toContain("access_token");
    expect(await list(userToken(world), importing)).toEqual(before);
  });

  test("an application imports any user's refresh token into a grant that only it can redeem", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const daemon = () => appToken(world, { client: "daemon" });
    const answer = await redeem(entraToken("bob"), daemon(), { audience: "graph" }, importing);
    const grant = String(answer.json()["refresh_token"]);
    expect(importing.lastEvent()).toMatchObject({ grantMade: true, subjectObjectId: USER_IDS.bob });
    expect((await redeem(grant, daemon(), {}, importing)).status).toBe(200);
    expect(withStatus(await redeem(grant, appToken(world), {}, importing))).toMatchObject({ code: "grant_invalid" });
  });

  test("a value that is not a refresh token is refused with Entra's error code", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const answer = await redeem("rubbish", userToken(world), { audience: "graph" }, importing);
    expect(withStatus(answer)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_dead",
      error_codes: [9002313],
    });
  });
});

test("a redemption that Entra answers for another user is refused, and the grant remains usable", async () => {
  const grant = await userGrant();
  const client_info = Buffer.from(JSON.stringify({ uid: USER_IDS.bob, utid: world.tenant.state.tenantId })).toString(
    "base64url",
  );
  const body = {
    access_token: "bobs",
    token_type: "Bearer",
    expires_in: 3_600,
    scope: "User.Read",
    refresh_token: "1.bobs",
    client_info,
  };
  const { tenantId } = world.tenant.state;
  const claims = { tid: tenantId, oid: USER_IDS.bob, iss: world.tenant.url, acct: 0 };
  // A complete answer, so that only the user can be wrong.
  const id_token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const answers = [{ ...body, id_token }, body, { ...body, client_info: undefined }, { ...body, client_info: "e30" }];
  for (const wrong of answers) {
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", status: 200, body: wrong });
    const answer = await redeem(grant, userToken(world));
    expect(withStatus(answer)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect(answer.text).not.toContain("bobs");
  }
  expect((await redeem(grant, userToken(world))).status).toBe(200);
  expect(refreshTokensSent().at(-1)).toBe(refreshTokensSent()[0]);
});

describe("without the grant table", () => {
  test("every route that needs it answers 503, and exchanges still work", async () => {
    const grant = await userGrant();
    const cut = world.serve({ settings: { GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1" } });
    const down = { status: 503, code: "grant_store_unavailable", action: "retry" };
    expect(withStatus(await redeem(grant, userToken(world), {}, cut))).toMatchObject(down);
    expect(withStatus(await cut.call("/grants", { headers: bearer(userToken(world)) }))).toMatchObject(down);
    expect(await revoke(grant, userToken(world), cut)).toMatchObject(down);
    const refused = await requestGrant(userToken(world), {}, cut);
    expect(withStatus(refused)).toMatchObject(down);
    expect(refused.text).not.toContain("access_token");
    expect((await cut.call("/oauth2/token", { form: exchangeForm(userToken(world)) })).status).toBe(200);
  });

  test("a service without a grant store refuses every handle and lists no grants", async () => {
    const policy = policyWith(({ callers }) => {
      for (const entry of callers) {
        Object.assign(entry, { offlineAccess: false, unattended: false });
      }
    });
    const without = world.serve({ settings: { POLICY: policy, GRANT_STORE_URL: undefined } });
    expect(withStatus(await redeem(`gte_${"A".repeat(43)}`, userToken(world), {}, without))).toMatchObject({
      status: 400,
      code: "grant_invalid",
    });
    expect(await list(userToken(world), without)).toEqual([]);
    expect(await revoke(`gte_${"A".repeat(43)}`, userToken(world), without)).toMatchObject({
      status: 200,
      revoked: false,
    });
  });
});

async function list(caller: string, at = service): Promise<Record<string, unknown>[]> {
  const answer = await at.call("/grants", { headers: bearer(caller) });
  expect(answer.status).toBe(200);
  return answer.json()["grants"] as Record<string, unknown>[];
}

async function revoke(token: string, caller: string, at = service): Promise<Record<string, unknown>> {
  return withStatus(await at.call("/oauth2/revoke", { form: { token }, headers: bearer(caller) }));
}

/** Every row of the grant table. */
function rows(): Promise<Record<string, unknown>[]> {
  return readTable(world);
}

/** The ids of the sealing keys of these rows. */
function sealedWith(all: readonly Record<string, unknown>[]): Set<string> {
  const headers = all.flatMap(({ sealed }) => (typeof sealed === "string" ? [sealed.split(".")[0] ?? ""] : []));
  return new Set(headers.map((header) => String(JSON.parse(Buffer.from(header, "base64url").toString("utf8"))["kid"])));
}
