/**
 * Entra does not downscope: a delegated token carries every consented scope. The service does not release a token with
 * more scopes than the caller's list has, and issues no grant for it. An administrator must correct the consent.
 */
import { afterEach, describe, expect, test } from "vitest";
import { appToken, bearer, exchangeForm, userToken } from "../support/callers.ts";
import { policyWith, policyWithEntries } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const { world } = useWorld();
afterEach(() => {
  world.tenant.state.withdrawConsent({ scopes: ["Files.Read", "Mail.Send"] });
});

const countGrants = async (service: ServiceUnderTest, token: string) =>
  ((await service.call("/grants", { headers: bearer(token) })).json()["grants"] as unknown[]).length;

describe("a scope that was consented later for another purpose", () => {
  test("prevents the release of the token on every route", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve();
    const oauth = await service.call("/oauth2/token", { form: exchangeForm(userToken(world)) });
    expect({ status: oauth.status, ...oauth.json() }).toMatchObject({
      status: 500,
      error: "server_error",
      code: "scope_surplus",
      action: "ask_admin",
    });
    const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) });
    expect(header.json()).toMatchObject({
      status: 500,
      error: "server_error",
      code: "scope_surplus",
      action: "ask_admin",
    });
    for (const { text } of [oauth, header]) {
      expect(text).not.toContain("eyJ");
    }
    expect(service.lastEvent()).toMatchObject({ outcome: "failed", code: "scope_surplus", policyEntry: "web-users" });
    expect(JSON.stringify(service.lastEvent())).toContain("Files.Read");
  });

  test("prevents the release from the cache too", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve();
    const token = userToken(world);
    for (let round = 0; round < 3; round++) {
      expect((await service.call("/AuthorizationHeader/graph", { headers: bearer(token) })).status).toBe(500);
    }
  });

  test("affects only the user who consented", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve();
    const bob = await service.call("/oauth2/token", { form: exchangeForm(userToken(world, { user: "bob" })) });
    expect(bob.status).toBe(200);
  });

  test("prevents a grant", async () => {
    const service = world.serve();
    const token = userToken(world);
    const before = await countGrants(service, token);
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const form = exchangeForm(token, { scope: "User.Read offline_access" });
    const answer = await service.call("/oauth2/token", { form });
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    expect(await countGrants(service, token)).toBe(before);
  });

  test("blocks the redemption of an older grant until the consent is withdrawn", async () => {
    const service = world.serve();
    const form = exchangeForm(userToken(world), { scope: "User.Read offline_access" });
    const headers = bearer(appToken(world));
    const grant = String((await service.call("/oauth2/token", { form, headers })).json()["refresh_token"]);
    const redeem = () =>
      service.call("/oauth2/token", { form: { grant_type: "refresh_token", refresh_token: grant }, headers });
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    expect((await redeem()).json()).toMatchObject({ code: "scope_surplus" });
    world.tenant.state.withdrawConsent({ scopes: ["Files.Read"] });
    const later = world.serve();
    const again = await later.call("/oauth2/token", {
      form: { grant_type: "refresh_token", refresh_token: grant },
      headers,
    });
    expect(again.status).toBe(200);
  });
});

describe("acceptSurplus", () => {
  const POLICY = policyWithEntries({ "web-users": { acceptSurplus: true } });

  test("releases the token and lists its true scopes", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read", "Mail.Send"] });
    const service = world.serve({ settings: { POLICY } });
    const form = exchangeForm(userToken(world), { scope: "User.Read" });
    const oauth = await service.call("/oauth2/token", { form });
    expect(String(oauth.json()["scope"]).split(" ").sort()).toEqual([
      "Files.Read",
      "Mail.Read",
      "Mail.Send",
      "User.Read",
    ]);
    const header = await service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) });
    expect((header.json()["scopes"] as string[]).toSorted()).toEqual([
      "Files.Read",
      "Mail.Read",
      "Mail.Send",
      "User.Read",
    ]);
    expect(service.lastEvent()["scopesReturned"]).toHaveLength(7);
  });

  test.each([
    ["only the calling application: the limit of the user token's client remains", false, 500],
    ["both entries", true, 200],
  ])("set for %s", async (_name, users, status) => {
    const both = { "web-backend": { acceptSurplus: true }, "web-users": { acceptSurplus: users } };
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve({ settings: { POLICY: policyWithEntries(both) } });
    const form = exchangeForm(userToken(world), { scope: "User.Read" });
    const answer = await service.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
    expect(answer.status).toBe(status);
    expect(answer.text.includes("access_token")).toBe(users);
  });

  test("does not allow a caller to request more scopes", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve({ settings: { POLICY } });
    const answer = await service.call("/oauth2/token", {
      form: exchangeForm(userToken(world), { scope: "Files.Read" }),
    });
    expect(answer.json()).toMatchObject({ error: "invalid_scope", code: "scope_not_allowed" });
  });
});

describe("the scope member of Entra's answer", () => {
  const exchangeWithScope = async (scope: string) => {
    const body = { access_token: "opaque", token_type: "Bearer", expires_in: 3_600, scope };
    world.tenant.state.order({ endpoint: "token", client: "service", status: 200, body });
    return world.serve().call("/oauth2/token", { form: exchangeForm(userToken(world)) });
  };

  test.each([
    ["unqualified scopes", "User.Read Mail.Read"],
    ["qualified scopes", "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read"],
    ["OpenID scopes besides an allowed one", "openid profile email offline_access User.Read"],
    ["fewer scopes than requested", "User.Read"],
    ["several spaces between scopes", "  User.Read   Mail.Read "],
  ])("may have %s", async (_title, scope) => {
    expect((await exchangeWithScope(scope)).status).toBe(200);
  });

  test.each([
    ["an additional scope", "User.Read Mail.Send"],
    ["an additional qualified scope", "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Send"],
    ["a scope of another resource", "https://vault.azure.net/user_impersonation"],
    ["two scopes joined by a tab", "User.Read\tMail.Send"],
    ["two scopes joined by a comma", "User.Read,Mail.Send"],
    [".default", "https://graph.microsoft.com/.default"],
    ["the resource twice", "https://graph.microsoft.com/https://graph.microsoft.com/User.Read"],
  ])("is refused with %s", async (_title, scope) => {
    const answer = await exchangeWithScope(scope);
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    expect(answer.text).not.toContain("opaque");
  });

  test.each(["user.read", "https://Graph.microsoft.com/User.Read", "00000003-0000-0000-c000-000000000000/USER.READ"])(
    "is released in the spelling of the policy with Graph's scope %s",
    async (scope) => {
      const answer = await exchangeWithScope(scope);
      expect([answer.status, answer.json()["scope"]]).toEqual([200, "User.Read"]);
    },
  );
});

test("a scope consented for one caller's entry prevents the release to a caller whose entry lacks it", async () => {
  const POLICY = policyWith(({ apis, callers }) => {
    apis["graph"] = { ...apis["graph"], scopes: ["User.Read", "Mail.Read", "Mail.Send", ".default"] };
    Object.assign(callers.find(({ name }) => name === "web-users") ?? {}, {
      apis: { graph: ["User.Read", "Mail.Read", "Mail.Send"] },
    });
  });
  world.tenant.state.addConsent({ scopes: ["Mail.Send"] });
  const service = world.serve({ settings: { POLICY } });
  expect((await service.call("/oauth2/token", { form: exchangeForm(userToken(world)) })).status).toBe(200);
  const narrow = await service.call("/oauth2/token", { form: exchangeForm(userToken(world, { client: "public" })) });
  expect(narrow.json()).toMatchObject({ code: "scope_surplus" });
});
