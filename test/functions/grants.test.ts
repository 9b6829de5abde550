/**
 * Grants, whole path: made only when asked and allowed, redeemed only by whom they are bound to, kept through rotations,
 * ended by time, by revocation and by Entra.
 */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sealRefreshToken } from "../../local/tenant/oauth/refresh-token.ts";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { Answer } from "../support/service-under-test.ts";
import { readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service } = useWorld({ newServiceForEachTest: true });

const HANDLE = /^gte_[A-Za-z0-9_-]{43}$/;

/** A grant, and what the answer said of it. */
async function makeGrant(subject: string, headers: Record<string, string> = {}, at = service): Promise<Answer> {
  const form = exchangeForm(subject, { scope: "User.Read Mail.Read offline_access" });
  return at.call("/oauth2/token", { form, headers });
}

async function handleOf(making: Promise<Answer>): Promise<string> {
  const handle = String((await making).json()["refresh_token"]);
  expect(handle).toMatch(HANDLE);
  return handle;
}

const userGrant = (at = service) => handleOf(makeGrant(userToken(world), {}, at));
const applicationGrant = (at = service) => handleOf(makeGrant(userToken(world), bearer(appToken(world)), at));

function redeem(grant: string, caller: string, more: Record<string, string> = {}, at = service): Promise<Answer> {
  const form = { grant_type: "refresh_token", refresh_token: grant, ...more };
  return at.call("/oauth2/token", { form, headers: bearer(caller) });
}

/** What Entra was sent and what it returned, newest last. */
const refreshTokensSent = () =>
  world.tenant.state
    .requests({ endpoint: "token", grantType: "refresh_token" })
    .map(({ form }) => form?.["refresh_token"]);

const told = (answer: Answer) => {
  const { correlation_id: _its, ...body } = answer.json();
  return { status: answer.status, ...body };
};

describe("made", () => {
  test("only when asked: an exchange without offline_access keeps nothing", async () => {
    const before = await listed(userToken(world));
    await service.call("/oauth2/token", { form: exchangeForm(userToken(world)) });
    await service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) });
    expect(await listed(userToken(world))).toEqual(before);
  });

  test("by the header route too, shown once", async () => {
    const token = userToken(world);
    const json = { scopes: ["User.Read", "offline_access"] };
    const made = await service.call("/AuthorizationHeader/graph", { headers: bearer(token), json });
    expect(made.json()).toMatchObject({
      grant: expect.stringMatching(HANDLE),
      grantExpiresOn: expect.stringMatching(/Z$/),
    });
    expect((await redeem(String(made.json()["grant"]), token)).status).toBe(200);
  });

  test("the end is grantMaxDays from now", async () => {
    const made = await makeGrant(userToken(world));
    const days = (Date.parse(String(made.json()["grant_expires_on"])) - Date.now()) / DAY;
    expect(days).toBeGreaterThan(29.99);
    expect(days).toBeLessThan(30.01);
  });

  test("every grant has a handle of its own", async () => {
    const token = userToken(world);
    const [one, two] = [await handleOf(makeGrant(token)), await handleOf(makeGrant(token))];
    expect(one).not.toBe(two);
  });

  test("Entra gave no refresh token: no grant, and no token either", async () => {
    const order = { access_token: "opaque", token_type: "Bearer", expires_in: 3_600, scope: "User.Read Mail.Read" };
    const client_info = Buffer.from(
      JSON.stringify({ uid: USER_IDS.alice, utid: world.tenant.state.tenantId }),
    ).toString("base64url");
    world.tenant.state.order({ endpoint: "token", client: "service", status: 200, body: { ...order, client_info } });
    const answer = await makeGrant(userToken(world));
    expect(told(answer)).toMatchObject({ status: 502, code: "entra_answer_invalid" });
    expect(answer.text).not.toContain("opaque");
  });
});

