/**
 * A grant: issued with offline_access, redeemed by its handle, listed, revoked.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

export const grantSteps: readonly DemoStep[] = [
  {
    name: "offline_access: the answer contains a grant handle besides the token",
    run: async (demo) => {
      const response = await demo.ask("/oauth2/token", {
        form: {
          grant_type: jwtBearer,
          requested_token_use: "on_behalf_of",
          assertion: await userToken(demo.environment, "alice"),
          scope: "https://graph.microsoft.com/User.Read offline_access",
        },
      });
      checkStatus(response, 200);
      const handle = response.json()["refresh_token"];
      check(typeof handle === "string" && handle.startsWith("gte_"), "a handle gte_… as refresh_token");
      demo.remember("handle", handle);
    },
  },
  {
    name: "The caller redeems the handle for a new token",
    run: async (demo) => {
      const response = await redeemAtTokenEndpoint(demo);
      checkStatus(response, 200);
      const token = String(response.json()["access_token"]);
      const me = await demo.ask(`${demo.environment.graphUrl}/v1.0/me`, { headers: bearer(token) });
      checkStatus(me, 200);
    },
  },
  {
    name: "The user lists the grant; the list does not contain the handle",
    run: async (demo) => {
      const handle = demo.recall("handle");
      const response = await demo.ask("/grants", { headers: bearer(await userToken(demo.environment, "alice")) });
      checkStatus(response, 200);
      check(/"graph"/.test(response.text), "a grant for graph");
      check(!response.text.includes(handle), "no handle in the list");
    },
  },
  {
    name: "A backend requests one grant of alice for two APIs and redeems it for each",
    run: async (demo) => {
      const backend = bearer(await applicationToken(demo.environment, "web"));
      const issued = await demo.ask("/oauth2/token", {
        headers: backend,
        form: {
          grant_type: jwtBearer,
          requested_token_use: "on_behalf_of",
          assertion: await userToken(demo.environment, "alice"),
          audience: "graph",
          scope: "User.Read offline_access https://api.contoso.local/orders/Orders.Read",
        },
      });
      checkStatus(issued, 200);
      for (const api of ["graph", "orders"]) {
        const json = { grant: bodyText(issued, "refresh_token") };
        const response = await demo.ask(`/AuthorizationHeader/${api}`, { headers: backend, json });
        checkStatus(response, 200);
      }
    },
  },
  {
    name: "The user revokes the grant",
    run: async (demo) => {
      const response = await demo.ask("/oauth2/revoke", {
        headers: bearer(await userToken(demo.environment, "alice")),
        form: { token: demo.recall("handle"), token_type_hint: "refresh_token" },
      });
      checkStatus(response, 200);
    },
  },
  {
    name: "The handle of the revoked grant is refused",
    run: async (demo) => {
      const response = await redeemAtTokenEndpoint(demo);
      checkStatus(response, 400);
      check(response.json()["error"] === "invalid_grant", "invalid_grant");
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

async function redeemAtTokenEndpoint(demo: Demo) {
  return demo.ask("/oauth2/token", {
    headers: bearer(await userToken(demo.environment, "alice")),
    form: { grant_type: "refresh_token", refresh_token: demo.recall("handle") },
  });
}
