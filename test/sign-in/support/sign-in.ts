/** The steps of a sign-in through the real handlers. Entra's page is skipped; `issueCode` provides its answer. */
import { createHash, randomBytes } from "node:crypto";
import { appToken, bearer, CLIENT_IDS, USER_IDS } from "../../support/callers.ts";
import type { Answer, ServiceUnderTest } from "../../support/service-under-test.ts";
import { type Browser, hiddenFields, leadsTo, newBrowser, pathOf } from "./browser.ts";

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

/** A complete and valid pushed request of the web backend. */
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

/** The parameters of the authorization request in the redirect to Entra. */
export function entraRequest(answer: Answer): Record<string, string> {
  return Object.fromEntries(new URL(answer.headers.get("location") ?? "").searchParams);
}

export interface Signed {
  readonly user?: string;
  readonly nonce?: string;
  readonly scope?: string;
}

/** The code that Entra's page would return. */
export function entraCode(service: ServiceUnderTest, request: Record<string, string>, signed: Signed = {}): string {
  const { user = "alice", nonce = request["nonce"] ?? "", scope = request["scope"] ?? "" } = signed;
  return service.tenant.state.issueCode({
    user,
    client: request["client_id"] ?? "service",
    redirectUri: request["redirect_uri"] ?? "",
    scope,
    nonce,
    codeChallenge: request["code_challenge"] ?? "",
    codeChallengeMethod: "S256",
  });
}

export function callbackPath(parameters: Record<string, string>): string {
  return `/oauth2/callback?${new URLSearchParams(parameters)}`;
}

/** Opens the confirmation page and sends its form with the decision. */
export async function answerConfirmation(browser: Browser, back: Answer, decision = "allow"): Promise<Answer> {
  const page = await browser.open(back.headers.get("location") ?? "");
  return browser.submit("/signin/confirm", { ...hiddenFields(page.text), decision });
}

/**
 * From the pushed request to the client's redirect, with approval if there is a confirmation page: the client's code.
 */
export async function codeForClient(
  service: ServiceUnderTest,
  browser: Browser,
  { pkce, changes, signed }: { pkce: Pkce; changes?: Record<string, string | undefined>; signed?: Signed },
): Promise<{ readonly answer: Answer; readonly location: URL; readonly code: string }> {
  const departure = await browser.open(authorizePath(await push(service, pkce, changes)));
  const request = entraRequest(departure);
  const code = entraCode(service, request, signed);
  const answer = await browser.open(callbackPath({ code, state: request["state"] ?? "" }));
  const header = answer.headers.get("location") ?? "none:";
  const mustConfirm = header.startsWith("/signin/confirm");
  const location = new URL(mustConfirm ? leadsTo((await answerConfirmation(browser, answer)).text) : header);
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

export interface LinkWithHandle {
  readonly link: string;
  readonly handle: string;
}

/** A link that the daemon requests for itself, for alice unless the body says otherwise, and the handle with it. */
export async function requestLink(
  service: ServiceUnderTest,
  body: Record<string, unknown> = { api: "graph" },
): Promise<LinkWithHandle> {
  const headers = bearer(appToken(service, { client: "daemon" }));
  const json = { expectedUser: USER_IDS.alice, ...body };
  const answer = await service.call("/signin/links", { json, headers });
  if (answer.status !== 201) throw new Error(`links answered ${answer.status} ${answer.text}`);
  return { link: pathOf(String(answer.json()["url"])), handle: String(answer.json()["grant"]) };
}

export async function createLink(service: ServiceUnderTest, body?: Record<string, unknown>): Promise<string> {
  return (await requestLink(service, body)).link;
}

/** The page after the person's answer to a link. */
export async function answerLink(
  service: ServiceUnderTest,
  link: string,
  { decision = "allow", signed }: { readonly decision?: "allow" | "deny"; readonly signed?: Signed } = {},
): Promise<Answer> {
  const browser = newBrowser(service);
  const back = await signInByLink(service, browser, { link, ...(signed === undefined ? {} : { signed }) });
  if (back.status !== 303) return back;
  return answerConfirmation(browser, back, decision);
}

/** The handle of a grant that alice, unless `signed` says otherwise, allowed for the daemon. */
export async function allowedHandle(
  service: ServiceUnderTest,
  body?: Record<string, unknown>,
  signed?: Signed,
): Promise<string> {
  const { link, handle } = await requestLink(service, body);
  const done = await answerLink(service, link, signed === undefined ? {} : { signed });
  if (done.status !== 200) throw new Error(`the confirmation answered ${done.status} ${done.text}`);
  return handle;
}

/** From the link through Entra: the response of the callback. */
export async function signInByLink(
  service: ServiceUnderTest,
  browser: Browser,
  { link, signed }: { readonly link?: string; readonly signed?: Signed } = {},
): Promise<Answer> {
  const departure = await browser.open(link ?? (await createLink(service)));
  const request = entraRequest(departure);
  return browser.open(callbackPath({ code: entraCode(service, request, signed), state: request["state"] ?? "" }));
}
