/** `keepAliveDays`: which grants the timer redeems, how often, and what it does with Entra's refusals. */
import { afterEach, describe, expect, test } from "vitest";
import { pathOf } from "../sign-in/support/browser.ts";
import { allowedHandle, answerLink, requestLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY } from "../support/movable-clock.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName, readTable } from "../support/table-rows.ts";
import { keepAlive, recordEvents } from "../support/timers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock } = useWorld({ movesDate: true });
const KEPT = { keepAliveDays: 10, grantMaxDays: 365 };

afterEach(() => world.tenant.state.clearRequirements());

interface Scene {
  /** An instance of this test's table. */
  readonly service: ServiceUnderTest;
  readonly tableName: string;
  /** Another instance, under this policy. */
  another(POLICY?: string): ServiceUnderTest;
  readonly events: ReturnType<typeof recordEvents>["events"];
}

/** Each test has its own table, because the timer acts on every grant. */
function scene(POLICY = policyWithEntries({ daemon: KEPT })): Scene {
  const tableName = newTableName();
  const { grantEvents, events } = recordEvents();
  const another = (policy = POLICY) =>
    world.serve({ settings: { POLICY: policy, GRANT_TABLE_NAME: tableName }, surroundings: { grantEvents } });
  return { service: another(), tableName, another, events };
}

const rowsOf = async ({ tableName }: Scene) =>
  (await readTable({ tableUrl: world.tableUrl, tableName })).filter(({ sealed }) => sealed !== undefined);

const refreshesAtEntra = () => world.tenant.state.requests({ endpoint: "token", grantType: "refresh_token" }).length;

function redeem(at: ServiceUnderTest, grant: string, client: "daemon" | "web" = "daemon") {
  const headers = bearer(appToken(world, { client }));
  return at.call("/AuthorizationHeader/graph", { headers, json: { grant } });
}

async function listed({ service }: Scene, client: "daemon" | "web" = "daemon") {
  const answer = await service.call("/grants", { headers: bearer(appToken(world, { client })) });
  return (answer.json()["grants"] as Record<string, unknown>[])[0];
}