describe("redeemed", () => {
  test("by its user with a later token: a new Graph token, the same handle for ever", async () => {
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

  test("by the header route", async () => {
    const grant = await userGrant();
    const headers = bearer(userToken(world));
    const answer = await service.call("/AuthorizationHeader/graph", { headers, json: { grant } });
    expect(answer.json()).toMatchObject({ tokenType: "Bearer", grantExpiresOn: expect.any(String) });
    expect(answer.json()).not.toHaveProperty("grant");
  });

  test("by its application, with nobody there", async () => {
    const grant = await applicationGrant();
    clock.advance(2 * 60 * MINUTE);
    const answer = await redeem(grant, appToken(world));
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({
      oid: USER_IDS.alice,
      appid: CLIENT_IDS.service,
    });
    expect(service.lastEvent()).toMatchObject({ callerKind: "application", subjectObjectId: USER_IDS.alice });
  });

  test("from the cache while the token lives; policy and grant are checked each time", async () => {
    const grant = await userGrant();
    const first = await redeem(grant, userToken(world));
    const second = await redeem(grant, userToken(world));
    expect(second.json()["access_token"]).toBe(first.json()["access_token"]);
    expect(service.lastEvent()["cache"]).toBe("hit");
    expect(refreshTokensSent()).toHaveLength(1);
  });

  test("for a longer life than the kept token has left, as far as Entra gives one and is there", async () => {
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
    // Longer than any token of Entra's: what it gave a moment ago is the best there is.
    expect(await headerOf(86_400)).toBe(second);
    expect(refreshTokensSent()).toHaveLength(2);

    clock.advance(2 * MINUTE);
    world.tenant.state.order({ endpoint: "token", status: 503, body: "" });
    expect(await headerOf(86_400)).toBe(second);
    expect(service.lastEvent()).toMatchObject({ outcome: "issued", warning: "entra_unavailable" });
  });

  test("for less than was granted, never for more", async () => {
    const grant = await userGrant();
    expect((await redeem(grant, userToken(world), { scope: "User.Read" })).status).toBe(200);
    const other = await redeem(grant, userToken(world), { audience: "orders" });
    expect(told(other)).toMatchObject({ status: 400, error: "invalid_target", code: "api_not_allowed" });

    const bob = () => userToken(world, { user: "bob" });
    world.tenant.state.withdrawConsent({ user: "bob", scopes: ["Mail.Read"] });
    const form = exchangeForm(bob(), { scope: "User.Read offline_access" });
    const narrow = await handleOf(service.call("/oauth2/token", { form }));
    expect((await redeem(narrow, bob())).status).toBe(200);
    world.tenant.state.addConsent({ user: "bob", scopes: ["Mail.Read"] });
    const more = await redeem(narrow, bob(), { scope: "User.Read Mail.Read" });
    expect(told(more)).toMatchObject({ status: 400, error: "invalid_scope", code: "scope_not_allowed" });
  });

  test("for what Entra gave when it was made: that is what it says, and what a redemption may give", async () => {
    const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
    const grant = await handleOf(service.call("/oauth2/token", { form }));
    const [newest] = await listed(userToken(world));
    expect(newest).toMatchObject({ apis: { graph: ["Mail.Read", "User.Read"] } });
    expect((await redeem(grant, userToken(world))).status).toBe(200);
  });
});

describe("bound", () => {
  const strangers: [title: string, caller: () => string][] = [
    ["another user of the same client", () => userToken(world, { user: "bob" })],
    ["the same user through another client", () => userToken(world, { client: "public" })],
    ["the client's own token, for a user's grant", () => appToken(world)],
    ["another application", () => appToken(world, { client: "daemon" })],
    ["a client that is in no policy", () => userToken(world, { client: "stranger" })],
  ];

  test.each(strangers)("a user's grant and %s: the same answer as for no grant at all", async (_title, caller) => {
    const grant = await userGrant();
    const refused = told(await redeem(grant, caller()));
    expect(refused).toMatchObject({ status: 400, error: "invalid_grant", code: "grant_invalid", action: "sign_in" });
    expect(told(await redeem(`gte_${"A".repeat(43)}`, caller()))).toEqual(refused);
    expect(told(await redeem("gte_short", caller()))).toEqual(refused);
    expect(refreshTokensSent()).toEqual([]);
    expect((await redeem(grant, userToken(world))).status).toBe(200);
  });

  test.each([
    ["its own user", () => userToken(world)],
    ["another application", () => appToken(world, { client: "daemon" })],
  ] as [string, () => string][])("an application's grant and %s", async (_title, caller) => {
    const grant = await applicationGrant();
    const refused = told(await redeem(grant, caller()));
    expect(refused).toEqual(told(await redeem(`gte_${"A".repeat(43)}`, caller())));
    const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(caller()), json: { grant } });
    expect(told(header)).toMatchObject({ status: 403, error: "invalid_grant", code: "grant_invalid" });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("a handle with another spelling of its last bits is no handle", async () => {
    const grant = await userGrant();
    const last = grant.at(-1) ?? "";
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const twin = grant.slice(0, -1) + alphabet[(alphabet.indexOf(last) ^ 1) % 64];
    for (const variant of [twin, ` ${grant}`, `${grant} `, grant.toUpperCase(), grant.replace("gte_", "GTE_")]) {
      const answer = await redeem(variant, userToken(world));
      expect(answer.status).toBe(400);
    }
    expect(refreshTokensSent()).toEqual([]);
  });

  test("an application that is not unattended any more does not redeem it", async () => {
    const settings = { POLICY: policyWithEntries({ "web-backend": { offlineAccess: false, unattended: false } }) };
    const attended = world.serve({ settings });
    const grant = await applicationGrant();
    const answer = await redeem(grant, appToken(world), {}, attended);
    expect(told(answer)).toMatchObject({ status: 400, error: "unauthorized_client", code: "unattended_not_allowed" });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("policy that changed since is what counts", async () => {
    const grant = await userGrant();
    const without = policyWithEntries({ "web-users": { flows: ["on-behalf-of"], offlineAccess: false } });
    const flowless = world.serve({ settings: { POLICY: without } });
    expect(told(await redeem(grant, userToken(world), {}, flowless))).toMatchObject({ code: "flow_not_allowed" });
    const removed = policyWith((policy) => {
      policy.callers = policy.callers.filter(({ name }) => name !== "web-users");
    });
    const strict = world.serve({ settings: { POLICY: removed } });
    expect(told(await redeem(grant, userToken(world), {}, strict))).toMatchObject({ code: "caller_not_listed" });
    const narrower = world.serve({
      settings: { POLICY: policyWithEntries({ "web-users": { apis: { orders: ["Orders.Read"] } } }) },
    });
    expect(told(await redeem(grant, userToken(world), {}, narrower))).toMatchObject({
      error: "invalid_target",
      code: "api_not_allowed",
    });
  });
});

describe("rotated", () => {
  test("two instances redeem at once: both are served, and a third uses a newer token than the first", async () => {
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

  test("every redemption uses what the last one brought", async () => {
    const grant = await userGrant();
    for (let round = 0; round < 4; round++) {
      expect((await redeem(grant, userToken(world), {}, service.another())).status).toBe(200);
    }
    expect(new Set(refreshTokensSent()).size).toBe(4);
  });

  test("twenty at once in one instance ask Entra once", async () => {
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

  test("twenty at once in an instance that has just started: one read of the sealing key, nobody refused", async () => {
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

  test("the sealing key is rotated: old grants open, new ones are sealed with the new key", async () => {
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

describe("ended", () => {
  test("by time, with an answer of its own", async () => {
    const grant = await userGrant();
    clock.advance(30 * DAY + MINUTE);
    const answer = await redeem(grant, userToken(world));
    expect(told(answer)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_expired",
      action: "sign_in",
    });
    expect(told(await redeem(grant, userToken(world, { user: "bob" })))).toMatchObject({ code: "grant_invalid" });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("a cached token does not outlive the grant", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { grantMaxDays: 1 } }) };
    const short = world.serve({ settings });
    const grant = await userGrant(short);
    clock.advance(DAY - 10 * MINUTE);
    expect((await redeem(grant, userToken(world), {}, short)).status).toBe(200);
    clock.advance(11 * MINUTE);
    expect(told(await redeem(grant, userToken(world), {}, short))).toMatchObject({ code: "grant_expired" });
  });

  test("by its owner, with the handle: at once, the cached token included", async () => {
    const grant = await userGrant();
    expect((await redeem(grant, userToken(world))).status).toBe(200);
    expect(await revoke(grant, userToken(world))).toMatchObject({ status: 200, revoked: true });
    expect(told(await redeem(grant, userToken(world)))).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_invalid",
    });
    expect(await revoke(grant, userToken(world))).toMatchObject({ status: 200, revoked: false });
  });

  test("by the id that the list shows", async () => {
    const grant = await applicationGrant();
    // Grants of one second have no order among them.
    const id = createHash("sha256").update(grant).digest("hex");
    expect((await listed(appToken(world))).map((row) => row["id"])).toContain(id);
    expect(await revoke(id, appToken(world))).toMatchObject({ status: 200, revoked: true });
    expect(told(await redeem(grant, appToken(world)))).toMatchObject({ code: "grant_invalid" });
  });

  test.each([
    ["another user", () => userToken(world, { user: "bob" })],
    ["the client itself", () => appToken(world)],
  ] as [string, () => string][])("not by %s, who learns nothing", async (_title, caller) => {
    const grant = await userGrant();
    const [mine] = await listed(userToken(world));
    const nothing = { status: 200, revoked: false };
    expect(await revoke(grant, caller())).toEqual(nothing);
    expect(await revoke(String(mine?.["id"]), caller())).toEqual(nothing);
    expect(await revoke("gte_nothing", caller())).toEqual(nothing);
    expect(await revoke("0".repeat(64), caller())).toEqual(nothing);
    expect((await redeem(grant, userToken(world))).status).toBe(200);
  });

  test("revoked while it is redeemed: no token", async () => {
    const { state } = world.tenant;
    const grant = await userGrant();
    const order = state.order({ endpoint: "token", grantType: "refresh_token", hold: true });
    const redeeming = redeem(grant, userToken(world));
    await state.orders.hit(order);
    expect(await revoke(grant, userToken(world), service.another())).toMatchObject({ revoked: true });
    state.releaseOrder({ id: order });
    expect(told(await redeeming)).toMatchObject({ status: 400, code: "grant_invalid" });
    expect(await listed(userToken(world)).then((grants) => grants.length)).toBe(
      await listed(userToken(world), service.another()).then((grants) => grants.length),
    );
  });

  test("by Entra: sessions revoked (50173) is a dead grant, for the user to sign in again", async () => {
    const grant = await handleOf(makeGrant(userToken(world, { user: "bob" })));
    world.tenant.state.revokeSessions({ user: "bob" });
    const caller = userToken(world, { user: "bob" });
    const answer = await redeem(grant, caller);
    expect(told(answer)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_dead",
      action: "sign_in",
      error_codes: [50173],
      suberror: "bad_token",
    });
    const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(caller), json: { grant } });
    expect(told(header)).toMatchObject({ status: 403, error: "invalid_grant", action: "sign_in" });
  });

  test("after 90 days without use at Entra (700082), though we would keep it longer", async () => {
    const settings = { POLICY: policyWithEntries({ "web-users": { grantMaxDays: 120 } }) };
    const long = world.serve({ settings });
    const grant = await userGrant(long);
    clock.advance(91 * DAY);
    expect(told(await redeem(grant, userToken(world), {}, long))).toMatchObject({
      code: "grant_dead",
      error_codes: [700082],
    });
  });
});

describe("listed", () => {
  test("a user sees its own through this client and what applications have in its name, an application its own; nobody a handle", async () => {
    const handles = [await userGrant(), await applicationGrant()];
    const mine = await listed(userToken(world));
    const its = await listed(appToken(world));
    expect(new Set(mine.map(({ kind, clientId, userObjectId }) => `${kind} ${clientId} ${userObjectId}`))).toEqual(
      new Set([`user ${CLIENT_IDS.web} ${USER_IDS.alice}`, `application ${CLIENT_IDS.web} ${USER_IDS.alice}`]),
    );
    expect(new Set(its.map(({ kind, clientId }) => `${kind} ${clientId}`))).toEqual(
      new Set([`application ${CLIENT_IDS.web}`]),
    );
    const own = mine.filter(({ kind }) => kind === "user");
    const members = new Set(own.flatMap((grant) => Object.keys(grant)).filter((name) => name !== "lastRedeemedOn"));
    expect([...members].sort()).toEqual(
      ["apis", "clientId", "createdOn", "expiresOn", "id", "kind", "userObjectId"].sort(),
    );
    expect(await listed(appToken(world, { client: "daemon" }))).toEqual([]);
    const elsewhere = await listed(userToken(world, { client: "public" }));
    expect(new Set(elsewhere.map(({ kind, application }) => `${kind}: ${application}`))).toEqual(
      new Set(["application: The web application's backend"]),
    );
    for (const handle of handles) {
      expect(JSON.stringify([mine, its])).not.toContain(handle.slice(4));
    }
  });

  test("newest first, page by page; a page mark that is none is refused", async () => {
    const owner = () => userToken(world, { client: "cli" });
    const settings = {
      POLICY: policyWithEntries({ "cli-users": { limits: { bypassPerMinute: 1_000 } } }),
      GRANT_TABLE_NAME: "pages",
    };
    const roomy = world.serve({ settings });
    const token = owner();
    for (let made = 0; made < 51; made++) {
      await handleOf(makeGrant(token, {}, roomy));
    }
    const first = await roomy.call("/grants", { headers: bearer(owner()) });
    expect(first.json()["grants"]).toHaveLength(50);
    const next = String(first.json()["next"]);
    const second = await roomy.call(`/grants?after=${encodeURIComponent(next)}`, { headers: bearer(owner()) });
    expect(second.json()["grants"]).toHaveLength(1);
    expect(second.json()).not.toHaveProperty("next");
    for (const after of ["x", `${next}' or RowKey gt '`, "../../etc"]) {
      const bad = await roomy.call(`/grants?after=${encodeURIComponent(after)}`, { headers: bearer(owner()) });
      expect(told(bad)).toMatchObject({ status: 400, code: "parameter_invalid" });
    }
  });
});

describe("an application's grant in a person's name", () => {
  const ofAlice = async (grant: string, caller: string) =>
    (await listed(caller)).find(({ id }) => id === createHash("sha256").update(grant).digest("hex"));

  test("the person finds it through any client of the policy, with the application's name", async () => {
    const grant = await applicationGrant();
    for (const client of ["web", "public", "cli"]) {
      expect(await ofAlice(grant, userToken(world, { client }))).toMatchObject({
        kind: "application",
        clientId: CLIENT_IDS.web,
        application: "The web application's backend",
        userObjectId: USER_IDS.alice,
      });
    }
  });

  test.each([
    ["somebody else", () => userToken(world, { user: "bob" })],
    ["the person through a client that is in no policy", () => userToken(world, { client: "stranger" })],
    ["another application", () => appToken(world, { client: "daemon" })],
  ] as [string, () => string][])("%s neither sees nor ends it", async (_title, caller) => {
    const grant = await applicationGrant();
    const id = createHash("sha256").update(grant).digest("hex");
    expect(await ofAlice(grant, caller())).toBeUndefined();
    for (const token of [grant, id]) {
      expect(await revoke(token, caller())).toEqual({ status: 200, revoked: false });
    }
    expect((await redeem(grant, appToken(world))).status).toBe(200);
  });

  test.each([
    ["by the id that the list shows", (grant: string) => createHash("sha256").update(grant).digest("hex")],
    ["by handle", (grant: string) => grant],
  ])("the person ends it %s; the application gets nothing more", async (_title, nameOf) => {
    const grant = await applicationGrant();
    const alice = userToken(world, { client: "public" });
    expect(await revoke(nameOf(grant), alice)).toMatchObject({ status: 200, revoked: true });
    expect(told(await redeem(grant, appToken(world)))).toMatchObject({ status: 400, code: "grant_invalid" });
    expect(await ofAlice(grant, alice)).toBeUndefined();
    expect(await ofAlice(grant, appToken(world))).toBeUndefined();
  });

  test("the person never redeems it", async () => {
    const grant = await applicationGrant();
    const refused = told(await redeem(grant, userToken(world)));
    expect(refused).toMatchObject({ status: 400, error: "invalid_grant", code: "grant_invalid" });
    expect(refreshTokensSent()).toEqual([]);
  });
});

describe("imported", () => {
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

  test("only where policy says so", async () => {
    const answer = await redeem(entraToken("alice"), userToken(world), { audience: "graph" });
    expect(told(answer)).toMatchObject({ status: 400, error: "unauthorized_client", code: "import_not_allowed" });
    expect(refreshTokensSent()).toEqual([]);
  });

  test("a user's own becomes a grant", async () => {
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

  test("somebody else's is refused to a user, and nothing is kept", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const before = await listed(userToken(world), importing);
    const answer = await redeem(entraToken("bob"), userToken(world), { audience: "graph" }, importing);
    expect(told(answer)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect(answer.text).not.toContain("access_token");
    expect(await listed(userToken(world), importing)).toEqual(before);
  });

  test("an application imports any user's, bound to itself", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const daemon = () => appToken(world, { client: "daemon" });
    const answer = await redeem(entraToken("bob"), daemon(), { audience: "graph" }, importing);
    const grant = String(answer.json()["refresh_token"]);
    expect(importing.lastEvent()).toMatchObject({ grantMade: true, subjectObjectId: USER_IDS.bob });
    expect((await redeem(grant, daemon(), {}, importing)).status).toBe(200);
    expect(told(await redeem(grant, appToken(world), {}, importing))).toMatchObject({ code: "grant_invalid" });
  });

  test("rubbish is Entra's to refuse", async () => {
    const importing = world.serve({ settings: { POLICY } });
    const answer = await redeem("rubbish", userToken(world), { audience: "graph" }, importing);
    expect(told(answer)).toMatchObject({
      status: 400,
      error: "invalid_grant",
      code: "grant_dead",
      error_codes: [9002313],
    });
  });
});

test("an answer about another user is not released, and the grant stays what it was", async () => {
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
  for (const wrong of [body, { ...body, client_info: undefined }, { ...body, client_info: "e30" }]) {
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", status: 200, body: wrong });
    const answer = await redeem(grant, userToken(world));
    expect(told(answer)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect(answer.text).not.toContain("bobs");
  }
  expect((await redeem(grant, userToken(world))).status).toBe(200);
  expect(refreshTokensSent().at(-1)).toBe(refreshTokensSent()[0]);
});

describe("the table service is down", () => {
  test("503 on every route that needs it; exchanges go on", async () => {
    const grant = await userGrant();
    const cut = world.serve({ settings: { GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1" } });
    const down = { status: 503, code: "grant_store_unavailable", action: "retry" };
    expect(told(await redeem(grant, userToken(world), {}, cut))).toMatchObject(down);
    expect(told(await cut.call("/grants", { headers: bearer(userToken(world)) }))).toMatchObject(down);
    expect(await revoke(grant, userToken(world), cut)).toMatchObject(down);
    const making = await makeGrant(userToken(world), {}, cut);
    expect(told(making)).toMatchObject(down);
    expect(making.text).not.toContain("access_token");
    expect((await cut.call("/oauth2/token", { form: exchangeForm(userToken(world)) })).status).toBe(200);
  });

  test("no grant store at all: nothing opens, nothing is listed", async () => {
    const policy = policyWith(({ callers }) => {
      for (const entry of callers) {
        Object.assign(entry, { offlineAccess: false, unattended: false });
      }
    });
    const without = world.serve({ settings: { POLICY: policy, GRANT_STORE_URL: undefined } });
    expect(told(await redeem(`gte_${"A".repeat(43)}`, userToken(world), {}, without))).toMatchObject({
      status: 400,
      code: "grant_invalid",
    });
    expect(await listed(userToken(world), without)).toEqual([]);
    expect(await revoke("gte_x", userToken(world), without)).toMatchObject({ status: 200, revoked: false });
  });
});

async function listed(caller: string, at = service): Promise<Record<string, unknown>[]> {
  const answer = await at.call("/grants", { headers: bearer(caller) });
  expect(answer.status).toBe(200);
  return answer.json()["grants"] as Record<string, unknown>[];
}

async function revoke(token: string, caller: string, at = service): Promise<Record<string, unknown>> {
  return told(await at.call("/oauth2/revoke", { form: { token }, headers: bearer(caller) }));
}

/** Every row of the grant table. */
function rows(): Promise<Record<string, unknown>[]> {
  return readTable(world.tables.url, "grants");
}

/** Ids of the keys that the rows are sealed with. */
function sealedWith(all: readonly Record<string, unknown>[]): Set<string> {
  const headers = all.flatMap(({ sealed }) => (typeof sealed === "string" ? [sealed.split(".")[0] ?? ""] : []));
  return new Set(headers.map((header) => String(JSON.parse(Buffer.from(header, "base64url").toString("utf8"))["kid"])));
}
