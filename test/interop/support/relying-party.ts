/**
 * A web application of the policy for tests with a third-party OAuth library: its client authentication, its redirect URI,
 * and a browser in which alice signs in.
 */
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { localPolicy } from "../../../local/stack/policy.ts";
import type { Stack } from "../../../local/stack/stack.ts";
import { CLIENT_IDS } from "../../../local/tenant/directory/seed-ids.ts";
import { startTestStack } from "../../support/test-stack.ts";

export const CLIENT_ID = CLIENT_IDS.web;
export const USER_READ = "https://graph.microsoft.com/User.Read";

export interface RelyingParty {
  readonly stack: Stack;
  readonly serviceUrl: URL;
  readonly redirectUri: string;
  /**
   * The `ClientAuth` of both libraries: an app-only token of Entra as `client_assertion` (RFC 7523 section 2.2), with a new
   * token for each request.
   */
  authenticate(server: unknown, client: unknown, body: URLSearchParams): void;
  /** A user token for the service, as the front end of the application gets it. */
  userToken(user: string): string;
  /** Opens the authorization URL, signs in at Entra and returns the redirect URI with the response. */
  signIn(authorizationUrl: URL, answers?: { user?: string; consent?: "accept" | "cancel" }): Promise<URL>;
  /** The user principal name that Graph returns for this token. */
  whoIs(accessToken: string): Promise<unknown>;
}

export async function startRelyingParty(serviceSettings: Record<string, string> = {}): Promise<RelyingParty> {
  const stack = await startTestStack({ serviceSettings });
  const { state } = stack.tenant;
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(stack.environment.caCertPath, "utf8")]);
  return {
    stack,
    serviceUrl: new URL(stack.environment.serviceUrl),
    redirectUri: registeredRedirectUri(),
    authenticate: (_server, _client, body) => {
      body.set("client_id", CLIENT_ID);
      body.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      body.set("client_assertion", state.mintAppToken({ client: "web", clientAuth: "1" }));
    },
    userToken: (user) => state.mintUserToken({ user, client: "web", clientAuth: "1" }),
    signIn: async (authorizationUrl, answers) => {
      const departure = await fetch(authorizationUrl, { redirect: "manual" });
      const url = departure.headers.get("location");
      if (url === null) throw new Error(`no redirect: ${departure.status} ${await departure.text()}`);
      const cookie = departure.headers
        .getSetCookie()
        .map((line) => line.split(";", 1)[0])
        .join("; ");
      const { location } = state.signIn({ url, ...answers });
      const browserRequest = await fetch(location, { headers: { cookie }, redirect: "manual" });
      const next = browserRequest.headers.get("location") ?? "";
      return next.startsWith("/signin/confirm")
        ? allow(new URL(next, stack.environment.serviceUrl), browserRequest)
        : new URL(next);
    },
    whoIs: async (accessToken) => {
      const headers = { authorization: `Bearer ${accessToken}` };
      const response = await fetch(`${stack.environment.graphUrl}/v1.0/me`, { headers });
      return ((await response.json()) as Record<string, unknown>)["userPrincipalName"];
    },
  };
}

/** The person presses Allow on the confirmation page that the service shows before it stores a grant. */
async function allow(question: URL, arrival: Response): Promise<URL> {
  const cookie = arrival.headers
    .getSetCookie()
    .map((line) => line.split(";", 1)[0] ?? "")
    .filter((pair) => !pair.endsWith("="))
    .join("; ");
  const page = await (await fetch(question, { headers: { cookie } })).text();
  const body = new URLSearchParams({ decision: "allow" });
  for (const [, name = "", value = ""] of page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)) {
    body.set(name, value);
  }
  const headers = { cookie, "sec-fetch-site": "same-origin", origin: question.origin };
  const answer = await fetch(new URL("/signin/confirm", question), { method: "POST", headers, body });
  const [, url = ""] = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(await answer.text()) ?? [];
  return new URL(url.replaceAll("&amp;", "&"));
}

function registeredRedirectUri(): string {
  for (const caller of localPolicy.callers) {
    if (caller.clientId === CLIENT_ID && "redirectUris" in caller) return caller.redirectUris[0];
  }
  throw new Error("the local policy has no redirect URI for the web application");
}
