/** RFC 6749 section 4.1.2: an authorization code that is used again is refused, and revokes what its first use made. */
import { describe, expect, test } from "vitest";
import type { OfflineAccess } from "../../shared/offline-access/offline-access.ts";
import { newBrowser } from "../sign-in/support/browser.ts";
import { codeForClient, codeForm, newPkce, redeem } from "../sign-in/support/sign-in.ts";
import { appToken, bearer } from "../support/callers.ts";
import { startFaultyProxy } from "../support/faulty-proxy.ts";
import { MINUTE } from "../support/movable-clock.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service, clock } = useWorld({ newServiceForEachTest: true });
const OFFLINE = { scope: "User.Read Mail.Read offline_access" };

async function newCode(changes: Record<string, string> = OFFLINE) {
  const pkce = newPkce();
  const { code } = await codeForClient(service, newBrowser(service), { pkce, changes });
  return { form: codeForm(code, pkce), pkce };
}

const useGrant = (grant: unknown, at: ServiceUnderTest) =>
  at.call("/AuthorizationHeader/graph", { headers: bearer(appToken(world)), json: { grant } });

describe("a code that is used again", () => {
  test.each(["the same instance", "another instance"])(
    "at %s ends the grant that its first use made",
    async (where) => {
      const { form } = await newCode();
      const { refresh_token: grant } = (await redeem(service, form)).json();
      expect((await useGrant(grant, service)).status).toBe(200);
      const at = where === "another instance" ? service.another() : service;
      expect((await redeem(at, form)).json()).toMatchObject({ code: "code_refused", error_codes: [54005] });
      expect(at.lastEvent()).toMatchObject({ grantRevoked: true, grantId: expect.stringMatching(/^[0-9a-f]{64}$/) });
      for (const instance of [service, service.another()]) {
        expect((await useGrant(grant, instance)).json()).toMatchObject({ code: "grant_invalid" });
      }
    },
  );

  test("after its 60 seconds ends the grant that its first use made", async () => {
    const { form } = await newCode();
    const { refresh_token: grant } = (await redeem(service, form)).json();
    clock.advance(2 * MINUTE);
    const forged = await redeem(service, { ...form, code_verifier: newPkce().verifier });
    expect(forged.json()).toMatchObject({ code: "code_refused" });
    expect((await useGrant(grant, service)).status).toBe(200);
    expect((await redeem(service.another(), form)).json()).toMatchObject({ code: "code_refused" });
    expect((await useGrant(grant, service)).json()).toMatchObject({ code: "grant_invalid" });
  });

  test("while the grant table is down ends the grant once the table is back, and operators get an event", async () => {
    const proxy = await startFaultyProxy(world.tableUrl);
    try {
      const gate = Promise.withResolvers<void>();
      const settings = { GRANT_STORE_URL: proxy.url, GRANT_TABLE_NAME: world.tableName };
      const at = world.serve({ settings, surroundings: { pause: () => gate.promise } });
      const { form } = await newCode();
      const { refresh_token: grant } = (await redeem(at, form)).json();
      proxy.fails = () => true;
      expect((await redeem(at, form)).json()).toMatchObject({ code: "code_refused" });
      expect(at.logs.join("\n")).toContain('"name":"replay_pending"');
      proxy.fails = () => false;
      expect((await useGrant(grant, service)).status).toBe(200);
      gate.resolve();
      await expect
        .poll(() => at.service.operatorLog.drain())
        .toContainEqual(expect.objectContaining({ name: "replay_ended", grantId: expect.any(String) }));
      expect((await useGrant(grant, service)).json()).toMatchObject({ code: "grant_invalid" });
    } finally {
      await proxy.stop();
    }
  });

  test("while the grant table stays down is reported to operators", async () => {
    const proxy = await startFaultyProxy(world.tableUrl);
    try {
      const settings = { GRANT_STORE_URL: proxy.url, GRANT_TABLE_NAME: world.tableName };
      const at = world.serve({ settings, surroundings: { pause: async () => undefined } });
      const { form } = await newCode();
      await redeem(at, form);
      proxy.fails = () => true;
      await redeem(at, form);
      await expect
        .poll(() => at.service.operatorLog.drain(), { timeout: 20_000 })
        .toContainEqual(
          expect.objectContaining({ event: "grants", name: "replay_left", clientId: expect.any(String) }),
        );
    } finally {
      await proxy.stop();
    }
  });

  test("before its first use has stored its grant leaves no grant", async () => {
    const { form } = await newCode();
    const other = service.another();
    const list = async () => {
      const answer = await service.call("/grants", { headers: bearer(appToken(world)) });
      return (answer.json()["grants"] as unknown[]).length;
    };
    const before = await list();
    const grants = service.service.exchangeContext.grants as { issue: OfflineAccess["issue"] };
    const issue = grants.issue.bind(grants);
    grants.issue = async (request) => {
      expect((await redeem(other, form)).json()).toMatchObject({ code: "code_refused", error_codes: [54005] });
      return issue(request);
    };
    const first = await redeem(service, form);
    expect(first.json()).toMatchObject({ error: "invalid_grant", code: "code_refused" });
    expect(first.text).not.toContain("gte_");
    expect(first.text).not.toContain("access_token");
    expect(service.lastEvent()).not.toHaveProperty("grantMade");
    await expect.poll(list).toBe(before);
  });

  test("by a client without its verifier ends nothing", async () => {
    const { form } = await newCode();
    const { refresh_token: grant } = (await redeem(service, form)).json();
    const forged = await redeem(service, { ...form, code_verifier: newPkce().verifier });
    expect(forged.json()).toMatchObject({ code: "code_refused" });
    const foreign = await redeem(service, form, appToken(world, { client: "daemon" }));
    expect(foreign.status).toBe(400);
    expect((await useGrant(grant, service)).status).toBe(200);
  });

  test("without offline_access is refused, and nothing is stored for it", async () => {
    const { form } = await newCode({ scope: "User.Read Mail.Read" });
    expect((await redeem(service, form)).status).toBe(200);
    expect((await redeem(service, form)).json()).toMatchObject({ code: "code_refused" });
    expect(service.lastEvent()).not.toHaveProperty("grantRevoked");
  });
});
