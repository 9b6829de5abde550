/**
 * Reads the parameters of `/authorize` and checks them in Entra's order. Each failure goes to the client.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code
 */
import { EntraError, entraError } from "../errors/entra-error.ts";
import { type ClaimsRequest, parseClaimsRequest } from "../oauth/requirements.ts";
import { parseAllScopes, type ScopeRequests, type ScopeTenant } from "../oauth/scopes.ts";
import { type Form, required } from "../oauth/token-request.ts";
import type { ReplyAddress } from "./reply-address.ts";

export const PROMPTS = ["login", "select_account", "consent", "none"] as const;
export type Prompt = (typeof PROMPTS)[number];

export interface AuthorizeRequest extends ReplyAddress {
  readonly scopes: ScopeRequests;
  readonly claims: ClaimsRequest;
  readonly prompt: Prompt | undefined;
  readonly loginHint: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly codeChallengeMethod: "S256" | "plain";
  readonly clientInfo: boolean;
}

/** The length that a verifier may have (RFC 7636 section 4.2). */
const CODE_CHALLENGE = /^[A-Za-z0-9._~-]{43,128}$/;

export function readAuthorizeRequest(tenant: ScopeTenant, reply: ReplyAddress, params: Form): AuthorizeRequest {
  assertResponseType(required(params, "response_type"));
  return {
    ...reply,
    scopes: readScopes(tenant, reply, required(params, "scope")),
    claims: parseClaimsRequest(params.get("claims")),
    prompt: readPrompt(params.get("prompt")),
    loginHint: params.get("login_hint"),
    nonce: params.get("nonce"),
    codeChallenge: readChallenge(params.get("code_challenge")),
    codeChallengeMethod: readChallengeMethod(params.get("code_challenge_method")),
    clientInfo: params.get("client_info") === "1",
  };
}

/** Accepts `code` only, because no registration of the tenant allows tokens in the front channel. */
function assertResponseType(responseType: string): void {
  if (responseType === "code") return;
  const code = responseType.split(" ").includes("token") ? 700051 : 700054;
  throw entraError(code, { responseType });
}

/** A scope that the resource does not have is 650053 here. The token endpoint answers 70011. */
function readScopes(tenant: ScopeTenant, { client }: ReplyAddress, text: string): ScopeRequests {
  try {
    return parseAllScopes(tenant, text);
  } catch (failure) {
    const unknown = failure instanceof EntraError && failure.code === 70011 ? failure.options.values?.["scope"] : text;
    if (unknown === undefined || unknown === text) throw failure;
    throw entraError(650053, { name: client.displayName, scope: unknown, resource: "the requested resource" });
  }
}

function readPrompt(text: string | undefined): Prompt | undefined {
  const prompt = PROMPTS.find((one) => one === text);
  if (text !== undefined && prompt === undefined) throw entraError(90023, { parameter: "prompt" });
  return prompt;
}

function readChallenge(text: string | undefined): string | undefined {
  if (text !== undefined && !CODE_CHALLENGE.test(text)) throw entraError(501491);
  return text;
}

/** The default is `plain` (RFC 7636 section 4.3). */
function readChallengeMethod(text = "plain"): "S256" | "plain" {
  if (text !== "S256" && text !== "plain") throw entraError(90023, { parameter: "code_challenge_method" });
  return text;
}
