/** The words of the fuzzed requests: real tokens, handles, codes, links and cookies, and forged ones. */

import { cookiesOf, newBrowser } from "../../sign-in/support/browser.ts";
import {
  allowedHandle,
  authorizePath,
  codeForClient,
  newPkce,
  push,
  requestLink,
} from "../../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, userToken } from "../../support/callers.ts";
import { CONFUSED_TOKENS } from "../../support/confused-tokens.ts";
import { secretOf } from "../../support/own-credentials.ts";
import type { ServiceUnderTest } from "../../support/service-under-test.ts";

export interface Vocabulary {
  /** Tokens that authenticate. */
  readonly tokens: readonly string[];
  /** Tokens that do not. */
  readonly forged: readonly string[];
  readonly handles: readonly string[];
  readonly secrets: readonly string[];
  /** Codes, links, request URIs and the states that belong to them. */
  readonly sealed: readonly string[];
  readonly cookies: readonly string[];
}

export async function collectVocabulary(service: ServiceUnderTest): Promise<Vocabulary> {
  const applications = ["web", "daemon", "reports"] as const;
  const tokens = [
    ...(["web", "public", "cli", "assistant"] as const).map((client) => userToken(service, { client })),
    userToken(service, { user: "bob" }),
    userToken(service, { claims: { roles: ["Grant.Create", "Policy.Explain"] } }),
    ...applications.map((client) => appToken(service, { client })),
  ];
  const pkce = newPkce();
  const code = await codeForClient(service, newBrowser(service), { pkce });
  const browser = newBrowser(service);
  const requestUri = await push(service, pkce);
  const departure = await browser.open(authorizePath(requestUri));
  const state = new URL(departure.headers.get("location") ?? "").searchParams.get("state") ?? "";
  const { link, handle: pending } = await requestLink(service);
  const form = exchangeForm(userToken(service), { scope: "User.Read Mail.Read offline_access" });
  const issued = (await service.call("/oauth2/token", { form })).json();
  const ended = await allowedHandle(service);
  const headers = bearer(appToken(service, { client: "daemon" }));
  await service.call("/oauth2/revoke", { form: { token: ended }, headers });
  return {
    tokens,
    forged: [...CONFUSED_TOKENS.map(({ mint }) => mint(service.tenant.state)), ...deepTokens()],
    handles: [String(issued["refresh_token"]), await allowedHandle(service), pending, ended, `gte_${"A".repeat(43)}`],
    secrets: applications.map((client) => secretOf(service, client)),
    sealed: [code.code, link.split("/").at(-1) ?? "", requestUri, state, pkce.verifier, pkce.challenge],
    cookies: [cookiesOf(browser)],
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Tokens whose parts are valid JSON of great depth. */
function deepTokens(): string[] {
  const part = (text: string) => Buffer.from(text).toString("base64url");
  const deep = `{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`;
  const header = part('{"typ":"JWT","alg":"RS256","kid":"x"}');
  return [`${header}.${part(deep)}.c2ln`, `${part(deep)}.${part("{}")}.c2ln`];
}
