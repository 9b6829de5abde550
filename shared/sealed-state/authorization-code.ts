/**
 * The service's own authorization code: sealed state with Entra's code and everything needed to redeem it, bound to the
 * client, its redirect URI and its PKCE challenge. Only the client with the verifier can redeem it. Pure.
 */
import type { ConsentedApis, ReleaseBound } from "../core/api-scopes.ts";
import type { CodeRefusal } from "../core/failure.ts";
import { SecretValue } from "../core/secret-value.ts";
import { challengeOf, sameText } from "./pkce.ts";

/** The sealed content. */
export interface CodeContent {
  readonly clientId: string;
  /** Client id of the registration that Entra's code was issued for. */
  readonly registration: string;
  readonly redirectUri: string;
  /** The client's S256 challenge. */
  readonly codeChallenge: string;
  readonly entraCode: string;
  /** The service's PKCE verifier for Entra. */
  readonly verifier: string;
  readonly nonce: string;
  /** What policy allowed at the start of the sign-in. Policy decides again when the code is redeemed. */
  readonly apis: ConsentedApis;
  readonly offlineAccess: boolean;
  /** What the confirmation page showed, if there was one. */
  readonly bound: ReleaseBound | undefined;
}

/** A code that was unsealed and whose bindings were checked. */
export interface UnsealedCode extends Omit<CodeContent, "entraCode" | "verifier"> {
  readonly entraCode: SecretValue;
  readonly verifier: SecretValue;
}

/** What the client presents with the code. */
export interface CodePresented {
  readonly clientId: string;
  /** Client id of the registration that the client's token is for. */
  readonly registration: string;
  readonly redirectUri: string;
  readonly codeVerifier: SecretValue;
}

/** Why this client may not redeem the code (RFC 6749 section 4.1.3, RFC 7636 section 4.6). Undefined: it may. */
export function codeRefusal(content: CodeContent, presented: CodePresented): CodeRefusal | undefined {
  if (!sameText(content.clientId, presented.clientId.toLowerCase())) return "wrong_client";
  if (!sameText(content.redirectUri, presented.redirectUri)) return "wrong_redirect_uri";
  if (!sameText(content.codeChallenge, challengeOf(presented.codeVerifier.reveal()))) return "wrong_verifier";
  // Last, so that only the client that began the sign-in learns it.
  return content.registration === presented.registration ? undefined : "other_registration";
}

export function toUnsealedCode({ entraCode, verifier, ...content }: CodeContent): UnsealedCode {
  return { ...content, entraCode: new SecretValue(entraCode), verifier: new SecretValue(verifier) };
}
