/** `maxGrantsPerUser`: how many grants one caller has of one person. */
import { describe, expect, test } from "vitest";
import type { OfflineAccess } from "../../shared/offline-access/offline-access.ts";
import { allowedHandle, answerLink, requestLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName, readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock } = useWorld({ movesDate: true });
const LIMIT = { maxGrantsPerUser: 3, limits: { bypassPerMinute: 1000 } };
const POLICY = policyWithEntries({ daemon: LIMIT, "web-users": LIMIT, "web-backend": LIMIT });

const serve = (tableName = newTableName()) => world.serve({ settings: { POLICY, GRANT_TABLE_NAME: tableName } });

type User = "alice" | "bob";

function exchange(at: ServiceUnderTest, user: User = "alice", headers = {}) {
  clock.advance(MINUTE);
  const form = exchangeForm(userToken(world, { user }), { scope: "User.Read Mail.Read offline_access" });
  return at.call("/oauth2/token", { form, headers });
}

async function newGrant(at: ServiceUnderTest, user: User = "alice"): Promise<string> {
  return String((await exchange(at, user)).json()["refresh_token"]);
}

function redeem(at: ServiceUnderTest, grant: string, user: User = "alice") {
  return at.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world, { user })), json: { grant } });
}

/** From now on the deadline has passed when the grant is stored. */
function beLate(at: ServiceUnderTest, step: "issue" | "allow"): void {
  const grants = at.service.exchangeContext.grants as Pick<Mutable<OfflineAccess>, "issue" | "allow">;
  const { issue, allow } = grants;
  const signal = AbortSignal.abort();
  if (step === "issue") grants.issue = (request) => issue({ ...request, signal });
  else grants.allow = (request) => allow({ ...request, signal });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

describe("at maxGrantsPerUser", () => {
  test("the oldest grant that was never redeemed ends, and the audit event names it", async () => {
    const at = serve();
    const [first, second, third] = [await newGrant(at), await newGrant(at), await newGrant(at)];
    expect((await redeem(at, first)).status).toBe(200);
    const fourth = await newGrant(at);
    expect(at.lastEvent()).toMatchObject({ grantMade: true, grantReplaced: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await redeem(at, second)).json()).toMatchObject({ code: "grant_invalid" });
    for (const grant of [first, third, fourth]) expect((await redeem(at, grant)).status).toBe(200);
  });

  test("a grant is refused with 409 and the remedy if all were redeemed, and the remedy works", async () => {
    const at = serve();
    const grants = [await newGrant(at), await newGrant(at), await newGrant(at)];
    for (const grant of grants) expect((await redeem(at, grant)).status).toBe(200);
    const refused = await exchange(at);
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({
      error: "invalid_request",
      code: "grant_limit_reached",
      action: "fix_request",
      error_description: expect.stringContaining("POST /oauth2/revoke"),
    });
    expect(refused.text).not.toContain("access_token");
    const form = { token: grants[0] ?? "" };
    await at.call("/oauth2/revoke", { form, headers: bearer(userToken(world)) });
    expect((await exchange(at)).status).toBe(200);
  });

  test("20 requests at the same time leave as many grants as the limit allows", async () => {
    const at = serve();
    const used = await newGrant(at);
    expect((await redeem(at, used)).status).toBe(200);
    const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => at.call("/oauth2/token", { form })));
    const redeemed = [];
    for (const answer of answers) {
      if (answer.status === 200) redeemed.push((await redeem(at, String(answer.json()["refresh_token"]))).status);
      else expect(answer.json()).toMatchObject({ code: "grant_limit_reached" });
    }
    expect(redeemed.filter((status) => status === 200)).toHaveLength(2);
    expect((await redeem(at, used)).status).toBe(200);
    const listed = await at.call("/grants", { headers: bearer(userToken(world)) });
    expect(listed.json()["grants"]).toHaveLength(3);
  });

  test("links that are allowed at the same time leave as many grants as the limit allows", async () => {
    const at = serve();
    const links = [];
    for (let made = 0; made < 8; made++) links.push(await requestLink(at));
    await Promise.all(links.map(({ link }) => answerLink(at, link)));
    const headers = bearer(appToken(world, { client: "daemon" }));
    expect((await at.call("/grants", { headers })).json()["grants"]).toHaveLength(3);
  });

  test("a request that got 504 ends no older grant", async () => {
    const at = serve();
    const handles = [await newGrant(at), await newGrant(at), await newGrant(at)];
    beLate(at, "issue");
    expect((await exchange(at)).status).toBe(504);
    for (const grant of handles) expect((await redeem(at, grant)).status).toBe(200);
  });

  test("a person who got 504 at Allow ends no older grant", async () => {
    const at = serve();
    const handles = [await allowedHandle(at), await allowedHandle(at), await allowedHandle(at)];
    beLate(at, "allow");
    const { link } = await requestLink(at);
    expect((await answerLink(at, link)).status).toBe(504);
    const headers = bearer(appToken(world, { client: "daemon" }));
    for (const grant of handles) {
      expect((await at.call("/AuthorizationHeader/graph", { headers, json: { grant } })).status).toBe(200);
    }
  });

  test("another person, another caller and the same client as an application are not affected", async () => {
    const at = serve();
    for (let made = 0; made < 3; made++) await redeem(at, await newGrant(at));
    expect((await exchange(at)).status).toBe(409);
    expect((await exchange(at, "bob")).status).toBe(200);
    expect((await exchange(at, "alice", bearer(appToken(world)))).status).toBe(200);
    expect(await allowedHandle(at)).toMatch(/^gte_/);
  });

  test("an application's grants of a person are counted, not those of others that act for the person", async () => {
    const at = serve();
    const handles = [await allowedHandle(at), await allowedHandle(at), await allowedHandle(at)];
    for (let made = 0; made < 3; made++) await exchange(at, "alice", bearer(appToken(world)));
    const headers = bearer(appToken(world, { client: "daemon" }));
    for (const grant of handles) {
      expect((await at.call("/AuthorizationHeader/graph", { headers, json: { grant } })).status).toBe(200);
    }
    const { link, handle } = await requestLink(at);
    const page = await answerLink(at, link);
    expect(page.status).toBe(409);
    expect(page.text).toContain("too many accesses");
    const pending = await at.call("/AuthorizationHeader/graph", { headers, json: { grant: handle } });
    expect(pending.json()).toMatchObject({ code: "grant_pending" });
    expect(await allowedHandle(at, { api: "graph", expectedUser: USER_IDS.bob }, { user: "bob" })).toMatch(/^gte_/);
  });

  test("an ended or expired grant does not count", async () => {
    const tableName = newTableName();
    const at = serve(tableName);
    for (let made = 0; made < 3; made++) await redeem(at, await newGrant(at));
    clock.advance(31 * 24 * 60 * MINUTE);
    const later = serve(tableName);
    for (let made = 0; made < 3; made++) expect((await exchange(later)).status).toBe(200);
    expect((await readTable({ tableUrl: world.tableUrl, tableName })).length).toBeGreaterThan(6);
  });
});

describe("GET makes no grant", () => {
  test.each(["/AuthorizationHeader/graph", "/DownstreamApi/graph"])("at %s", async (path) => {
    const at = serve();
    const query = "optionsOverride.Scopes=User.Read&optionsOverride.Scopes=offline_access";
    const answer = await at.call(`${path}?${query}`, { headers: bearer(userToken(world)) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toContain("gte_");
    const listed = await at.call("/grants", { headers: bearer(userToken(world)) });
    expect(listed.json()["grants"]).toEqual([]);
  });

  test("and says that POST does", async () => {
    const query = "optionsOverride.Scopes=offline_access";
    const answer = await serve().call(`/AuthorizationHeader/graph?${query}`, { headers: bearer(userToken(world)) });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({
      code: "parameter_invalid",
      detail: expect.stringContaining("offline_access with POST"),
    });
  });
});
