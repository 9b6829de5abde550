/**
 * Entra requires multi-factor authentication: the service refuses the request, the user satisfies the demand, the service
 * accepts the request. The service passes Entra's demand to the caller and never answers it itself:
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
import { CLIENT_IDS } from "../tenant/directory/seed-ids.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";

const redirectUri = "http://localhost:8400/callback";

export const challengeSteps: readonly DemoStep[] = [
  {
    name: "Entra demands a second factor: the service refuses and passes the demand on as a claims challenge",
    run: async (demo) => {
      demo.say("(an administrator requires multi-factor authentication for alice and Graph)");
      await demo.control("requireClaims", { user: "alice" });
      const token = await demo.control("mintUserToken", { user: "alice", client: "web", capabilities: ["cp1"] });
      const refused = await askForHeader(demo, String(token));
      checkStatus(refused, 401);
      const challenge = String(refused.headers["www-authenticate"]);
      check(challenge.includes('error="insufficient_claims"'), "insufficient_claims in WWW-Authenticate");
      demo.remember("claims", Buffer.from(/claims="([^"]+)"/.exec(challenge)?.[1] ?? "", "base64").toString("utf8"));
    },
  },
  {
    name: "A client that cannot answer claims challenges gets an action to show to the user",
    run: async (demo) => {
      const token = await demo.control("mintUserToken", { user: "alice", client: "web" });
      const refused = await askForHeader(demo, String(token));
      checkStatus(refused, 403);
      check(refused.json()["action"] === "sign_in", "action sign_in");
    },
  },
  {
    name: "alice signs in again at Entra with these claims, and the service accepts the same request",
    run: async (demo) => {
      const token = await signInWithClaims(demo, demo.recall("claims"));
      try {
        checkStatus(await askForHeader(demo, token), 200);
      } finally {
        await demo.control("clearRequirements");
      }
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

/** Sends `forceRefresh`, because the cache may still hold the token of an earlier step. */
function askForHeader(demo: Demo, token: string) {
  return demo.ask("/AuthorizationHeader/graph", { headers: bearer(token), json: { forceRefresh: true } });
}

/** What alice's web application does with the challenge: it signs alice in at Entra with `claims`. */
async function signInWithClaims(demo: Demo, claims: string): Promise<string> {
  const { authority, service, callers } = demo.environment;
  const scope = `${service.audience}/${service.scope}`;
  const request = { client_id: CLIENT_IDS.web, response_type: "code", redirect_uri: redirectUri, scope, claims };
  demo.say("(alice signs in at Entra with these claims and approves the second factor)");
  const url = `${authority}/oauth2/v2.0/authorize?${new URLSearchParams(request)}`;
  const { location } = (await demo.control("signIn", { url, user: "alice" })) as { location: string };
  const response = await demo.ask(`${authority}/oauth2/v2.0/token`, {
    form: {
      grant_type: "authorization_code",
      client_id: CLIENT_IDS.web,
      client_secret: callers["web"]?.clientSecret ?? "",
      redirect_uri: redirectUri,
      code: new URL(location).searchParams.get("code") ?? "",
    },
  });
  checkStatus(response, 200);
  return bodyText(response, "access_token");
}
