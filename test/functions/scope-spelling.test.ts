/** How callers and policies spell scopes and resources: what clients of Entra really send, over every route. */
import { describe, expect, test } from "vitest";
import { CLIENT_IDS as IDS } from "../../local/tenant/directory/seed-ids.ts";
import { bearer, exchangeForm, userToken } from "../support/callers.ts";
import { policyWith, type TestPolicy } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";

const { world, service } = useWorld();

const GRAPH = "https://graph.microsoft.com";
const sortedScopes = (text: unknown) => String(text).split(" ").sort();
const asUser = () => bearer(userToken(world));

/** The service with a changed policy. Throws if it does not start. */
function serve(change: (policy: TestPolicy) => void) {
  return world.serve({ settings: { POLICY: policyWith(change) } });
}

describe("scopes of Graph in another case", () => {
  test.each(["user.read", "USER.READ", `${GRAPH}/user.read`, "https://Graph.Microsoft.com/User.Read"])(
    "POST /oauth2/token with scope %s answers the scopes in the spelling of the policy",
    async (scope) => {
      const answer = await service.call("/oauth2/token", { form: exchangeForm(userToken(world), { scope }) });
      expect(answer.status).toBe(200);
      expect(sortedScopes(answer.json()["scope"])).toEqual(["Mail.Read", "User.Read"]);
    },
  );

  test("POST /AuthorizationHeader/{api} with scopes in another case answers them in the spelling of the policy", async () => {
    const answer = await service.call("/AuthorizationHeader/graph", {
      json: { scopes: ["user.read"] },
      headers: asUser(),
    });
    expect([answer.status, [...(answer.json()["scopes"] as string[])].sort()]).toEqual([
      200,
      ["Mail.Read", "User.Read"],
    ]);
  });

  test("all spellings of a scope share one cached token", async () => {
    const token = userToken(world);
    const tokens = new Set<unknown>();
    for (const scope of ["Mail.Read", "mail.read", `${GRAPH}/MAIL.READ`]) {
      const answer = await service.call("/oauth2/token", { form: exchangeForm(token, { scope }) });
      tokens.add(answer.json()["access_token"]);
    }
    expect(tokens.size).toBe(1);
  });

  test("a policy with its scopes in another case than Entra's works, and answers have its spelling", async () => {
    const lower = serve(({ apis, callers }) => {
      apis["graph"] = { ...apis["graph"], scopes: ["user.read", "mail.read", ".default"] };
      for (const entry of callers.filter(({ name }) => name !== "reports")) {
        Object.assign(entry, { apis: { graph: ["user.read", "mail.read"] } });
      }
    });
    const answer = await lower.call("/oauth2/token", {
      form: exchangeForm(userToken(world), { scope: "User.Read offline_access" }),
    });
    expect([answer.status, sortedScopes(answer.json()["scope"])]).toEqual([200, ["mail.read", "user.read"]]);
    const form = { grant_type: "refresh_token", refresh_token: String(answer.json()["refresh_token"]) };
    // The grant was issued with the spelling of that policy.
    const redeemed = await service.call("/oauth2/token", { form, headers: asUser() });
    expect([redeemed.status, sortedScopes(redeemed.json()["scope"])]).toEqual([200, ["Mail.Read", "User.Read"]]);
  });

  test("a scope of another API in another case is refused with the right spelling", async () => {
    const answer = await service.call("/AuthorizationHeader/orders", {
      json: { scopes: ["orders.read"] },
      headers: asUser(),
    });
    expect(answer.json()).toMatchObject({ status: 403, code: "scope_not_allowed" });
  });
});

test("an API without App ID URI is named by its application id", async () => {
  const named = serve(({ apis }) => {
    apis["orders"] = { ...apis["orders"], resource: IDS.orders };
  });
  for (const scope of [`${IDS.orders}/Orders.Read`, `${IDS.orders.toUpperCase()}/Orders.Read`]) {
    const { audience: _, ...form } = exchangeForm(userToken(world), { scope });
    const answer = await named.call("/oauth2/token", { form });
    expect([answer.status, answer.json()["scope"]]).toEqual([200, "Orders.Read"]);
  }
});

describe("a policy that could never match does not start", () => {
  test.each([
    [`${GRAPH}/`, `write ${GRAPH}`],
    [`${GRAPH}/v1.0`, `write ${GRAPH}`],
    ["http://graph.microsoft.com", `write ${GRAPH}`],
    ["https://GRAPH.microsoft.com", `write ${GRAPH}`],
    ["00000003-0000-0000-c000-000000000000", `write ${GRAPH}`],
  ])("with the resource %s, and the message says: %s", (resource, right) => {
    const change = ({ apis }: TestPolicy) => {
      apis["graph"] = { ...apis["graph"], resource };
    };
    expect(() => serve(change)).toThrow(right);
  });

  test.each([
    ["user.read", "repeats apis.graph.scopes.0 in another case"],
    [`${GRAPH}/Files.Read`, "write Files.Read"],
    ["Offline_Access", "is a scope of OpenID Connect"],
  ])("with the scope %s, and the message says: %s", (scope, message) => {
    const change = ({ apis }: TestPolicy) => {
      apis["graph"] = { ...apis["graph"], scopes: ["User.Read", "Mail.Read", ".default", scope] };
    };
    expect(() => serve(change)).toThrow(message);
  });

  test("with the resource of an API that is named by its application id, the policy starts", () => {
    const change = ({ apis }: TestPolicy) => {
      apis["devops"] = { resource: "499b84ac-1321-427f-aa17-267ca6975798", scopes: ["user_impersonation"] };
    };
    expect(() => serve(change)).not.toThrow();
  });
});
