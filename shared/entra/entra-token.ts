/**
 * What Entra gives and how it is asked: the interface of stage 4, without a vendor library.
 */
import type { Failure } from "../core/failure.ts";
import type { RequestTrace } from "../core/request-trace.ts";
import type { Result } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";

/** A token of Entra's token endpoint, checked for form. */
export interface EntraToken {
  readonly accessToken: SecretValue;
  /** Seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** When Entra suggests to renew a long-lived token (`refresh_in`), seconds since 1970. */
  readonly refreshAtSeconds: number | undefined;
  /** `scope` of the answer as sent; empty for application tokens. */
  readonly scopes: readonly string[];
  /** Present when Entra sent one. Whoever does not keep it as a grant drops it. */
  readonly refreshToken: SecretValue | undefined;
  /** Whose token it is, from `client_info`; absent for application tokens. */
  readonly user:
    | {
        readonly tenantId: string;
        readonly objectId: string;
        /** At home in another tenant; undefined when Entra's answer does not tell. */
        readonly guest?: boolean;
      }
    | undefined;
}

interface TokenRequest {
  /** Fully qualified scopes of one resource. */
  readonly scopes: readonly string[];
  /** Claims request of a challenge, JSON text. */
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

export interface SignInUrlRequest extends TokenRequest {
  /** Comes back with the answer. */
  readonly state: string;
  /** Comes back inside the id token. */
  readonly nonce: string;
  /** S256 of the verifier. */
  readonly codeChallenge: string;
  readonly prompt: string | undefined;
  readonly loginHint: string | undefined;
  readonly domainHint: string | undefined;
}

export interface CodeRequest extends TokenRequest {
  readonly code: SecretValue;
  readonly codeVerifier: SecretValue;
  /** The id token must carry it. */
  readonly nonce: string;
}

/** Who signed in, as the id token tells it. For a page only: names are never logged, kept or compared. */
export interface Person {
  readonly name: string;
  readonly username: string;
  /** The account is at home in another tenant or with another provider. */
  readonly guest: boolean;
}

/** A token with the person who has just signed in for it. */
export interface SignedInToken extends EntraToken {
  readonly person: Person;
}

/** The calls made to Entra. Each returns a token or says, in our words, why there is none; none throws or hangs. */
export interface EntraClient {
  onBehalfOf(request: OnBehalfOfRequest): Promise<Result<EntraToken, Failure>>;
  redeemRefreshToken(request: RefreshTokenRequest): Promise<Result<EntraToken, Failure>>;
  clientCredentials(request: TokenRequest): Promise<Result<EntraToken, Failure>>;
  redeemCode(request: CodeRequest): Promise<Result<SignedInToken, Failure>>;
  /** Where the browser goes to sign in; it returns to our one callback. Nothing is sent. */
  signInUrl(request: SignInUrlRequest): Promise<Result<string, Failure>>;
}