describe("the timer of keepAliveDays", () => {
  test("redeems a grant after its idle days and at most a day later, once in each period", async () => {
    const at = scene();
    await allowedHandle(at.service);
    const redeemedAfter: number[] = [];
    world.tenant.state.clearLog();
    for (let day = 1; day <= 40; day++) {
      clock.advance(DAY);
      const { kept } = await keepAlive(at.service);
      if (kept === 1) redeemedAfter.push(day);
    }
    expect(refreshesAtEntra()).toBe(redeemedAfter.length);
    expect(redeemedAfter.length).toBe(3);
    const gaps = redeemedAfter.map((day, index) => day - (redeemedAfter[index - 1] ?? 0));
    expect(gaps.every((days) => days >= 10 && days <= 12)).toBe(true);
    expect(await listed(at)).toMatchObject({ lastRenewedOn: expect.any(String) });
    expect(await listed(at)).not.toHaveProperty("lastRedeemedOn");
  });

  test("leaves a grant alone that its application uses", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    for (let day = 1; day <= 30; day++) {
      clock.advance(DAY);
      if (day % 7 === 0) expect((await redeem(at.service, handle)).status).toBe(200);
      expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", not_due: 1 });
    }
  });

  test("redeems a grant once if two instances run at the same time", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    const other = at.another();
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    const reports = await Promise.all([keepAlive(at.service), keepAlive(other)]);
    expect(reports.filter(({ kept }) => kept === 1)).toHaveLength(1);
    expect(refreshesAtEntra()).toBe(1);
    expect((await redeem(other, handle)).status).toBe(200);
  });

  test("does not redeem a person's own grant, nor one of an entry without keepAliveDays", async () => {
    const at = scene();
    for (const headers of [{}, bearer(appToken(world))]) {
      const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
      expect((await at.service.call("/oauth2/token", { form, headers })).status).toBe(200);
    }
    clock.advance(29 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive" });
    expect((await rowsOf(at)).filter(({ sealedHandle }) => sealedHandle !== undefined)).toEqual([]);
  });

  test("does not redeem an expired grant, nor one that its application has not verified", async () => {
    const at = scene(policyWithEntries({ daemon: { keepAliveDays: 10, grantMaxDays: 11 } }));
    await allowedHandle(at.service);
    await allowedHandle(at.service, { api: "graph", codeChallenge: "a".repeat(43) });
    clock.advance(12 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", not_due: 2 });
  });

  test("ends its run when Entra stops answering, and tries again a day later", async () => {
    const at = scene();
    await allowedHandle(at.service);
    clock.advance(12 * DAY);
    world.tenant.state.order({ endpoint: "token", status: 503, body: "", times: 2 });
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", busy: 1 });
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", not_due: 1 });
    clock.advance(DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", kept: 1 });
    expect(await listed(at)).not.toHaveProperty("lastError");
  });

  test("tries again a day after Entra refused the service's credential, which is no error of the grant", async () => {
    const at = scene(policyWithEntries({ daemon: { keepAliveDays: 60, grantMaxDays: 365 } }));
    const handle = await allowedHandle(at.service);
    clock.advance(61 * DAY);
    world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", aadsts: 7000222, times: 2 });
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", busy: 1 });
    expect(await listed(at)).not.toHaveProperty("lastError");
    world.tenant.state.orders.clear();
    clock.advance(DAY + 1);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", kept: 1 });
    expect((await redeem(at.service, handle)).status).toBe(200);
  });

  test("stops at Entra's throttle", async () => {
    const at = scene();
    for (let grants = 0; grants < 12; grants++) await allowedHandle(at.service);
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    world.tenant.state.order({ endpoint: "token", status: 429, headers: { "retry-after": "60" }, body: "", times: 0 });
    const report = await keepAlive(at.service);
    expect(report).toMatchObject({ ended: "entra_busy" });
    expect(refreshesAtEntra()).toBeLessThanOrEqual(4);
  });
});

describe("a grant that Entra refuses to the timer", () => {
  test("is dead: reported once with a link that heals it, listed with its code, and left alone until then", async () => {
    const at = scene(policyWithEntries({ daemon: { ...KEPT, linkMinutes: 1440 } }));
    const handle = await allowedHandle(at.service);
    world.tenant.state.revokeSessions({ user: "alice" });
    clock.advance(12 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", dead: 1 });
    expect(at.events).toEqual([
      {
        kind: "dead",
        grantId: expect.stringMatching(/^[0-9a-f]{64}$/),
        clientId: CLIENT_IDS.daemon,
        user: { tenantId: world.tenant.state.tenantId, objectId: USER_IDS.alice },
        policyEntry: "daemon",
        expiresAtSeconds: expect.any(Number),
        reason: "grant_dead",
        signInUrl: expect.stringContaining("/signin/"),
      },
    ]);
    expect(JSON.stringify(at.events)).not.toContain(handle.slice(4));
    expect(await listed(at)).toMatchObject({ lastError: { code: "grant_dead", on: expect.stringMatching(/Z$/) } });
    for (let day = 0; day < 12; day++) {
      clock.advance(DAY);
      expect(await keepAlive(at.another())).toEqual({ event: "keep_alive", not_due: 1 });
    }
    expect((await redeem(at.service, handle)).json()).toMatchObject({ code: "grant_dead" });
    expect(at.events).toHaveLength(1);
    const link = String((await redeem(at.service, handle)).json()["signin_url"]);
    expect((await answerLink(at.service, pathOf(link))).status).toBe(200);
    expect((await redeem(at.another(), handle)).status).toBe(200);
    expect(await listed(at)).not.toHaveProperty("lastError");
  });

  test("the link of the event makes the same handle work again, and a second death is reported again", async () => {
    const at = scene(policyWithEntries({ daemon: { ...KEPT, linkMinutes: 1440 } }));
    const handle = await allowedHandle(at.service);
    world.tenant.state.revokeSessions({ user: "alice" });
    clock.advance(12 * DAY);
    await keepAlive(at.service);
    expect((await answerLink(at.service, pathOf(at.events[0]?.signInUrl ?? ""))).status).toBe(200);
    expect((await redeem(at.another(), handle)).status).toBe(200);
    clock.advance(DAY);
    world.tenant.state.revokeSessions({ user: "alice" });
    clock.advance(12 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", dead: 1 });
    expect(at.events.map(({ kind }) => kind)).toEqual(["dead", "dead"]);
  });

  test("by a Conditional Access challenge needs the person: it is not dead, and is tried again after three days", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    clock.advance(12 * DAY);
    world.tenant.state.requireClaims({ user: "alice" });
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", refused: 1 });
    expect(at.events).toEqual([]);
    expect(await listed(at)).toMatchObject({ lastError: { code: "interaction_required" } });
    world.tenant.state.clearRequirements();
    clock.advance(2 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", not_due: 1 });
    clock.advance(2 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", kept: 1 });
    expect((await redeem(at.service, handle)).status).toBe(200);
  });

  test.each([65001, 50076, 500011, 700016, 53003])(
    "with AADSTS%d after 62 idle days is tried again, and lives once the cause is gone",
    async (aadsts) => {
      const at = scene(policyWithEntries({ daemon: { keepAliveDays: 60, grantMaxDays: 365 } }));
      await allowedHandle(at.service);
      clock.advance(62 * DAY);
      world.tenant.state.order({ endpoint: "token", grantType: "refresh_token", aadsts });
      expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", refused: 1 });
      clock.advance(27 * DAY);
      expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", kept: 1 });
    },
  );

  test("that answers about another person is refused, and the grant keeps its refresh token", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    clock.advance(12 * DAY);
    const [before] = await rowsOf(at);
    const client_info = Buffer.from(JSON.stringify({ uid: USER_IDS.bob, utid: world.tenant.state.tenantId })).toString(
      "base64url",
    );
    const body = {
      access_token: "b",
      token_type: "Bearer",
      expires_in: 3600,
      scope: "User.Read",
      refresh_token: "1.b",
    };
    world.tenant.state.order({ endpoint: "token", status: 200, body: { ...body, client_info } });
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", refused: 1 });
    const [after] = await rowsOf(at);
    expect(after?.["sealed"]).toBe(before?.["sealed"]);
    expect((await redeem(at.service, handle)).status).toBe(200);
  });

  test("because it was revoked during the call ends, and nothing is written", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    clock.advance(12 * DAY);
    const { state } = world.tenant;
    const order = state.order({ endpoint: "token", grantType: "refresh_token", hold: true });
    const running = keepAlive(at.service);
    await state.orders.hit(order);
    const headers = bearer(appToken(world, { client: "daemon" }));
    await at.another().call("/oauth2/revoke", { form: { token: handle }, headers });
    state.releaseOrder({ id: order });
    expect(await running).toEqual({ event: "keep_alive", gone: 1 });
    expect(await rowsOf(at)).toEqual([]);
  });
});

describe("a changed policy", () => {
  const changes: [string, string][] = [
    ["the scope taken away", policyWithEntries({ daemon: { ...KEPT, apis: { orders: ["Orders.Read"] } } })],
    [
      "the entry moved to another registration",
      policyWithEntries({ daemon: { ...KEPT, registration: "narrow", apis: { graph: ["User.Read"] } } }),
    ],
    [
      "the entry gone",
      policyWith((policy) => {
        policy.callers = policy.callers.filter(({ name }) => name !== "daemon");
      }),
    ],
    ["keepAliveDays gone", policyWithEntries({ daemon: { grantMaxDays: 365 } })],
    [
      "a person's entry in its place",
      policyWithEntries({ daemon: { kind: "user", flows: ["refresh-token"], unattended: false } }),
    ],
  ];

  test.each(changes)("with %s lets the timer redeem nothing", async (_title, POLICY) => {
    const at = scene();
    await allowedHandle(at.service);
    clock.advance(12 * DAY);
    world.tenant.state.clearLog();
    const report = await keepAlive(at.another(POLICY));
    expect(report).not.toHaveProperty("kept");
    expect(refreshesAtEntra()).toBe(0);
  });

  test("without keepAliveDays removes the sealed handle at the timer's next run", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    expect((await rowsOf(at))[0]).toHaveProperty("sealedHandle");
    const without = at.another(policyWithEntries({ daemon: { grantMaxDays: 365 } }));
    expect(await keepAlive(without)).toEqual({ event: "keep_alive", stopped: 1 });
    expect((await rowsOf(at))[0]).not.toHaveProperty("sealedHandle");
    expect(await keepAlive(without)).toEqual({ event: "keep_alive" });
    expect((await redeem(without, handle)).status).toBe(200);
  });

  test("without keepAliveDays removes the sealed handle at the next redemption, and with it adds one", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    const without = at.another(policyWithEntries({ daemon: { grantMaxDays: 365 } }));
    expect((await redeem(without, handle)).status).toBe(200);
    expect((await rowsOf(at))[0]).not.toHaveProperty("sealedHandle");
    expect((await redeem(at.another(), handle)).status).toBe(200);
    expect((await rowsOf(at))[0]).toHaveProperty("sealedHandle");
    clock.advance(12 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", kept: 1 });
  });

  test("keeps a grant alive whose entry has another name now", async () => {
    const at = scene();
    await allowedHandle(at.service);
    clock.advance(12 * DAY);
    const renamed = policyWith(({ callers }) => {
      for (const entry of callers) if (entry.name === "daemon") Object.assign(entry, KEPT, { name: "nightly" });
    });
    expect(await keepAlive(at.another(renamed))).toEqual({ event: "keep_alive", kept: 1 });
  });

  test("with release none keeps a grant alive for the relay", async () => {
    const relay = { release: "none", downstream: { graph: [{ methods: ["GET"], path: "/v1.0/me" }] } };
    const at = scene(policyWithEntries({ daemon: { ...KEPT, ...relay } }));
    await allowedHandle(at.service);
    clock.advance(12 * DAY);
    expect(await keepAlive(at.service)).toEqual({ event: "keep_alive", kept: 1 });
  });
});

test("a requested grant that no person has allowed is not kept alive", async () => {
  const at = scene();
  await requestLink(at.service);
  clock.advance(12 * DAY);
  expect(await keepAlive(at.service)).toEqual({ event: "keep_alive" });
});
