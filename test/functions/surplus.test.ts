/**
 * Entra does not downscope: a delegated token carries every scope that was ever consented. What is more than the caller's
 * list is not released, keeps no grant, and is the operator's to mend.
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

const listOfGrants = async (service: ServiceUnderTest, token: string) =>
  ((await service.call("/grants", { headers: bearer(token) })).json()["grants"] as unknown[]).length;

describe("a scope consented later, for something else", () => {
  test("is not released, on any route", async () => {
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

  test("is not released from the cache either: a narrower policy counts at once", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve();
    const token = userToken(world);
    for (let round = 0; round < 3; round++) {
      expect((await service.call("/AuthorizationHeader/graph", { headers: bearer(token) })).status).toBe(500);
    }
  });

  test("concerns only the user who consented", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve();
    const bob = await service.call("/oauth2/token", { form: exchangeForm(userToken(world, { user: "bob" })) });
    expect(bob.status).toBe(200);
  });

  test("makes no grant", async () => {
    const service = world.serve();
    const token = userToken(world);
    const before = await listOfGrants(service, token);
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const form = exchangeForm(token, { scope: "User.Read offline_access" });
    const answer = await service.call("/oauth2/token", { form });
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    expect(await listOfGrants(service, token)).toBe(before);
  });

  test("stops a grant that was made before, and the grant lives on until an administrator mends it", async () => {
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
    ["the calling application alone: the limit of the client that obtained the token stays", false, 500],
    ["both entries", true, 200],
  ])("of %s", async (_name, users, status) => {
    const both = { "web-backend": { acceptSurplus: true }, "web-users": { acceptSurplus: users } };
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve({ settings: { POLICY: policyWithEntries(both) } });
    const form = exchangeForm(userToken(world), { scope: "User.Read" });
    const answer = await service.call("/oauth2/token", { form, headers: bearer(appToken(world)) });
    expect(answer.status).toBe(status);
    expect(answer.text.includes("access_token")).toBe(users);
  });

  test("does not widen what may be asked", async () => {
    world.tenant.state.addConsent({ user: "alice", scopes: ["Files.Read"] });
    const service = world.serve({ settings: { POLICY } });
    const answer = await service.call("/oauth2/token", {
      form: exchangeForm(userToken(world), { scope: "Files.Read" }),
    });
    expect(answer.json()).toMatchObject({ error: "invalid_scope", code: "scope_not_allowed" });
  });
});

describe("what Entra may write in scope", () => {
  const answered = async (scope: string) => {
    const body = { access_token: "opaque", token_type: "Bearer", expires_in: 3_600, scope };
    world.tenant.state.order({ endpoint: "token", client: "service", status: 200, body });
    return world.serve().call("/oauth2/token", { form: exchangeForm(userToken(world)) });
  };

  test.each([
    ["bare", "User.Read Mail.Read"],
    ["with the resource", "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read"],
    ["with OpenID's own", "openid profile email offline_access User.Read"],
    ["fewer than asked", "User.Read"],
    ["several spaces", "  User.Read   Mail.Read "],
  ])("inside the list: %s", async (_title, scope) => {
    expect((await answered(scope)).status).toBe(200);
  });

  test.each([
    ["one more", "User.Read Mail.Send"],
    ["one more with the resource", "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Send"],
    ["in other letters", "user.read"],
    ["of another resource", "https://vault.azure.net/user_impersonation"],
    ["the resource in other letters", "https://Graph.microsoft.com/User.Read"],
    ["two in one by a tab", "User.Read\tMail.Send"],
    ["two in one by a comma", "User.Read,Mail.Send"],
    [".default", "https://graph.microsoft.com/.default"],
    ["the resource twice", "https://graph.microsoft.com/https://graph.microsoft.com/User.Read"],
  ])("outside the list: %s", async (_title, scope) => {
    const answer = await answered(scope);
    expect(answer.json()).toMatchObject({ code: "scope_surplus" });
    expect(answer.text).not.toContain("opaque");
  });
});

test("two tiers in one deployment: the narrow one is refused what the wide one consented to", async () => {
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
