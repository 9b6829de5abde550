/**
 * A flow runs without a user and recovers after Entra has ended its grant. An operator creates a sign-in link for the user.
 * Later Entra ends the grant, the service's answer contains a new link, and one answer of the same user makes the same handle
 * work again.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import type { LocalResponse } from "../caller/local-request.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";
import { signInByLink } from "./sign-in-by-link.ts";

export const recoverySteps: readonly DemoStep[] = [
  {
    name: "erin (app role Grant.Create) creates a sign-in link for the flow, only for bob; alice lacks the role",
    run: async (demo) => {
      const { environment } = demo;
      const json = { api: "graph", caller: "daemon", expectedUser: environment.users["bob"]?.oid };
      const refused = await demo.ask("/signin/links", { headers: bearer(await userToken(environment, "alice")), json });
      checkStatus(refused, 403);
      const link = await demo.ask("/signin/links", { headers: bearer(await userToken(environment, "erin")), json });
      checkStatus(link, 201);
      demo.remember("bob's handle", bodyText(link, "grant"));
      await signInByLink(demo, bodyText(link, "url"), "bob");
      await callGraphAsBob(demo, await redeemForHeader(demo));
    },
  },
  {
    name: "Entra ends the grant: the service answers the flow with the required action and a new sign-in link",
    run: async (demo) => {
      demo.say("(an administrator revokes bob's sessions)");
      await demo.control("revokeSessions", { user: "bob" });
      const refused = await redeemForHeader(demo, { forceRefresh: true });
      checkStatus(refused, 403);
      check(refused.json()["code"] === "grant_dead", "code grant_dead");
      check(refused.json()["action"] === "sign_in", "action sign_in");
      demo.remember("link", bodyText(refused, "signin_url"));
    },
  },
  {
    name: "bob signs in with that link, and the flow continues with the same handle",
    run: async (demo) => {
      await signInByLink(demo, demo.recall("link"), "bob");
      await callGraphAsBob(demo, await redeemForHeader(demo));
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** Sends `forceRefresh` if the cache may still hold the token of an earlier step. */
async function redeemForHeader(demo: Demo, more: { forceRefresh?: boolean } = {}): Promise<LocalResponse> {
  return demo.ask("/AuthorizationHeader/graph", {
    headers: bearer(await applicationToken(demo.environment, "daemon")),
    json: { grant: demo.recall("bob's handle"), ...more },
  });
}

async function callGraphAsBob(demo: Demo, response: LocalResponse): Promise<void> {
  checkStatus(response, 200);
  const headers = response.json()["headers"] as Record<string, string>;
  const me = await demo.ask(`${demo.environment.graphUrl}/v1.0/me`, { headers });
  checkStatus(me, 200);
  check(me.json()["id"] === demo.environment.users["bob"]?.oid, "Graph to return the profile of bob");
}
