import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIENT_IDS } from "../../local/tenant/seed-ids.ts";
import { type LocalWorld, type ServiceUnderTest, startLocalWorld } from "../support/service-under-test.ts";

let world: LocalWorld;
let service: ServiceUnderTest;
beforeAll(async () => {
  world = await startLocalWorld();
  service = world.serve();
});
afterAll(() => world.stop());

const ask = (json: unknown, roles: string[] = ["Policy.Explain"]) => {
  const token = world.tenant.state.mintUserToken({ user: "alice", client: "web", claims: { roles } });
  return service.call("/policy/explain", { headers: { authorization: `Bearer ${token}` }, json });
};
const webUser = { caller: { kind: "user", clientId: CLIENT_IDS.web }, flow: "on-behalf-of" };

describe("POST /policy/explain", () => {
  test("refuses a caller without the app role", async () => {
    const answer = await ask(webUser, []);
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: "role_required" });
  });

  test("refuses a question with an unknown member, by name", async () => {
    const answer = await ask({ ...webUser, nonsense: 1 });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: "parameter_invalid", detail: expect.stringContaining("nonsense") });
  });

  test.each([
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
  ])("%j", async (change, expected) => {
    const answer = await ask({ ...webUser, ...change });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject(expected);
  });
});
