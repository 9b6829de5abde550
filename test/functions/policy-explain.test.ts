import { describe, expect, test } from "vitest";
import { bearer, CLIENT_IDS, USER_IDS, userToken } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

const explain = (json: unknown, { user = "erin", at = service } = {}) =>
  at.call("/policy/explain", { headers: bearer(userToken(world, { user })), json });

const webUser = { kind: "user", clientId: CLIENT_IDS.web };
const backend = { kind: "application", clientId: CLIENT_IDS.web };
const daemon = { kind: "application", clientId: CLIENT_IDS.daemon };
const question = { caller: webUser, flow: "on-behalf-of" };

describe("POST /policy/explain", () => {
  test("refuses a caller without the app role", async () => {
    const answer = await explain(question, { user: "alice" });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: "role_required" });
  });

  test("refuses an unknown member and names it", async () => {
    const answer = await explain({ ...question, nonsense: 1 });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: "parameter_invalid", detail: expect.stringContaining("nonsense") });
  });

  test("refuses a question without a required member and names it", async () => {
    const answer = await explain({ caller: daemon, flow: "refresh-token", api: "graph" });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: "parameter_missing", detail: expect.stringContaining("grant") });
  });

  test.each<[object, object]>([
    [{ api: "graph" }, { allowed: true, entry: "web-users", scopes: ["Mail.Read", "User.Read"] }],
    [
      { api: "graph", scopes: ["User.Read"] },
      { allowed: true, scopes: ["User.Read"] },
    ],
    [
      { api: "graph", scopes: ["Mail.Send"] },
      { allowed: false, entry: "web-users", reason: "scope_not_allowed" },
    ],
    [{}, { allowed: false, entry: "web-users", reason: "api_not_named" }],
    [
      { api: "graph", flow: "client-credentials" },
      { allowed: false, reason: "flow_not_allowed" },
    ],
    [{ caller: { kind: "user", clientId: CLIENT_IDS.stranger } }, { allowed: false, reason: "caller_not_listed" }],
  ])("a user with the web application's client, %j", async (change, expected) => {
    const answer = await explain({ ...question, ...change });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject(expected);
  });
});

describe("POST /policy/explain about", () => {
  const graph = { api: "graph", scopes: ["Mail.Read", "User.Read"] };
  const orders = { api: "orders", scopes: ["Orders.Read"] };

  test.each<[string, object, object]>([
    [
      "a backend with a user token for the same client",
      { caller: backend, flow: "on-behalf-of", subject: webUser, api: "orders" },
      { allowed: true, entry: "web-backend", scopes: ["Orders.Read"] },
    ],
    [
      "a backend with a user token for another client",
      { caller: backend, flow: "on-behalf-of", subject: { ...webUser, clientId: CLIENT_IDS.public }, api: "graph" },
      { allowed: false, reason: "subject_client_not_allowed" },
    ],
    [
      "a daemon with its grant",
      { caller: daemon, flow: "refresh-token", grant: graph },
      { allowed: true, entry: "daemon", api: { name: "graph" }, releasable: ["Mail.Read", "User.Read"] },
    ],
    [
      "a grant for several APIs, redeemed for the second",
      { caller: backend, flow: "refresh-token", grant: [graph, orders], api: "orders" },
      { allowed: true, entry: "web-backend", api: { name: "orders" } },
    ],
    [
      "a grant for an API that the entry no longer lists",
      { caller: daemon, flow: "refresh-token", grant: [graph, orders], api: "orders" },
      { allowed: false, reason: "api_not_allowed" },
    ],
    [
      "an import of Entra's refresh token",
      { caller: daemon, flow: "refresh-token", import: true, api: "graph" },
      { allowed: false, reason: "import_not_allowed" },
    ],
    [
      "a sign-in with an unregistered redirect URI",
      { caller: backend, flow: "authorization-code", redirectUri: "https://elsewhere.example/", api: "graph" },
      { allowed: false, reason: "redirect_uri_not_allowed" },
    ],
  ])("%s", async (_title, question, expected) => {
    const answer = await explain(question);
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject(expected);
  });
});

