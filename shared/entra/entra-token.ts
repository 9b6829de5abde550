/** The requests to Entra and its tokens, as types without a vendor library. */
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";

/** A token from Entra's token endpoint after the checks of `read-token.ts`. */
export interface EntraToken {
  readonly accessToken: SecretValue;
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** When Entra recommends renewing a long-lived token (`refresh_in`), seconds since 1970. */
  readonly refreshAtSeconds: number | undefined;
  /** `scope` of the response as sent; empty for application tokens. */
  readonly scopes: readonly string[];
  /** Undefined if Entra sent none. Only a grant may store it; all other code discards it. */
  readonly refreshToken: SecretValue | undefined;
  /** The user of the token, from the ID token or `client_info`; undefined for application tokens. */
  readonly user:
    | {
        readonly tenantId: string;
        readonly objectId: string;
        /** The account is from another tenant. Undefined if Entra's response does not say. */
        readonly guest?: boolean;
      }
    | undefined;
}

interface TokenRequest {
  /** Fully qualified scopes of one resource. */
  readonly scopes: readonly string[];
  /** The claims request of a challenge as JSON text. */
  readonly claims: string | undefined;
  /** Sent as `client-request-id`. */
  readonly correlationId: string;
  /** Sent as `traceparent`. */
  readonly trace?: RequestTrace | undefined;
  /** Declare the client capability `cp1`. */
  readonly cae: boolean;
}

export interface OnBehalfOfRequest extends TokenRequest {
  readonly assertion: SecretValue;
  readonly presentedAs: "subject_token" | "assertion";
}

export interface RefreshTokenRequest extends TokenRequest {
  readonly refreshToken: SecretValue;
}

interface SignInPart {
  /** Only who the person is: Entra gets the scopes `openid` and `profile`, and no `offline_access`. */
  readonly identityOnly?: boolean;
}

export interface SignInUrlRequest extends TokenRequest, SignInPart {
  /** Entra returns it to the callback. */
  readonly state: string;
  /** Entra returns it in the ID token. */
  readonly nonce: string;
  /** SHA-256 hash of the code verifier (RFC 7636). */
  readonly codeChallenge: string;
  readonly prompt: string | undefined;
  readonly loginHint: string | undefined;
  readonly domainHint: string | undefined;
}

export interface CodeRequest extends TokenRequest, SignInPart {
  readonly code: SecretValue;
  readonly codeVerifier: SecretValue;
  /** The ID token must contain it. */
  readonly nonce: string;
  /** For the exchange with Entra. Default: `ENTRA_DEADLINE_MS`. */
  readonly deadlineMs?: number;
}

/** The user in the ID token of a sign-in. Only pages show the names: they are never logged, stored or compared. */
export interface Person {
  readonly name: string;
  readonly username: string;
  /** The account is from another tenant or provider. */
  readonly guest: boolean;
}

/** A token with the user who signed in for it. */
export interface SignedInToken extends EntraToken {
  readonly person: Person;
}

/** The calls to Entra. Each returns a token or a `Failure` within the deadline, and never throws. */
export interface EntraClient {
  onBehalfOf(request: OnBehalfOfRequest): Promise<Result<EntraToken, Failure>>;
  redeemRefreshToken(request: RefreshTokenRequest): Promise<Result<EntraToken, Failure>>;
  clientCredentials(request: TokenRequest): Promise<Result<EntraToken, Failure>>;
  redeemCode(request: CodeRequest): Promise<Result<SignedInToken, Failure>>;
  /** The URL for the sign-in in the browser, with the callback of the service. Sends no request. */
  signInUrl(request: SignInUrlRequest): Promise<Result<string, Failure>>;
}
