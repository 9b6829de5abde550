/**
 * The tenant's part of Graph and its second API: accepted tokens, and the form of the refusals.
 */
import { afterEach, describe, expect, test } from "vitest";
import { USER_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import type { UserTokenOverrides } from "../../../local/tenant/mint/mint-token.ts";
import { useTenant } from "../../support/use-tenant.ts";
import { send } from "./tenant-client.ts";

const tenant = useTenant();
afterEach(() => tenant.state.clearOrders());

function graphToken(overrides: UserTokenOverrides = {}): string {
  return tenant.state.mintUserToken({ client: "service", resource: "graph", ...overrides });
}

function get(path: string, token?: string, init: RequestInit = {}) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return send(`${tenant.url}${path}`, { headers, ...init });
}

describe("Graph refuses in its own form", () => {
  test.each<[string, string, () => string | undefined]>([
    ["no token", "Access token is empty.", () => undefined],
    ["garbage", "CompactToken parsing failed with error code: 80049217", () => "x.y"],
    ["our service's token", "Access token validation failure. Invalid audience.", () => tenant.state.mintUserToken()],
    ["expired", "Lifetime validation failed, the token is expired.", () => graphToken({ lifetimeSeconds: -1 })],
    ["altered", "Access token validation failure. Signature is invalid.", () => graphToken({ signature: "AAAA" })],
    ["unknown key", "Access token validation failure. Signature is invalid.", () => graphToken({ key: "unpublished" })],
    ["another issuer", "Access token validation failure. Invalid issuer.", () => graphToken({ claims: { iss: "x" } })],
  ])("%s", async (_, message, token) => {
    const answer = await get("/v1.0/me", token());
    expect(answer.status).toBe(401);
    expect(answer.body["error"]).toMatchObject({ code: "InvalidAuthenticationToken", message });
    expect(answer.headers.get("www-authenticate")).toContain("Bearer realm=");
  });

  test("missing scopes, an application at /me, an unknown path and another method", async () => {
    const scopes = ["openid"];
    expect((await get("/v1.0/me", graphToken({ scopes }))).body["error"]).toMatchObject({
      code: "Authorization_RequestDenied",
    });
    expect((await get("/v1.0/me/messages", graphToken({ scopes }))).body["error"]).toMatchObject({
      code: "ErrorAccessDenied",
    });
    expect((await get("/v1.0/users", graphToken())).status).toBe(403);
    const app = tenant.state.mintAppToken({ client: "appOnly", resource: "graph" });
    expect((await get("/v1.0/me", app)).status).toBe(400);
    expect((await get("/v1.0/nonsense", graphToken())).status).toBe(400);
    const headers = { authorization: `Bearer ${graphToken()}` };
    expect((await get("/v1.0/me", undefined, { method: "DELETE", headers })).status).toBe(405);
  });
});

test("Graph returns a user's data, and all users to an application with the role", async () => {
  expect((await get("/v1.0/me", graphToken({ user: "bob" }))).body).toMatchObject({ displayName: "Bob Baker" });
  expect((await get("/beta/me/messages", graphToken())).body["value"]).toHaveLength(3);
  const app = tenant.state.mintAppToken({ client: "appOnly", resource: "graph" });
  expect((await get("/v1.0/users", app)).body["value"]).toHaveLength(Object.keys(USER_IDS).length);
});

