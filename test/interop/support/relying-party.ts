/**
 * What a web application of the policy brings to an OAuth library that nobody here wrote: its way to prove itself, its
 * redirect URI, and a browser in which alice signs in.
 */
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { localPolicy } from "../../../local/stack/policy.ts";
import { type Stack, startStack } from "../../../local/stack/stack.ts";
import { CLIENT_IDS } from "../../../local/tenant/directory/seed-ids.ts";

export const CLIENT_ID = CLIENT_IDS.web;
export const USER_READ = "https://graph.microsoft.com/User.Read";

export interface RelyingParty {
  readonly stack: Stack;
  readonly serviceUrl: URL;
  readonly redirectUri: string;
  /**
   * The `ClientAuth` of both libraries: an app-only token of Entra's as `client_assertion` (RFC 7523 section 2.2). Made
   * anew for each request, as a real client's SDK would do when its token has ended.
   */
  authenticate(server: unknown, client: unknown, body: URLSearchParams): void;
  /** A person's token for the service, as the application's own front end got it. */
  userToken(user: string): string;
  /** From the authorization URL through Entra's pages to the redirect URI, with the answer in it. */
  signIn(authorizationUrl: URL, answers?: { user?: string; consent?: "accept" | "cancel" }): Promise<URL>;
  /** Who Graph takes the bearer of this token for. */
  whoIs(accessToken: string): Promise<unknown>;
}

export async function startRelyingParty(): Promise<RelyingParty> {
  const stack = await startStack();
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

/** The person presses Allow on the page of ours that asks before a permission is kept. */
async function allow(question: URL, browserRequest: Response): Promise<URL> {
  const cookie = browserRequest.headers
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
  throw new Error("the local policy names no redirect URI of the web application");
}
