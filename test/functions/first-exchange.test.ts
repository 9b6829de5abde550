import { expect, test } from "vitest";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

test("a user's token becomes a Graph header that Graph accepts", async () => {
  const token = world.tenant.state.mintUserToken({ user: "alice", client: "web" });

  const answer = await service.call("/AuthorizationHeader/graph", { headers: { authorization: `Bearer ${token}` } });

  expect(answer.status).toBe(200);
  const payload = answer.json();
  expect(payload).toMatchObject({
    tokenType: "Bearer",
    headers: { Authorization: payload["authorizationHeader"], "Content-Type": "application/json" },
    scopes: expect.toSatisfy((scopes: string[]) => scopes.toSorted().join() === "Mail.Read,User.Read"),
  });
  const me = await fetch(`${world.tenant.url}/v1.0/me`, { headers: payload["headers"] as Record<string, string> });
  expect(me.status).toBe(200);
  expect(await me.json()).toMatchObject({ userPrincipalName: "alice@contoso.local" });
});
