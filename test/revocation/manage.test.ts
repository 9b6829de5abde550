/**
 * An administrator revokes, over HTTP: by each kind of target, on this instance and on others, for grants and for cached
 * tokens; and lists grants by the same kinds.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const SECOND = 1_000;
/** The promise: a revocation is in effect on every instance after this time. */
const EFFECTIVE = 30 * SECOND;
/** A revocation reaches this far into the future, because clocks differ. */
const MARGIN = 6 * SECOND;
const REASON = "left the company";

const { world, clock, service, restart } = useWorld();
let settings: Record<string, string>;
/** Marks stay in the table, so each test has its own. */
beforeEach(() => {
  settings = { GRANT_TABLE_NAME: newTableName() };
  restart({ settings });
});
const another = () => service.another({ settings });

const administrator = () => bearer(userToken(world, { user: "erin" }));
const web = () => bearer(appToken(world));

const revoke = (target: object, more: object = {}, at: ServiceUnderTest = service): Promise<Answer> =>
  at.call("/manage/revocations", {
    headers: administrator(),
    json: { ...target, reason: REASON, dryRun: false, ...more },
  });

const list = (query = "", at: ServiceUnderTest = service) =>
  at.call(`/manage/grants${query}`, { headers: administrator() });

/** A grant of the backend for a person, from the person's own token. */
async function issue(user = "alice", at: ServiceUnderTest = service): Promise<string> {
  const form = exchangeForm(userToken(world, { user }), { scope: "User.Read Mail.Read offline_access" });
  const answer = await at.call("/oauth2/token", { form, headers: web() });
  expect(answer.status).toBe(200);
  return String(answer.json()["refresh_token"]);
}

const redeem = (handle: string, at: ServiceUnderTest = service) =>
  at.call("/oauth2/token", { form: { grant_type: "refresh_token", refresh_token: handle }, headers: web() });

/** On-behalf-of with the same user token, so that the second answer comes from the cache. */
const exchange = (token: string, at: ServiceUnderTest = service) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(token) });

async function grantIdOf(handle: string): Promise<string> {
  await redeem(handle);
  return String(service.lastEvent()["grantId"]);
}

const TARGETS: readonly [string, (handle: string) => object | Promise<object>][] = [
  ["person", () => ({ person: USER_IDS.alice })],
  ["person in upper case", () => ({ person: USER_IDS.alice.toUpperCase() })],
  ["caller", () => ({ caller: CLIENT_IDS.web })],
  ["entry", () => ({ entry: "web-backend" })],
  ["api", () => ({ api: "graph" })],
  ["grant", async (handle) => ({ grant: await grantIdOf(handle) })],
  ["everything", () => ({ everything: true })],
];

