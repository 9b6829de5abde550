/**
 * 400 days of two instances, with Entra's own lifetimes: a refresh token ends after 90 idle days, an access token after
 * about an hour. What the service promises about grants is checked on each day.
 */
import { expect, test } from "vitest";
import type { GrantEvent } from "../../shared/core/grant-event.ts";
import { pathOf } from "../sign-in/support/browser.ts";
import { allowedHandle, answerLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, claimsOf, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { Answer, ServiceUnderTest } from "../support/service-under-test.ts";
import { keepAlive, recordEvents, reportExpiring } from "../support/timers.ts";
import { useWorld } from "../support/use-world.ts";

const POLICY = policyWithEntries({
  daemon: { keepAliveDays: 30, grantMaxDays: 365, linkMinutes: 1440 },
  "web-backend": { grantMaxDays: 365 },
});
const { grantEvents, events } = recordEvents();
const { world, clock } = useWorld({ movesDate: true });

/** A little less than `grantMaxDays`, because a day with two redemptions lasts two hours longer. */
const IN_USE_DAYS = 350;

function redeem(at: ServiceUnderTest, grant: string, client: "daemon" | "web"): Promise<Answer> {
  const headers = bearer(appToken(world, { client }));
  return at.call("/AuthorizationHeader/graph", { headers, json: { grant } });
}

/** The object id of the person whose token it is. */
function personOf(answer: Answer): unknown {
  expect(answer.status).toBe(200);
  const token = String(answer.json()["authorizationHeader"]).slice("Bearer ".length);
  const { oid, exp } = claimsOf(token);
  expect(Number(exp) * 1000).toBeGreaterThan(clock.nowMs());
  return oid;
}

/** An application's grant of an entry without `keepAliveDays`. */
async function plainGrant(at: ServiceUnderTest): Promise<string> {
  const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
  const answer = await at.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
  return String(answer.json()["refresh_token"]);
}

const isBobs = ({ user }: GrantEvent) => user?.objectId === USER_IDS.bob;

/** The owner of the flow forwards the link of the report, and the same person allows the grant again. */
async function allowAgain(at: ServiceUnderTest): Promise<number> {
  const withLink = events.splice(0).filter(({ kind, signInUrl }) => kind === "expiring" && signInUrl !== undefined);
  for (const event of withLink) {
    const signed = { user: isBobs(event) ? "bob" : "alice" };
    expect((await answerLink(at, pathOf(event.signInUrl ?? ""), { signed })).status).toBe(200);
  }
  return withLink.length;
}

/** Two redemptions, the second when the token of the first has expired. The second instance may be the other one. */
async function useTwice(grant: string, instances: readonly ServiceUnderTest[]): Promise<void> {
  for (const at of instances) {
    expect(personOf(await redeem(at, grant, "web"))).toBe(USER_IDS.alice);
    clock.advance(61 * MINUTE);
  }
}

test("in 400 days an idle grant with keepAliveDays lives, one without dies after 90 idle days, one in use never fails, and each stays its person's", async () => {
  const at = () => world.serve({ settings: { POLICY }, surroundings: { grantEvents } });
  const [one, other] = [at(), at()];
  const ofAlice = await allowedHandle(one);
  const ofBob = await allowedHandle(one, { api: "graph", expectedUser: USER_IDS.bob }, { user: "bob" });
  const [idle, inUse] = [await plainGrant(one), await plainGrant(one)];
  let [kept, allowedAgain] = [0, 0];
  const passDay = async (day: number) => {
    const [here, there] = day % 2 === 0 ? [one, other] : [other, one];
    clock.advance(DAY);
    // On most days one instance runs the timer, now and then both do at the same time.
    const reports = await Promise.all((day % 10 === 0 ? [here, there] : [here]).map(keepAlive));
    for (const report of reports) expect(report).not.toHaveProperty("dead");
    kept += reports.reduce((sum, report) => sum + Number(report["kept"] ?? 0), 0);
    if (day % 7 > 0) return;
    await reportExpiring(there);
    allowedAgain += await allowAgain(here);
    if (day < IN_USE_DAYS) await useTwice(inUse, [here, there]);
  };
  const pass = async (from: number, to: number) => {
    for (let day = from; day <= to; day++) await passDay(day);
  };

  await pass(1, 88);
  expect(personOf(await redeem(other, idle, "web"))).toBe(USER_IDS.alice);
  await pass(89, 88 + 91);
  expect((await redeem(one, idle, "web")).json()).toMatchObject({ code: "grant_dead", error_codes: [700082] });
  await pass(88 + 92, 400);

  expect(personOf(await redeem(one, ofAlice, "daemon"))).toBe(USER_IDS.alice);
  expect(personOf(await redeem(other, ofBob, "daemon"))).toBe(USER_IDS.bob);
  // Each of the two grants ended once by `grantMaxDays`. Nothing else asked a person again.
  expect(allowedAgain).toBe(2);
  // One call for each grant and period, whichever instance made it.
  expect(kept).toBeGreaterThanOrEqual(2 * 11);
  expect(kept).toBeLessThanOrEqual(2 * Math.floor(400 / 30));
  expect([...one.logs, ...other.logs].filter((line) => line.includes("rotation_lost"))).toEqual([]);
}, 300_000);
