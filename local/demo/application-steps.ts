/**
 * The application's own token, from the second registration; off in a stack that does not configure one.
 */
import { applicationToken } from "../caller-token.ts";
import { bearer, check, checkStatus, type DemoStep } from "./demo-step.ts";

export const applicationSteps: readonly DemoStep[] = [
  {
    name: "An application's own token: only for callers that the policy entitles",
    run: async (demo) => {
      const response = await demo.ask("/AuthorizationHeaderUnauthenticated/graph", {
        headers: bearer(await applicationToken(demo.environment, "daemon")),
      });
      if (response.status === 403) {
        demo.say(
          "(this stack's policy entitles nobody: APP_ONLY_CLIENT_ID and an entry with client-credentials would)",
        );
        return;
      }
      checkStatus(response, 200);
      const headers = response.json()["headers"] as Record<string, string>;
      const users = await demo.ask(`${demo.environment.graphUrl}/v1.0/users`, { headers });
      check(users.status === 200, "Graph to list users for the application");
    },
  },
];
