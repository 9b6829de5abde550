/**
 * An application in its own right: no person, its own permissions, a token of the second registration.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import { decodeClaims } from "../caller/show-token.ts";
import { CLIENT_IDS } from "../tenant/directory/seed-ids.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";

const route = "/AuthorizationHeaderUnauthenticated/graph";

export const applicationSteps: readonly DemoStep[] = [
  {
    name: "An application in its own right: a token of its own for Graph (client credentials)",
    run: async (demo) => {
      const response = await demo.ask("/oauth2/token", {
        headers: bearer(await applicationToken(demo.environment, "reports")),
        form: { grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default" },
      });
      checkStatus(response, 200);
      const token = bodyText(response, "access_token");
      check(decodeClaims(token)["appid"] === CLIENT_IDS.appOnly, "a token of the second registration");
      await listPeople(demo, bearer(token));
    },
  },
  {
    name: "The same as a header, in one GET",
    run: async (demo) => {
      const response = await demo.ask(route, {
        headers: bearer(await applicationToken(demo.environment, "reports")),
      });
      checkStatus(response, 200);
      await listPeople(demo, response.json()["headers"] as Record<string, string>);
    },
  },
  {
    name: "Not for a person, and not for an application that the policy does not entitle: 403",
    run: async (demo) => {
      const person = await demo.ask(route, { headers: bearer(await userToken(demo.environment, "alice")) });
      checkStatus(person, 403);
      check(person.json()["code"] === "application_required", "code application_required");
      const other = await demo.ask(route, { headers: bearer(await applicationToken(demo.environment, "daemon")) });
      checkStatus(other, 403);
      check(other.json()["code"] === "flow_not_allowed", "code flow_not_allowed");
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** What no delegated token of this service may do: the second registration has `User.Read.All` as an application. */
async function listPeople(demo: Demo, headers: Record<string, string>): Promise<void> {
  const people = await demo.ask(`${demo.environment.graphUrl}/v1.0/users`, { headers });
  checkStatus(people, 200);
}