describe("POST /policy/explain about a sign-in link", () => {
  test.each<[string, object, object]>([
    [
      "for an allowed application",
      { caller: "daemon", apis: { graph: [] } },
      {
        allowed: true,
        entry: "daemon",
        offlineAccess: true,
        requiresOneOf: ["expectedUser", "codeChallenge"],
        linkMinutes: 10,
      },
    ],
    [
      "for several APIs",
      { caller: "web-backend", apis: { graph: ["User.Read"], orders: [] } },
      { allowed: true, scopes: ["User.Read"], also: [{ api: { name: "orders" }, scopes: ["Orders.Read"] }] },
    ],
    [
      "for an unknown entry",
      { caller: "nobody", apis: { graph: [] } },
      { allowed: false, reason: "caller_not_listed" },
    ],
    [
      "for an entry of users",
      { caller: "web-users", apis: { graph: [] } },
      { allowed: false, reason: "application_required" },
    ],
    [
      "for an entry without the refresh-token flow",
      { caller: "reports", apis: { graph: [] } },
      { allowed: false, reason: "flow_not_allowed" },
    ],
    [
      "for an API that the entry does not list",
      { caller: "daemon", apis: { orders: [] } },
      { allowed: false, reason: "api_not_allowed" },
    ],
    ["for an unknown API", { caller: "daemon", apis: { x: [] } }, { allowed: false, reason: "api_unknown" }],
  ])("%s gives the same answer as POST /signin/links", async (_title, link, expected) => {
    const answer = await explain({ link });
    expect(answer.json()).toMatchObject(expected);
    const made = await service.call("/signin/links", {
      headers: bearer(userToken(world, { user: "erin" })),
      json: { ...link, expectedUser: USER_IDS.alice },
    });
    expect(made.status === 201).toBe(answer.json()["allowed"]);
    expect(made.status === 201 || made.json()["code"] === answer.json()["reason"]).toBe(true);
  });

  test("says that a link names its person or its session, exactly if POST /signin/links refuses one without", async () => {
    for (const anyPersonMayAllow of [false, true]) {
      const POLICY = policyWithEntries({ daemon: { anyPersonMayAllow, linkMinutes: 60 } });
      const at = world.serve({ settings: { POLICY } });
      const link = { caller: "daemon", apis: { graph: [] } };
      const answer = (await explain({ link }, { at })).json();
      expect(answer).toMatchObject({ allowed: true, linkMinutes: 60 });
      expect(answer["requiresOneOf"]).toEqual(anyPersonMayAllow ? [] : ["expectedUser", "codeChallenge"]);
      const headers = bearer(userToken(world, { user: "erin" }));
      const without = await at.call("/signin/links", { headers, json: link });
      expect(without.status).toBe(anyPersonMayAllow ? 201 : 400);
      expect(without.text.includes("expectedUser")).toBe(!anyPersonMayAllow);
    }
  });

  test("for an entry that may not act unattended is refused", async () => {
    const at = world.serve({
      settings: { POLICY: policyWithEntries({ daemon: { unattended: false, offlineAccess: false } }) },
    });
    const answer = await explain({ link: { caller: "daemon", apis: { graph: [] } } }, { at });
    expect(answer.json()).toMatchObject({ allowed: false, reason: "unattended_not_allowed" });
  });
});

describe("POST /policy/explain about the relay", () => {
  const assistant = { kind: "user", clientId: CLIENT_IDS.assistant };
  const asked = { caller: assistant, flow: "on-behalf-of", api: "graph" };
  const rules = ["GET /v1.0/me/messages ($select $top $skip)", "GET /v1.0/me/messages/**"];

  test("a caller without release gets no token, and the answer has its rules", async () => {
    expect((await explain(asked)).json()).toMatchObject({
      allowed: false,
      entry: "assistant-users",
      reason: "relay_only",
      listed: rules,
    });
  });

  test("a request that a rule allows, one that none allows, and a path with two readings", async () => {
    const call = (path: string) => explain({ ...asked, call: { method: "GET", path } });
    expect((await call("/v1.0/me/messages/1")).json()).toMatchObject({
      allowed: true,
      downstream: { rule: "/v1.0/me/messages/**" },
    });
    expect((await call("/v1.0/me?$select=id")).json()).toMatchObject({
      allowed: false,
      reason: "downstream_not_allowed",
      requested: ["GET /v1.0/me?$select"],
      listed: rules,
    });
    expect((await call("/v1.0/me/..")).json()).toMatchObject({ status: 400, code: "path_invalid" });
  });
});
