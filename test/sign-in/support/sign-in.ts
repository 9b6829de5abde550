/** The steps of a sign-in, each by the real handlers; Entra's page is left out, its answer comes from `issueCode`. */
import { createHash, randomBytes } from "node:crypto";
import { appToken, bearer, CLIENT_IDS } from "../../support/callers.ts";
import type { Answer, ServiceUnderTest } from "../../support/service-under-test.ts";
import { type Browser, hiddenFields, leadsTo, pathOf } from "./browser.ts";

export const REDIRECT_URI = "http://localhost:9999/callback";
export const CALLBACK = "http://localhost:7071/oauth2/callback";

export interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
}

export function newPkce(): Pkce {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** A pushed request of the web backend's, complete and right. */
export function parForm(pkce: Pkce, changes: Record<string, string | undefined> = {}): Record<string, string> {
  const form: Record<string, string | undefined> = {
    response_type: "code",
    client_id: CLIENT_IDS.web,
    redirect_uri: REDIRECT_URI,
    scope: "User.Read Mail.Read",
    audience: "graph",
    state: "the-client's own state",
    code_challenge: pkce.challenge,
    code_challenge_method: "S256",
    ...changes,
  };
  return Object.fromEntries(Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export async function push(
  service: ServiceUnderTest,
  pkce: Pkce,
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  const answer = await service.call("/oauth2/par", {
    form: parForm(pkce, changes),
    headers: bearer(appToken(service)),
  });
  if (answer.status !== 201) throw new Error(`par answered ${answer.status} ${answer.text}`);
  return String(answer.json()["request_uri"]);
}

export function authorizePath(requestUri: string, clientId: string = CLIENT_IDS.web): string {
  return `/oauth2/authorize?${new URLSearchParams({ client_id: clientId, request_uri: requestUri })}`;
}

/** What Entra was asked in the redirect. */
export function askedOfEntra(answer: Answer): Record<string, string> {
  return Object.fromEntries(new URL(answer.headers.get("location") ?? "").searchParams);
}

export interface Signed {
  readonly user?: string;
  readonly nonce?: string;
  readonly scope?: string;
}

/** Entra's page, skipped: the code that it would send back with. */
export function entraCode(service: ServiceUnderTest, asked: Record<string, string>, signed: Signed = {}): string {
  const { user = "alice", nonce = asked["nonce"] ?? "", scope = asked["scope"] ?? "" } = signed;
  return service.tenant.state.issueCode({
    user,
    client: "service",
    redirectUri: asked["redirect_uri"] ?? "",
    scope,
    nonce,
    codeChallenge: asked["code_challenge"] ?? "",
    codeChallengeMethod: "S256",
  });
}

export function callbackPath(parameters: Record<string, string>): string {
  return `/oauth2/callback?${new URLSearchParams(parameters)}`;
}

/** The person answers the page, where the sign-in leads to one. */
export async function answerQuestion(browser: Browser, back: Answer, decision = "allow"): Promise<Answer> {
  const question = await browser.open(back.headers.get("location") ?? "");
  return browser.submit("/signin/confirm", { ...hiddenFields(question.text), decision });
}

/** From the pushed request to the client's redirect: the code that the client gets, after the page that may ask. */
export async function codeForClient(
  service: ServiceUnderTest,
  browser: Browser,
  { pkce, changes, signed }: { pkce: Pkce; changes?: Record<string, string | undefined>; signed?: Signed },
): Promise<{ readonly answer: Answer; readonly location: URL; readonly code: string }> {
  const departure = await browser.open(authorizePath(await push(service, pkce, changes)));
  const asked = askedOfEntra(departure);
  const code = entraCode(service, asked, signed);
  const answer = await browser.open(callbackPath({ code, state: asked["state"] ?? "" }));
  const header = answer.headers.get("location") ?? "none:";
  const asks = header.startsWith("/signin/confirm");
  const location = new URL(asks ? leadsTo((await answerQuestion(browser, answer)).text) : header);
  return { answer, location, code: location.searchParams.get("code") ?? "" };
}

export function codeForm(code: string, pkce: Pkce, changes: Record<string, string | undefined> = {}) {
  const form: Record<string, string | undefined> = {
    grant_type: "authorization_code",
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: pkce.verifier,
    ...changes,
  };
  return Object.fromEntries(Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export function redeem(service: ServiceUnderTest, form: Record<string, string>, token = appToken(service)) {
  return service.call("/oauth2/token", { form, headers: bearer(token) });
}

/** A link that the daemon makes for itself. */
export async function createLink(
  service: ServiceUnderTest,
  body: Record<string, unknown> = { api: "graph" },
): Promise<string> {
  const headers = bearer(appToken(service, { client: "daemon" }));
  const answer = await service.call("/signin/links", { json: body, headers });
  if (answer.status !== 201) throw new Error(`links answered ${answer.status} ${answer.text}`);
  return pathOf(String(answer.json()["url"]));
}

/** From the link to Entra and back: the answer of the callback. */
export async function signInByLink(
  service: ServiceUnderTest,
  browser: Browser,
  { link, signed }: { readonly link?: string; readonly signed?: Signed } = {},
): Promise<Answer> {
  const departure = await browser.open(link ?? (await createLink(service)));
  const asked = askedOfEntra(departure);
  return browser.open(callbackPath({ code: entraCode(service, asked, signed), state: asked["state"] ?? "" }));
}
