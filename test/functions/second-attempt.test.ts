/** One passing fault of Entra's token endpoint does not reach the caller, and the token of another user is never used. */
import { describe, expect, test } from "vitest";
import { bearer, USER_IDS, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld({ newServiceForEachTest: true });
const ask = () => service.call("/AuthorizationHeader/graph", { headers: bearer(userToken(world)) });
const tokenRequests = () => world.tenant.state.requestCounts()["token"] ?? 0;

describe("Entra's token endpoint fails once", () => {
  test.each([
    ["with 503", { status: 503, body: "" }],
    ["with AADSTS90033", { aadsts: 90033 }],
    ["with a dropped connection", { drop: true }],
  ])("%s: the service tries once more and answers 200", async (_title, order) => {
    world.tenant.state.order({ endpoint: "token", client: "service", ...order });
    expect((await ask()).status).toBe(200);
    expect(tokenRequests()).toBe(2);
  });
});

test("Entra's token of another user is 502, is not cached, and the operator gets an event", async () => {
  const info = { uid: USER_IDS.bob, utid: world.tenant.state.tenantId };
  const body = {
    token_type: "Bearer",
    scope: "https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read",
    expires_in: 3_600,
    access_token: "token-of-bob",
    client_info: Buffer.from(JSON.stringify(info)).toString("base64url"),
  };
  world.tenant.state.order({ endpoint: "token", client: "service", status: 200, body });
  const headers = bearer(userToken(world));
  const answer = await service.call("/AuthorizationHeader/graph", { headers });
  expect(answer.json()).toMatchObject({ status: 502, code: "entra_answer_invalid" });
  expect(service.logs.find((line) => line.includes('"event":"entra"'))).toMatch(
    new RegExp(`"name":"other_user","expectedObjectId":"${USER_IDS.alice}","returnedObjectId":"${USER_IDS.bob}"`),
  );
  expect((await service.call("/AuthorizationHeader/graph", { headers })).json()["authorizationHeader"]).not.toContain(
    "token-of-bob",
  );
  expect(tokenRequests()).toBe(2);
});
