/** A grant whose caller got an error instead of the handle does not live, although its row was written. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newBrowser } from "../sign-in/support/browser.ts";
import { codeForClient, codeForm, newPkce, redeem } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, userToken } from "../support/callers.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { newTableName, readTable } from "../support/table-rows.ts";
import { useWorld } from "../support/use-world.ts";

const { world } = useWorld();
let proxy: FaultyProxy;
beforeAll(async () => {
  proxy = await startFaultyProxy(world.tableUrl);
});
afterAll(() => proxy.stop());

/** A service whose table is behind the proxy, and whose pauses end when the test says so. */
async function scene() {
  const tableName = newTableName();
  const gate = Promise.withResolvers<void>();
  const service = world.serve({
    settings: { GRANT_STORE_URL: proxy.url, GRANT_TABLE_NAME: tableName },
    surroundings: { pause: () => gate.promise },
  });
  // The first grant creates the table.
  expect((await onBehalfOf(service)).status).toBe(200);
  const grants = async () =>
    (await readTable({ tableUrl: world.tableUrl, tableName })).filter((row) => row["sealed"] !== undefined).length;
  return { service, grants, afterPauses: gate.resolve };
}

function onBehalfOf(service: ServiceUnderTest) {
  const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
  return service.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
}

/** The write of the grant reaches the table, its answer is lost, and then the table is out of reach. */
function loseTheAnswer(): void {
  let isDown = false;
  proxy.fails = () => isDown;
  proxy.losesAnswer = (method) => {
    isDown = method === "POST";
    return isDown;
  };
}

function recover(): void {
  proxy.fails = () => false;
  proxy.losesAnswer = () => false;
}

describe("a grant whose row was written and whose answer was lost", () => {
  test("of an exchange is removed after the table is back", async () => {
    const { service, grants, afterPauses } = await scene();
    loseTheAnswer();
    const refused = await onBehalfOf(service);
    expect(refused.json()).toMatchObject({ code: "grant_store_unavailable" });
    expect(refused.text).not.toContain("gte_");
    expect(await grants()).toBe(2);
    recover();
    afterPauses();
    await expect.poll(grants).toBe(1);
    await expect
      .poll(() => service.service.operatorLog.drain())
      .toContainEqual(
        expect.objectContaining({ event: "grants", name: "orphan_removed", grantId: expect.any(String) }),
      );
    const listed = await service.call("/grants", { headers: bearer(appToken(world)) });
    expect(listed.json()["grants"]).toHaveLength(1);
  });

  test("of an authorization code is removed too", async () => {
    const { service, grants, afterPauses } = await scene();
    const pkce = newPkce();
    const changes = { scope: "User.Read Mail.Read offline_access" };
    const { code } = await codeForClient(service, newBrowser(service), { pkce, changes });
    loseTheAnswer();
    expect((await redeem(service, codeForm(code, pkce))).status).toBe(503);
    expect(await grants()).toBe(2);
    recover();
    afterPauses();
    await expect.poll(grants).toBe(1);
  });

  test("is there after one lost answer alone: the second attempt finds its own row", async () => {
    const { service, grants } = await scene();
    let lost = 0;
    proxy.losesAnswer = (method) => method === "POST" && lost++ === 0;
    expect((await onBehalfOf(service)).status).toBe(200);
    recover();
    expect(await grants()).toBe(2);
  });
});

test("a grant that cannot be removed is reported to operators", async () => {
  const { service, grants, afterPauses } = await scene();
  loseTheAnswer();
  expect((await onBehalfOf(service)).status).toBe(503);
  afterPauses();
  await expect
    .poll(() => service.service.operatorLog.drain(), { timeout: 20_000 })
    .toContainEqual(expect.objectContaining({ event: "grants", name: "orphan_left", grantId: expect.any(String) }));
  recover();
  expect(await grants()).toBe(2);
});
