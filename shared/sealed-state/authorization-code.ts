/**
 * Our own authorization code: Entra's code with everything needed to redeem it, sealed, bound to the client, its
 * redirect URI and its challenge. Only the client's verifier makes it worth anything. Pure.
 */
import type { ConsentedApis, ReleaseBound } from "../core/api-scopes.ts";
import type { CodeRefusal } from "../core/failure.ts";
import { SecretValue } from "../core/secret-value.ts";
import { challengeOf, sameText } from "./pkce.ts";

/** What the seal holds. */
export interface CodeContent {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The client's S256 challenge. */
  readonly codeChallenge: string;
  readonly entraCode: string;
  /** Ours, towards Entra. */
  readonly verifier: string;
  readonly nonce: string;
  /** What policy allowed at the start; it decides again at the end. */
  readonly apis: ConsentedApis;
  readonly offlineAccess: boolean;
  /** What the person was shown, where a page asked. */
  readonly bound: ReleaseBound | undefined;
}

/** A code whose bindings were checked. */
export interface UnsealedCode extends Omit<CodeContent, "entraCode" | "verifier"> {
  readonly entraCode: SecretValue;
  readonly verifier: SecretValue;
}

/** What the client presents with the code. */
export interface CodePresented {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeVerifier: SecretValue;
}

/** Why the code is not this client's to redeem (RFC 6749 section 4.1.3, RFC 7636 section 4.6), or nothing. */
export function codeRefusal(content: CodeContent, presented: CodePresented): CodeRefusal | undefined {
  if (!sameText(content.clientId, presented.clientId.toLowerCase())) return "wrong_client";
  if (!sameText(content.redirectUri, presented.redirectUri)) return "wrong_redirect_uri";
  return sameText(content.codeChallenge, challengeOf(presented.codeVerifier.reveal())) ? undefined : "wrong_verifier";
}

export function toUnsealedCode({ entraCode, verifier, ...content }: CodeContent): UnsealedCode {
  return { ...content, entraCode: new SecretValue(entraCode), verifier: new SecretValue(verifier) };
}
