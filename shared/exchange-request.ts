/**
 * What a caller asks for, in one shape for every route that gives tokens: read and bounded by `http/`, not yet trusted.
 */
import type { RequestTrace } from "./request-trace.ts";
import type { SecretValue } from "./secret-value.ts";

/** How the caller shows who it is. Exactly one of these, or nothing. */
export type Proof =
  | { readonly method: "bearer"; readonly token: SecretValue }
  | { readonly method: "client_assertion"; readonly token: SecretValue }
  /** The token to exchange is the proof: a user exchanging the very token presented. */
  | { readonly method: "subject_itself" };

/** Which of the service's flows is asked for, with what it needs from the caller. */
export type Ask =
  | {
      readonly flow: "on-behalf-of";
      /** Absent: the caller's own token (header route). */
      readonly subject: SecretValue | undefined;
      readonly presentedAs: "subject_token" | "assertion";
    }
  | { readonly flow: "refresh-token"; readonly refreshToken: SecretValue }
  | {
      readonly flow: "authorization-code";
      readonly code: SecretValue;
      readonly redirectUri: string;
      readonly codeVerifier: SecretValue;
    }
  | { readonly flow: "client-credentials" };

/** Which token is wanted. Everything is optional; policy fills the gaps or refuses. */
export interface Wish {
  /** API names (`audience`, or the route's path). */
  readonly audiences: readonly string[];
  /** Exact resource URIs (`resource`, RFC 8707). */
  readonly resources: readonly string[];
  /** As asked, bare or with their resource in front; OIDC scopes already taken out. Undefined: not asked. */
  readonly scopes: readonly string[] | undefined;
  /** `offline_access` was asked: keep the permission as a grant. */
  readonly offlineAccess: boolean;
  /** Claims request from a challenge: JSON text, checked for form and size. */
  readonly claims: string | undefined;
  readonly forceRefresh: boolean;
  /** The answer should be good for at least so long, seconds. */
  readonly minimumSeconds: number;
}

export interface ExchangeRequest {
  readonly proof: Proof | undefined;
  /** `client_id` in the body; must equal the caller. */
  readonly claimedClientId: string | undefined;
  readonly ask: Ask;
  readonly wish: Wish;
  /** GUID sent to Entra as `client-request-id` and returned to the caller. */
  readonly correlationId: string;
  /** Sent to Entra as `traceparent`; undefined: the request came without. */
  readonly trace?: RequestTrace | undefined;
  /** True once the caller has been told that it took too long: nothing lasting is made for it any more. */
  readonly isOver?: () => boolean;
}