describe("POST /manage/revocations", () => {
  test.each(TARGETS)("by %s refuses the grant on this instance at once", async (_kind, target) => {
    const handle = await issue();
    expect((await redeem(handle)).status).toBe(200);
    const revoked = await revoke(await target(handle));
    expect(revoked.status).toBe(200);
    expect(revoked.json()).toMatchObject({ dryRun: false, more: false, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    const refused = await redeem(handle);
    expect(refused.status).toBe(400);
    expect(refused.json()).toMatchObject({ error: "invalid_grant", code: "grant_revoked", action: "sign_in" });
    expect(refused.json()).not.toHaveProperty("signin_url");
  });

  test.each(TARGETS)("by %s refuses the grant on another instance within 30 seconds", async (_kind, target) => {
    const handle = await issue();
    const other = another();
    expect((await redeem(handle, other)).status).toBe(200);
    await revoke(await target(handle));
    clock.advance(EFFECTIVE);
    expect((await redeem(handle, other)).json()).toMatchObject({ code: "grant_revoked" });
  });

  test.each<[string, object]>([
    ["person", { person: USER_IDS.alice }],
    ["caller", { caller: CLIENT_IDS.web }],
    ["entry", { entry: "web-users" }],
    ["api", { api: "graph" }],
    ["everything", { everything: true }],
  ])("by %s makes every instance ask Entra again instead of its cache", async (_kind, target) => {
    const token = userToken(world);
    const other = another();
    const first = [await exchange(token), await exchange(token, other)];
    expect((await exchange(token)).json()["authorizationHeader"]).toBe(first[0]?.json()["authorizationHeader"]);
    await revoke(target);
    const here = await exchange(token);
    expect(here.status).toBe(200);
    expect(service.lastEvent()["cache"]).toBe("miss");
    clock.advance(EFFECTIVE);
    await exchange(token, other);
    expect(other.lastEvent()["cache"]).toBe("miss");
    clock.advance(MARGIN);
    await exchange(token, other);
    await exchange(token, other);
    expect(other.lastEvent()["cache"]).toBe("hit");
  });

  test("leaves grants and cached tokens of others", async () => {
    const [alices, bobs] = [await issue("alice"), await issue("bob")];
    const token = userToken(world, { user: "bob" });
    await exchange(token);
    const answer = await revoke({ person: USER_IDS.alice });
    expect(answer.json()).toMatchObject({ grants: 1 });
    expect((await redeem(bobs)).status).toBe(200);
    expect((await redeem(alices)).status).toBe(400);
    await exchange(token);
    expect(service.lastEvent()["cache"]).toBe("hit");
  });

  test("does not concern a grant that the person allows afterwards", async () => {
    await issue();
    await revoke({ person: USER_IDS.alice });
    clock.advance(MARGIN);
    const handle = await issue();
    const answer = await redeem(handle);
    expect(claimsOf(String(answer.json()["access_token"]))).toMatchObject({ oid: USER_IDS.alice });
  });

  test("is still in effect after a restart", async () => {
    const handle = await issue();
    await revoke({ everything: true });
    clock.advance(60 * MINUTE);
    expect((await redeem(handle, another())).json()).toMatchObject({ code: "grant_revoked" });
  });

  test("with dryRun counts and ends nothing", async () => {
    const handle = await issue();
    const answer = await revoke({ person: USER_IDS.alice }, { dryRun: true });
    expect(answer.json()).toEqual({ dryRun: true, person: USER_IDS.alice, grants: 1, more: false });
    expect((await redeem(handle)).status).toBe(200);
    expect(service.events().at(-2)).toMatchObject({ route: "manage-revocations", revocationDryRun: true });
    expect(service.events().at(-2)).not.toHaveProperty("revocationId");
  });

  test("is audited with the administrator, the target and the id, and without the reason", async () => {
    const answer = await revoke({ caller: CLIENT_IDS.web });
    expect(service.lastEvent()).toMatchObject({
      route: "manage-revocations",
      outcome: "answered",
      callerObjectId: USER_IDS.erin,
      revocationKind: "caller",
      revocationKey: CLIENT_IDS.web,
      revocationDryRun: false,
      revocationId: answer.json()["id"],
      revocationGrants: answer.json()["grants"],
    });
    expect(service.logs.join("\n")).not.toContain(REASON);
  });

  test("says when it is in effect everywhere", async () => {
    const answer = await revoke({ entry: "daemon" });
    const seconds = (Date.parse(String(answer.json()["effectiveOn"])) - clock.nowMs()) / SECOND;
    expect(seconds).toBeGreaterThan(28);
    expect(seconds).toBeLessThanOrEqual(30);
  });

  test("twice is two revocations, and the newer one replaces the older", async () => {
    const target = { entry: "reports" };
    const first = await revoke(target);
    clock.advance(MARGIN);
    const second = await revoke(target, { reason: "again" });
    const answer = await service.call("/manage/revocations", { headers: administrator() });
    const listed = answer.json()["revocations"] as Record<string, unknown>[];
    expect(listed.filter(({ entry }) => entry === "reports")).toEqual([
      expect.objectContaining({ id: second.json()["id"], reason: "again", byObjectId: USER_IDS.erin }),
    ]);
    expect(listed.map(({ id }) => id)).not.toContain(first.json()["id"]);
  });

  test.each<[string, object, string]>([
    ["without a target", { reason: REASON, dryRun: true }, "parameter_missing"],
    [
      "with two targets",
      { person: USER_IDS.alice, api: "graph", reason: REASON, dryRun: true },
      "parameter_not_supported",
    ],
    ["with everything: false", { everything: false, reason: REASON, dryRun: true }, "parameter_invalid"],
    ["without dryRun", { everything: true, reason: REASON }, "parameter_missing"],
    ["with dryRun as text", { everything: true, reason: REASON, dryRun: "false" }, "parameter_invalid"],
    ["without a reason", { everything: true, dryRun: true }, "parameter_missing"],
    ["with a reason of two lines", { everything: true, reason: "a\nb", dryRun: true }, "parameter_invalid"],
    ["with an unknown member", { everyone: true, reason: REASON, dryRun: true }, "parameter_not_supported"],
    ["with a person's name", { person: "alice@contoso.com", reason: REASON, dryRun: true }, "parameter_invalid"],
    ["with a handle", { grant: `gte_${"A".repeat(43)}`, reason: REASON, dryRun: true }, "parameter_invalid"],
  ])("%s is refused", async (_title, json, code) => {
    const answer = await service.call("/manage/revocations", { headers: administrator(), json });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code });
  });
});

describe("GET /manage/grants", () => {
  const idsOf = (answer: Answer) => (answer.json()["grants"] as { id: string }[]).map(({ id }) => id);

  test.each(TARGETS)("by %s lists the grant without its handle", async (kind, target) => {
    const handle = await issue();
    const id = await grantIdOf(handle);
    const [[name, value] = ["", ""]] = Object.entries(await target(handle));
    const found: string[] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const answer: Answer = await list(`?${name}=${value}${next === "" ? "" : `&after=${next}`}`);
      expect(answer.status, kind).toBe(200);
      expect(answer.text).not.toContain(handle);
      found.push(...idsOf(answer));
      next = answer.json()["next"] as string | undefined;
    }
    expect(found).toContain(id);
    expect(new Set(found).size).toBe(found.length);
  });

  test("shows owner, entry and times", async () => {
    const id = await grantIdOf(await issue("bob"));
    const answer = await list(`?grant=${id}`);
    expect(answer.json()["grants"]).toEqual([
      expect.objectContaining({
        id,
        kind: "application",
        clientId: CLIENT_IDS.web,
        userObjectId: USER_IDS.bob,
        entry: "web-backend",
        createdOn: expect.stringMatching(/Z$/),
        allowedOn: expect.stringMatching(/Z$/),
        expiresOn: expect.stringMatching(/Z$/),
      }),
    ]);
  });

  test("by another person, caller, entry or API lists none of them", async () => {
    const id = await grantIdOf(await issue("alice"));
    for (const query of [`person=${USER_IDS.carol}`, `caller=${CLIENT_IDS.daemon}`, "entry=daemon", "api=nothing"]) {
      expect(idsOf(await list(`?${query}`)), query).not.toContain(id);
    }
  });
});
