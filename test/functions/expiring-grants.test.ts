/** Grants that end soon: reported once, and found with `?expiringWithinDays=`. */
import { describe, expect, test } from "vitest";
import { pathOf } from "../sign-in/support/browser.ts";
import { allowedHandle, answerLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, CLIENT_IDS, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { recordEvents, reportExpiring } from "../support/timers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock } = useWorld({ movesDate: true });
const LINKS = { grantMaxDays: 30, linkMinutes: 1440 };

function scene(POLICY = policyWithEntries({ daemon: LINKS })) {
  const GRANT_TABLE_NAME = newTableName();
  const { grantEvents, events } = recordEvents();
  const another = () => world.serve({ settings: { POLICY, GRANT_TABLE_NAME }, surroundings: { grantEvents } });
  return { service: another(), another, events };
}

const daemon = () => bearer(appToken(world, { client: "daemon" }));

describe("a grant that ends within 14 days", () => {
  test("is reported once, although the timer runs each day on two instances", async () => {
    const at = scene();
    await allowedHandle(at.service);
    clock.advance(15 * DAY);
    expect(await reportExpiring(at.service)).toEqual({ event: "expiring", reported: 0, failed: 0 });
    clock.advance(2 * DAY);
    const reports = await Promise.all([reportExpiring(at.service), reportExpiring(at.another())]);
    expect(reports.reduce((sum, { reported }) => sum + Number(reported), 0)).toBe(1);
    clock.advance(DAY);
    expect(await reportExpiring(at.service)).toMatchObject({ reported: 0 });
    expect(at.events).toEqual([
      {
        kind: "expiring",
        grantId: expect.stringMatching(/^[0-9a-f]{64}$/),
        clientId: CLIENT_IDS.daemon,
        user: { tenantId: world.tenant.state.tenantId, objectId: USER_IDS.alice },
        policyEntry: "daemon",
        expiresAtSeconds: expect.any(Number),
        reason: undefined,
        signInUrl: undefined,
      },
    ]);
  });

  test("of an entry with keepAliveDays is reported with a link, and again before its new end", async () => {
    const at = scene(policyWithEntries({ daemon: { ...LINKS, keepAliveDays: 60 } }));
    const handle = await allowedHandle(at.service);
    clock.advance(20 * DAY);
    await reportExpiring(at.service);
    const url = at.events[0]?.signInUrl ?? "";
    expect((await answerLink(at.service, pathOf(url))).status).toBe(200);
    expect(await reportExpiring(at.service)).toMatchObject({ reported: 0 });
    clock.advance(20 * DAY);
    const redeemed = await at.service.call("/AuthorizationHeader/graph", {
      headers: daemon(),
      json: { grant: handle },
    });
    expect(redeemed.status).toBe(200);
    expect(await reportExpiring(at.service)).toMatchObject({ reported: 1 });
    expect(at.events).toHaveLength(2);
    expect(JSON.stringify(at.events)).not.toContain(handle.slice(4));
  });

  test("that has ended is not reported", async () => {
    const at = scene();
    await allowedHandle(at.service);
    clock.advance(31 * DAY);
    expect(await reportExpiring(at.service)).toMatchObject({ reported: 0 });
  });

  test("is not reported, and the next run reports it, if the table does not answer", async () => {
    const cut = world.serve({ settings: { GRANT_STORE_URL: "http://127.0.0.1:9/devstoreaccount1" } });
    expect(await reportExpiring(cut)).toEqual({ event: "expiring", reported: 0, failed: 1 });
  });
});

describe("GET /grants?expiringWithinDays=", () => {
  async function ids(at: ServiceUnderTest, query: string, headers = daemon()): Promise<unknown[]> {
    const answer = await at.call(`/grants${query}`, { headers });
    expect(answer.status).toBe(200);
    return (answer.json()["grants"] as { id: string }[]).map(({ id }) => id);
  }

  test("lists the application's grants that end within so many days", async () => {
    const at = scene();
    await allowedHandle(at.service);
    clock.advance(10 * DAY);
    await allowedHandle(at.service);
    const all = await ids(at.service, "");
    expect(all).toHaveLength(2);
    expect(await ids(at.service, "?expiringWithinDays=14")).toEqual([]);
    expect(await ids(at.service, "?expiringWithinDays=21")).toEqual([all[1]]);
    expect(new Set(await ids(at.service, "?expiringWithinDays=366"))).toEqual(new Set(all));
  });

  test("lists a person's own grants by the same rule", async () => {
    const at = scene();
    const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
    await at.service.call("/oauth2/token", { form });
    const headers = bearer(userToken(world));
    expect(await ids(at.service, "?expiringWithinDays=29", headers)).toEqual([]);
    expect(await ids(at.service, "?expiringWithinDays=31", headers)).toHaveLength(1);
  });

  test.each(["0", "367", "-1", "14.5", "1e2", "abc", "", "14&expiringWithinDays=15"])(
    "refuses %s with what is allowed",
    async (days) => {
      const answer = await scene().service.call(`/grants?expiringWithinDays=${days}`, { headers: daemon() });
      expect(answer.status).toBe(400);
      expect(answer.json()["code"]).toBe(days.includes("&") ? "parameter_repeated" : "parameter_invalid");
      expect(answer.json()["detail"]).toContain("expiringWithinDays");
      if (!days.includes("&")) expect(answer.json()["detail"]).toContain("1 to 366");
    },
  );
});

describe("GET /grants says of a grant", () => {
  const listed = async (at: ServiceUnderTest, headers = daemon()) =>
    ((await at.call("/grants", { headers })).json()["grants"] as Record<string, unknown>[])[0];

  test("that its application asked for it, and when it was redeemed and renewed", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    expect(await listed(at.service)).toMatchObject({ requestedBy: { clientId: CLIENT_IDS.daemon } });
    expect(await listed(at.service)).not.toHaveProperty("lastRenewedOn");
    clock.advance(3 * DAY);
    await at.service.call("/AuthorizationHeader/graph", { headers: daemon(), json: { grant: handle } });
    const { createdOn, lastRedeemedOn, lastRenewedOn } = (await listed(at.service)) ?? {};
    expect(lastRenewedOn).toBe(lastRedeemedOn);
    expect(Date.parse(String(lastRenewedOn)) - Date.parse(String(createdOn))).toBeGreaterThanOrEqual(3 * DAY - 1000);
  });

  test("which person with Grant.Create asked for it", async () => {
    const at = scene();
    const headers = bearer(userToken(world, { claims: { roles: ["Grant.Create"] } }));
    const json = { api: "graph", caller: "daemon", expectedUser: USER_IDS.alice };
    const made = await at.service.call("/signin/links", { json, headers });
    await answerLink(at.service, pathOf(String(made.json()["url"])));
    expect(await listed(at.service)).toMatchObject({
      requestedBy: { clientId: CLIENT_IDS.web, userObjectId: USER_IDS.alice },
    });
  });

  test("why its last redemption failed, until one works again", async () => {
    const at = scene();
    const handle = await allowedHandle(at.service);
    const redeem = () =>
      at.another().call("/AuthorizationHeader/graph", { headers: daemon(), json: { grant: handle } });
    const lastError = async () => (await listed(at.service))?.["lastError"];
    world.tenant.state.requireClaims({ user: "alice" });
    await redeem();
    await expect.poll(lastError).toEqual({ code: "interaction_required", on: expect.stringMatching(/Z$/) });
    const first = await lastError();
    clock.advance(DAY);
    await redeem();
    expect(await lastError()).toEqual(first);
    world.tenant.state.clearRequirements();
    expect((await redeem()).status).toBe(200);
    expect(await lastError()).toBeUndefined();
  });
});
