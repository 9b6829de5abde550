/**
 * The exchange of a user's token, by each route that offers it.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import { bearer, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const userRead = "https://graph.microsoft.com/User.Read";

export const exchangeSteps: readonly DemoStep[] = [
  {
    name: "A user's token is exchanged for a Graph header, in one GET",
    run: async (demo) => {
      const response = await demo.ask("/AuthorizationHeader/graph", {
        headers: bearer(await userToken(demo.environment, "alice")),
      });
      checkStatus(response, 200);
      const { headers } = response.json();
      await callGraphAs(demo, headers as Record<string, string>, "alice");
    },
  },
  {
    name: "The same exchange by the token endpoint: jwt-bearer (on-behalf-of)",
    run: async (demo) => {
      const assertion = await userToken(demo.environment, "alice");
      const response = await demo.ask("/oauth2/token", {
        form: { grant_type: jwtBearer, requested_token_use: "on_behalf_of", assertion, scope: userRead },
      });
      checkStatus(response, 200);
      await callGraphAs(demo, bearer(String(response.json()["access_token"])), "alice");
    },
  },
  {
    name: "A backend exchanges its user's token (token exchange, RFC 8693)",
    run: async (demo) => {
      const response = await demo.ask("/oauth2/token", {
        headers: bearer(await applicationToken(demo.environment, "web")),
        form: {
          grant_type: tokenExchange,
          subject_token: await userToken(demo.environment, "bob"),
          subject_token_type: accessTokenType,
          audience: "graph",
        },
      });
      checkStatus(response, 200);
      const body = response.json();
      check(body["issued_token_type"] === accessTokenType, "issued_token_type access_token");
      await callGraphAs(demo, bearer(String(body["access_token"])), "bob");
    },
  },
  {
    name: "A caller has its own token validated and decoded: /Validate",
    run: async (demo) => {
      const response = await demo.ask("/Validate", { headers: bearer(await userToken(demo.environment, "alice")) });
      checkStatus(response, 200);
      const claims = response.json()["claims"] as Record<string, unknown>;
      check(claims["oid"] === demo.environment.users["alice"]?.oid, "alice's oid among the claims");
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

async function callGraphAs(demo: Demo, headers: Record<string, string>, user: string): Promise<void> {
  const me = await demo.ask(`${demo.environment.graphUrl}/v1.0/me`, { headers });
  checkStatus(me, 200);
  check(me.json()["id"] === demo.environment.users[user]?.oid, `Graph to return the profile of ${user}`);
}
