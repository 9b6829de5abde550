/**
 * Users sign in through the service: for a backend (authorization code; the client secret stays in the service), and for a
 * flow that runs without the user (link, question, grant).
 */
import { createHash, randomBytes } from "node:crypto";
import { applicationToken } from "../caller/caller-token.ts";
import type { LocalResponse } from "../caller/local-request.ts";
import { localPolicy } from "../stack/policy.ts";
import { CLIENT_IDS } from "../tenant/directory/seed-ids.ts";
import { createDemoBrowser, locationOf } from "./demo-browser.ts";
import { bearer, bodyText, check, checkStatus, type Demo, type DemoStep } from "./demo-step.ts";
import { signInByLink } from "./sign-in-by-link.ts";

export const signInSteps: readonly DemoStep[] = [
  {
    name: "A backend signs a user in: pushed request, PKCE, code (RFC 9126, 7636, 6749)",
    run: async (demo) => {
      const verifier = randomBytes(32).toString("base64url");
      const pushed = await push(demo, createHash("sha256").update(verifier).digest("base64url"));
      checkStatus(pushed, 201);
      const request_uri = bodyText(pushed, "request_uri");
      const query = new URLSearchParams({ client_id: CLIENT_IDS.web, request_uri });
      const browser = createDemoBrowser(demo);
      const redirect = await browser.open(`/oauth2/authorize?${query}`);
      const returned = locationOf(await browser.open(await browser.signInAtEntra(redirect, "alice")));
      const answer = new URL(returned).searchParams;
      check(returned.startsWith(redirectUri()), "the backend's own redirect URI");
      check(answer.get("iss") === demo.environment.serviceUrl, "iss (RFC 9207)");
      const form = { grant_type: "authorization_code", redirect_uri: redirectUri(), code_verifier: verifier };
      const token = await demo.ask("/oauth2/token", {
        headers: bearer(await applicationToken(demo.environment, "web")),
        form: { ...form, code: answer.get("code") ?? "" },
      });
      checkStatus(token, 200);
      await callGraphAsAlice(demo, token);
    },
  },
  {
    name: "Contoso Nightly Job asks alice: it gets a link and a handle, which works as soon as she allows it",
    run: async (demo) => {
      const link = await demo.ask("/signin/links", {
        headers: bearer(await applicationToken(demo.environment, "daemon")),
        json: { api: "graph", expectedUser: demo.environment.users["alice"]?.oid },
      });
      checkStatus(link, 201);
      demo.remember("flow's handle", bodyText(link, "grant"));
      const early = await demo.ask("/AuthorizationHeader/graph", {
        headers: bearer(await applicationToken(demo.environment, "daemon")),
        json: { grant: demo.recall("flow's handle") },
      });
      checkStatus(early, 403);
      check(early.json()["code"] === "grant_pending", "code grant_pending");
      await signInByLink(demo, bodyText(link, "url"), "alice");
    },
  },
  {
    name: "Without alice, the flow redeems the handle with its own token",
    run: async (demo) => {
      const response = await demo.ask("/AuthorizationHeader/graph", {
        headers: bearer(await applicationToken(demo.environment, "daemon")),
        json: { grant: demo.recall("flow's handle") },
      });
      checkStatus(response, 200);
      const headers = response.json()["headers"] as Record<string, string>;
      const me = await demo.ask(`${demo.environment.graphUrl}/v1.0/me`, { headers });
      checkStatus(me, 200);
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

async function push(demo: Demo, codeChallenge: string): Promise<LocalResponse> {
  return demo.ask("/oauth2/par", {
    headers: bearer(await applicationToken(demo.environment, "web")),
    form: {
      response_type: "code",
      client_id: CLIENT_IDS.web,
      redirect_uri: redirectUri(),
      scope: "https://graph.microsoft.com/User.Read",
      state: randomBytes(8).toString("hex"),
      code_challenge: codeChallenge,
      code_challenge_method: "S256",
    },
  });
}

function redirectUri(): string {
  const backend = localPolicy.callers.find(({ name }) => name === "web-backend");
  check(backend !== undefined && "redirectUris" in backend, "redirect URIs of web-backend in local/stack/policy.ts");
  return backend.redirectUris[0];
}

async function callGraphAsAlice(demo: Demo, token: LocalResponse): Promise<void> {
  const me = await demo.ask(`${demo.environment.graphUrl}/v1.0/me`, {
    headers: bearer(bodyText(token, "access_token")),
  });
  checkStatus(me, 200);
  check(me.json()["id"] === demo.environment.users["alice"]?.oid, "Graph to return the profile of alice");
}
