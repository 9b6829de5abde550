/** While the marks cannot be read, nothing of unknown standing is used: grants fail, and old cached tokens are replaced. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appToken, bearer, exchangeForm, USER_IDS, userToken } from "../support/callers.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const SECOND = 1_000;
const { world, clock } = useWorld();

describe("an instance that cannot read the grant table", () => {
  let proxy: FaultyProxy;
  let cut: ServiceUnderTest;
  let other: ServiceUnderTest;
  beforeAll(async () => {
    proxy = await startFaultyProxy(world.tableUrl);
  });
  beforeEach(() => {
    const GRANT_TABLE_NAME = newTableName();
    cut = world.serve({ settings: { GRANT_TABLE_NAME, GRANT_STORE_URL: proxy.url } });
    other = world.serve({ settings: { GRANT_TABLE_NAME } });
  });
  afterEach(() => {
    proxy.fails = () => false;
  });
  afterAll(() => proxy.stop());

  const get = (service: ServiceUnderTest, token: string) =>
    service.call("/AuthorizationHeader/graph", { headers: bearer(token) });
  const redeem = (service: ServiceUnderTest, handle: string) => {
    const form = { grant_type: "refresh_token", refresh_token: handle };
    return service.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
  };
  async function issue(service: ServiceUnderTest): Promise<string> {
    const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
    const answer = await service.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
    return String(answer.json()["refresh_token"]);
  }
  const revokeAlice = () =>
    other.call("/manage/revocations", {
      headers: bearer(userToken(world, { user: "erin" })),
      json: { person: USER_IDS.alice, reason: "drill", dryRun: false },
    });

  test("answers 503 for grants, with a wait", async () => {
    const handle = await issue(cut);
    expect((await redeem(cut, handle)).status).toBe(200);
    proxy.fails = () => true;
    clock.advance(21 * SECOND);
    const answer = await redeem(cut, handle);
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ code: "grant_store_unavailable", action: "retry" });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("uses no cached token that is older than some seconds, and asks Entra instead", async () => {
    const token = userToken(world);
    await get(cut, token);
    await get(cut, token);
    expect(cut.lastEvent()["cache"]).toBe("hit");
    proxy.fails = () => true;
    clock.advance(21 * SECOND);
    expect((await get(cut, token)).status).toBe(200);
    expect(cut.lastEvent()["cache"]).toBe("miss");
    // So Entra gets one request in that time, not one for each request of a caller.
    await get(cut, token);
    expect(cut.lastEvent()["cache"]).toBe("hit");
  });

  test("does not serve what another instance has revoked", async () => {
    const token = userToken(world);
    await get(cut, token);
    proxy.fails = () => true;
    expect((await revokeAlice()).status).toBe(200);
    clock.advance(30 * SECOND);
    await get(cut, token);
    expect(cut.lastEvent()["cache"]).toBe("miss");
  });

  test("says so once in the operator log, and that it is over", async () => {
    const token = userToken(world);
    const names = () => cut.logs.flatMap((line) => /"name":"(marks_\w+)"/.exec(line)?.[1] ?? []);
    await get(cut, token);
    await get(cut, token);
    proxy.fails = () => true;
    clock.advance(21 * SECOND);
    await get(cut, token);
    clock.advance(21 * SECOND);
    await get(cut, token);
    expect(names()).toEqual(["marks_unreadable"]);
    proxy.fails = () => false;
    clock.advance(21 * SECOND);
    await get(cut, token);
    await get(cut, token);
    expect(names()).toEqual(["marks_unreadable", "marks_readable"]);
  });

  test("refuses to revoke: the administrator gets 503 and not 200", async () => {
    proxy.fails = () => true;
    const answer = await cut.call("/manage/revocations", {
      headers: bearer(userToken(world, { user: "erin" })),
      json: { everything: true, reason: "drill", dryRun: false },
    });
    expect(answer.json()).toMatchObject({ code: "grant_store_unavailable" });
    expect(answer.status).toBe(503);
    expect(cut.lastEvent()).not.toHaveProperty("revocationId");
  });
});
