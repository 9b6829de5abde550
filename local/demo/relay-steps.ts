/**
 * A caller that uses Graph and never gets a token: the service sends its requests, as far as the rules of its policy entry
 * allow them.
 */
import { userToken } from "../caller/caller-token.ts";
import { bearer, check, checkStatus, type DemoStep } from "./demo-step.ts";

const MESSAGES = "/DownstreamApi/graph/v1.0/me/messages";

export const relaySteps: readonly DemoStep[] = [
  {
    name: "The assistant reads alice's messages through the relay, page by page",
    run: async (demo) => {
      const headers = bearer(await userToken(demo.environment, "alice", "assistant"));
      const first = await demo.ask(`${MESSAGES}?$select=subject&$top=2`, { headers });
      checkStatus(first, 200);
      const next = String(first.json()["@odata.nextLink"]);
      check(next.startsWith(`${demo.environment.serviceUrl}${MESSAGES}?`), "a paging link through the service");
      checkStatus(await demo.ask(next, { headers }), 200);
    },
  },
  {
    name: "It gets no token (relay_only), and no other request is sent (downstream_not_allowed)",
    run: async (demo) => {
      const headers = bearer(await userToken(demo.environment, "alice", "assistant"));
      const token = await demo.ask("/AuthorizationHeader/graph", { headers });
      checkStatus(token, 403);
      check(token.json()["code"] === "relay_only", "code relay_only");
      const users = await demo.ask("/DownstreamApi/graph/v1.0/users", { headers });
      checkStatus(users, 403);
      check(users.json()["code"] === "downstream_not_allowed", "code downstream_not_allowed");
    },
  },
];