describe("continuous access evaluation (CC-7)", () => {
  const claimsIn = (header: string | null) => {
    const encoded = /claims="([^"]+)"/.exec(header ?? "")?.[1] ?? "";
    return Buffer.from(encoded, "base64").toString("utf8");
  };

  test("sends a scripted challenge with the given claims", async () => {
    const claims = '{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}';
    tenant.state.order({ endpoint: "graph", caeChallenge: claims, user: "alice" });
    expect((await get("/v1.0/me", graphToken({ user: "bob" }))).status).toBe(200);
    const answer = await get("/v1.0/me", graphToken());
    const header = answer.headers.get("www-authenticate");
    expect(answer.status).toBe(401);
    expect(header).toContain(`authorization_uri=${tenant.url}/common/oauth2/authorize, client_id="00000003-`);
    expect(header).toContain('error="insufficient_claims"');
    expect(claimsIn(header)).toBe(claims);
  });

  test("challenges after a revocation, only clients that declared cp1", async () => {
    const capable = graphToken({ user: "dave", capabilities: ["cp1"] });
    const plain = graphToken({ user: "dave" });
    const validFrom = Date.now() + 60_000;
    tenant.state.changeUser({ user: "dave", tokensValidFromMs: validFrom });
    const answer = await get("/v1.0/me", capable);
    expect(answer.status).toBe(401);
    expect(claimsIn(answer.headers.get("www-authenticate"))).toContain(String(Math.ceil(validFrom / 1000)));
    expect((await get("/v1.0/me", plain)).status).toBe(200);
    tenant.state.changeUser({ user: "dave", tokensValidFromMs: 0 });
    expect((await get("/v1.0/me", capable)).status).toBe(200);
  });

  test("throttles in the form of Graph", async () => {
    tenant.state.order({ endpoint: "graph", throttleSeconds: 3 });
    expect((await get("/v1.0/me", graphToken())).body["error"]).toMatchObject({ code: "TooManyRequests" });
  });
});

test("the Orders API accepts tokens for itself only and checks the scope", async () => {
  const token = (scopes: string[]) => tenant.state.mintUserToken({ client: "service", resource: "orders", scopes });
  expect((await get("/orders", token(["Orders.Read"]))).status).toBe(200);
  expect((await get("/orders", graphToken())).status).toBe(401);
  const headers = { authorization: `Bearer ${token(["Orders.Read"])}` };
  expect((await get("/orders/1", undefined, { method: "POST", headers })).status).toBe(403);
});

describe("Graph's requests and responses", () => {
  test("paths are compared without case, HEAD answers like GET", async () => {
    expect((await get("/V1.0/ME/Messages", graphToken())).body["value"]).toHaveLength(3);
    const headers = { authorization: `Bearer ${graphToken()}` };
    expect((await get("/v1.0/me", undefined, { method: "HEAD", headers })).status).toBe(200);
  });

  test("messages have pages, options, and ETags that conditions compare", async () => {
    const page = (await get("/v1.0/me/messages?$top=2&$select=subject", graphToken())).body;
    expect(page["value"]).toHaveLength(2);
    expect(String(page["@odata.nextLink"])).toContain("/v1.0/me/messages?%24top=2&%24select=subject&%24skip=2");
    expect((await get("/v1.0/me/messages?$filter=isRead eq false", graphToken())).body["value"]).toHaveLength(1);
    const writer = graphToken({ scopes: ["Mail.ReadWrite"] });
    const one = await get("/v1.0/me/messages/local-alice-1", writer);
    const etag = one.headers.get("etag") ?? "";
    const patch = (condition: string) =>
      get("/v1.0/me/messages/local-alice-1", undefined, {
        method: "PATCH",
        headers: { authorization: `Bearer ${writer}`, "if-match": condition },
      });
    expect([(await patch(etag)).status, (await patch("old")).status]).toEqual([200, 412]);
  });

  test("a batch answers each request with the token of the batch", async () => {
    const answer = await get("/v1.0/$batch", undefined, {
      method: "POST",
      headers: { authorization: `Bearer ${graphToken()}`, "content-type": "application/json" },
      body: JSON.stringify({
        requests: [
          { id: "1", method: "GET", url: "/me" },
          { id: "2", method: "GET", url: "/users" },
        ],
      }),
    });
    expect(answer.body["responses"]).toMatchObject([
      { id: "1", status: 200 },
      { id: "2", status: 403 },
    ]);
  });

  test("the content of a file is a redirect to another host, and responses have cookies", async () => {
    const answer = await get("/v1.0/me/drive/items/1/content", graphToken({ scopes: ["Files.Read"] }), {
      redirect: "manual",
      headers: { authorization: `Bearer ${graphToken({ scopes: ["Files.Read"] })}` },
    });
    expect([answer.status, answer.headers.get("location")?.slice(0, 28)]).toEqual([
      302,
      "https://files.contoso.local/",
    ]);
    expect(answer.headers.get("set-cookie")).not.toBeNull();
  });
});
