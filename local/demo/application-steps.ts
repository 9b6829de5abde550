/**
 * An application gets a token for itself, without a user: its own permissions, through the app-only registration.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import { decodeClaims } from "../caller/show-token.ts";
import { CLIENT_IDS } from "../tenant/directory/seed-ids.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";

const route = "/AuthorizationHeaderUnauthenticated/graph";

export const applicationSteps: readonly DemoStep[] = [
  {
    name: "An application gets a token for itself for Graph (client credentials)",
    run: async (demo) => {
      const response = await demo.ask("/oauth2/token", {
        headers: bearer(await applicationToken(demo.environment, "reports")),
        form: { grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" },
      });
      checkStatus(response, 200);
      const token = bodyText(response, "access_token");
      check(decodeClaims(token)["appid"] === CLIENT_IDS.appOnly, "a token of the app-only registration");
      await listUsers(demo, bearer(token));
    },
  },
  {
    name: "An application gets a header for itself, in one GET",
    run: async (demo) => {
      const response = await demo.ask(route, {
        headers: bearer(await applicationToken(demo.environment, "reports")),
      });
      checkStatus(response, 200);
      await listUsers(demo, response.json()["headers"] as Record<string, string>);
    },
  },
  {
    name: "A user, or an application that the policy does not entitle, gets 403",
    run: async (demo) => {
      const user = await demo.ask(route, { headers: bearer(await userToken(demo.environment, "alice")) });
      checkStatus(user, 403);
      check(user.json()["code"] === "application_required", "code application_required");
      const other = await demo.ask(route, { headers: bearer(await applicationToken(demo.environment, "daemon")) });
      checkStatus(other, 403);
      check(other.json()["code"] === "flow_not_allowed", "code flow_not_allowed");
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** Lists all users. This needs the application permission `User.Read.All`, which only the app-only registration has. */
async function listUsers(demo: Demo, headers: Record<string, string>): Promise<void> {
  const users = await demo.ask(`${demo.environment.graphUrl}/v1.0/users`, { headers });
  checkStatus(users, 200);
}
