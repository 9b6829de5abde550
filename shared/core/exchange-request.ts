/**
 * A token request in one shape for every route that returns tokens. `http/` reads and bounds it; nothing in it is
 * trusted yet.
 */
import type { DownstreamCall } from "./downstream-target.ts";
import type { RequestTrace } from "./request-trace.ts";
import type { SecretValue } from "./secret-value.ts";

/** How the client authenticates (RFC 6749 section 2.3). A request carries exactly one of these, or none. */
export type ClientAuthentication =
  | { readonly method: "bearer"; readonly token: SecretValue }
  | { readonly method: "client_assertion"; readonly token: SecretValue }
  /** The client's own secret. Only a client whose policy entry lists this method may send one. */
  | ClientSecret
  /** The token to exchange also authenticates the request: a user exchanges its own token. */
  | { readonly method: "subject_itself" };

/** RFC 6749 section 2.3.1. */
export interface ClientSecret {
  readonly method: "client_secret";
  /** GUID, lower case. */
  readonly clientId: string;
  readonly secret: SecretValue;
  readonly sentIn: "Authorization" | "client_secret";
}

/** Authentication with a token or a secret, other than the one to exchange. */
export type TokenAuthentication = Exclude<ClientAuthentication, { method: "subject_itself" }>;

/** The requested flow, with the parameters that only this flow has (RFC 6749 section 4, RFC 8693 section 2.1). */
export type GrantRequest =
  | {
      readonly flow: "on-behalf-of";
      /** Undefined: the caller's own token (header route). */
      readonly subject: SecretValue | undefined;
      readonly presentedAs: "subject_token" | "assertion";
      /** RFC 8693 section 2.1: the party that acts for the subject. It is recorded and not sent to Entra. */
      readonly actor?: SecretValue | undefined;
    }
  | {
      readonly flow: "refresh-token";
      /** `handle` has the form of a grant handle. Any other value can only be a refresh token of Entra. */
      readonly presented: "handle" | "entra_token";
      readonly refreshToken: SecretValue;
      /** RFC 7636: for a grant that is bound to a session of the application. */
      readonly codeVerifier?: SecretValue | undefined;
    }
  | {
      readonly flow: "authorization-code";
      readonly code: SecretValue;
      readonly redirectUri: string;
      readonly codeVerifier: SecretValue;
    }
  | { readonly flow: "client-credentials" };

/** The requested token. Every parameter is optional: policy supplies a default or refuses the request. */
export interface TokenParameters {
  /** API names (`audience`, or the route's path). */
  readonly audiences: readonly string[];
  /** Exact resource URIs (`resource`, RFC 8707). */
  readonly resources: readonly string[];
  /** As requested, bare or prefixed with their resource, without OIDC scopes. Undefined: none requested. */
  readonly scopes: readonly string[] | undefined;
  /** The request contains `offline_access`: issue a grant. */
  readonly offlineAccess: boolean;
  /** Claims request from a challenge: JSON text of checked form and size. */
  readonly claims: string | undefined;
  readonly forceRefresh: boolean;
  /** The shortest acceptable remaining life of the token, seconds. */
  readonly minimumSeconds: number;
}

export interface ExchangeRequest {
  readonly clientAuthentication: ClientAuthentication | undefined;
  /** `client_id` in the body. It must equal the caller's client id. */
  readonly claimedClientId: string | undefined;
  readonly grantRequest: GrantRequest;
  readonly tokenParameters: TokenParameters;
  /** The token is for this call of the relay and never leaves the service. Undefined: it is released to the caller. */
  readonly relay?: DownstreamCall;
  /** GUID sent to Entra as `client-request-id` and returned to the caller. */
  readonly correlationId: string;
  /** Sent to Entra as `traceparent`. Undefined: the request carried no trace. */
  readonly trace?: RequestTrace | undefined;
  /**
   * Aborts when the deadline passes and the caller gets 504. After that the service creates no grant for the request.
   */
  readonly signal?: AbortSignal;
}
