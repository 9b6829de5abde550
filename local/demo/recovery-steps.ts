/**
 * A flow that runs without a person, and comes back to life when Entra has ended its grant: somebody makes a link for the
 * person, Entra ends the grant later, the answer brings the next link, and a new sign-in mends it.
 */
import { applicationToken, userToken } from "../caller/caller-token.ts";
import type { LocalResponse } from "../caller/local-request.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";
import { signInByLink } from "./sign-in-by-link.ts";

export const recoverySteps: readonly DemoStep[] = [
  {
    name: "erin (app role Grant.Create) makes a link for the flow, for bob alone; alice has no such role",
    run: async (demo) => {
      const { environment } = demo;
      const json = { api: "graph", caller: "daemon", expectedUser: environment.users["bob"]?.oid };
      const refused = await demo.ask("/signin/links", { headers: bearer(await userToken(environment, "alice")), json });
      checkStatus(refused, 403);
      const link = await demo.ask("/signin/links", { headers: bearer(await userToken(environment, "erin")), json });
      checkStatus(link, 201);
      demo.remember("bob's handle", await signInByLink(demo, bodyText(link, "url"), "bob"));
      await askGraphAsBob(demo, await redeem(demo));
    },
  },
  {
    name: "Entra ends the grant: the flow is told who can mend it, and gets the link to send on",
    run: async (demo) => {
      demo.say("(an administrator revokes bob's sessions)");
      await demo.control("revokeSessions", { user: "bob" });
      const refused = await redeem(demo, { forceRefresh: true });
      checkStatus(refused, 403);
      check(refused.json()["code"] === "grant_dead", "code grant_dead");
      check(refused.json()["action"] === "sign_in", "action sign_in");
      demo.remember("link", bodyText(refused, "signin_url"));
    },
  },
  {
    name: "bob signs in through that link, and the flow goes on with the new handle",
    run: async (demo) => {
      demo.remember("bob's handle", await signInByLink(demo, demo.recall("link"), "bob"));
      await askGraphAsBob(demo, await redeem(demo));
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** `forceRefresh`, where a token of a moment ago may still be in the cache. */
async function redeem(demo: Demo, more: { forceRefresh?: boolean } = {}): Promise<LocalResponse> {
  return demo.ask("/AuthorizationHeader/graph", {
    headers: bearer(await applicationToken(demo.environment, "daemon")),
    json: { grant: demo.recall("bob's handle"), ...more },
  });
}

async function askGraphAsBob(demo: Demo, response: LocalResponse): Promise<void> {
  checkStatus(response, 200);
  const headers = response.json()["headers"] as Record<string, string>;
  const me = await demo.ask(`${demo.environment.graphUrl}/v1.0/me`, { headers });
  checkStatus(me, 200);
  check(me.json()["id"] === demo.environment.users["bob"]?.oid, "Graph to answer as bob");
}
