/** The whole local stack, an application that receives the redirect, and the steps of a user. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import type { Stack } from "../../../local/stack/stack.ts";
import { newPkce, type Pkce, parForm } from "../../sign-in/support/sign-in.ts";
import { CLIENT_IDS, USER_IDS } from "../../support/callers.ts";
import { policyWithEntries } from "../../support/policies.ts";
import { startTestStack } from "../../support/test-stack.ts";

export interface Scene {
  readonly stack: Stack;
  readonly redirectUri: string;
  /** Moves the service's clock eleven minutes ahead. The next call moves it back. */
  moveClock(): Promise<void>;
  stop(): Promise<void>;
}

export interface SceneOptions {
  /** The playground answers `/` in place of the service's own page. */
  readonly playground?: boolean;
}

export async function startScene({ playground = false }: SceneOptions = {}): Promise<Scene> {
  const application = await startApplication();
  const { port } = application.address() as AddressInfo;
  const redirectUri = `http://localhost:${port}/callback`;
  const POLICY = policyWithEntries({ "web-backend": { redirectUris: [redirectUri] } });
  const clock = new URL("movable-clock.ts", import.meta.url);
  const stack = await startTestStack({ playground, serviceSettings: { POLICY, NODE_OPTIONS: `--import=${clock}` } });
  let moves = 0;
  return {
    stack,
    redirectUri,
    async moveClock() {
      moves += 1;
      process.kill(stack.service.pid, "SIGUSR2");
      await stack.service.logs.waitFor(`clock moved ${moves} times`);
    },
    async stop() {
      await stack.stop();
      application.closeAllConnections();
      application.close();
    },
  };
}

/** Answers every request with one page, so that a test can read the address. */
async function startApplication(): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>Application</title><link rel=icon href=data:,><h1>Welcome back</h1>");
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return server;
}

/** A sign-in link that the daemon creates, for alice unless the body says otherwise. */
export async function newLink(scene: Scene, body?: Record<string, unknown>): Promise<string> {
  return (await newLinkWithHandle(scene, body)).url;
}

/** The link, and the handle that only its application gets. */
export async function newLinkWithHandle(
  { stack }: Scene,
  body: Record<string, unknown> = { api: "graph" },
): Promise<{ readonly url: string; readonly grant: string }> {
  const token = stack.tenant.state.mintAppToken({ client: "daemon" });
  const answer = await fetch(`${stack.service.url}/signin/links`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ expectedUser: USER_IDS.alice, ...body }),
  });
  return (await answer.json()) as { url: string; grant: string };
}

/** The URL of /oauth2/authorize for a pushed authorization request. */
export async function newAuthorizeUrl(
  { stack, redirectUri }: Scene,
  changes: Record<string, string> = {},
): Promise<{ readonly url: string; readonly pkce: Pkce }> {
  const pkce = newPkce();
  const { service } = stack;
  const answer = await post(stack, "/oauth2/par", parForm(pkce, { redirect_uri: redirectUri, ...changes }));
  const query = new URLSearchParams({ client_id: CLIENT_IDS.web, request_uri: String(answer["request_uri"]) });
  return { url: `${service.url}/oauth2/authorize?${query}`, pkce };
}

/** Sends a form as the web application, with its own token. */
export async function post(stack: Stack, path: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  const answer = await fetch(stack.service.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${stack.tenant.state.mintAppToken({ client: "web" })}` },
    body: new URLSearchParams(form),
  });
  return (await answer.json()) as Record<string, unknown>;
}

/** The user selects an account and enters the password on Entra's pages. */
export async function signIn(page: Page, { stack }: Scene, name = "alice"): Promise<void> {
  await page.click(`#account-${name}`);
  await page.fill("#password", stack.tenant.state.directory.user(name)?.password ?? "");
  await page.click("#sign-in");
}
