/**
 * Requests that the service refuses, and its answers.
 */
import { userToken } from "../caller/caller-token.ts";
import { bearer, check, checkStatus, type DemoStep } from "./demo-step.ts";

export const refusalSteps: readonly DemoStep[] = [
  {
    name: "A request without a token gets 401 and a challenge",
    run: async (demo) => {
      const response = await demo.ask("/AuthorizationHeader/graph");
      checkStatus(response, 401);
      check(response.headers["www-authenticate"] !== undefined, "a WWW-Authenticate header");
    },
  },
  {
    name: "A client that is not in the policy gets 403 for every user",
    run: async (demo) => {
      const token = await userToken(demo.environment, "alice", "stranger");
      checkStatus(await demo.ask("/AuthorizationHeader/graph", { headers: bearer(token) }), 403);
    },
  },
  {
    name: "A password is refused, and the answer names the alternatives",
    run: async (demo) => {
      const form = { grant_type: "password", username: "alice@contoso.local", password: "never-sent-on" };
      const response = await demo.ask("/oauth2/token", { form });
      checkStatus(response, 400);
      check(response.json()["error"] === "unsupported_grant_type", "unsupported_grant_type");
    },
  },
];
