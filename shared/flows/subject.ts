/**
 * The subject of a token request (RFC 8693): on whose behalf the token is acquired. A user's token, a stored grant, a
 * refresh token that becomes a grant, a person's sign-in, or the calling application itself.
 */
import type { UserCaller } from "../caller/caller.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { UnsealedGrant } from "../grants/grant.ts";
import type { UnsealedCode } from "../sealed-state/authorization-code.ts";

export type Subject =
  | {
      readonly source: "user";
      /** Validated like a caller, as a user token. A user who exchanges its own token is both caller and subject. */
      readonly user: UserCaller;
      readonly presentedAs: "subject_token" | "assertion";
    }
  | { readonly source: "grant"; readonly grant: UnsealedGrant }
  | { readonly source: "imported"; readonly refreshToken: SecretValue }
  | { readonly source: "code"; readonly code: UnsealedCode }
  | { readonly source: "application" };
