/**
 * Whose permission a token is made from: a user's token, a kept grant, a raw refresh token that becomes a grant, a
 * person's sign-in, or the application's own.
 */
import type { OpenedCode } from "./authorize/authorization-code.ts";
import type { UserCaller } from "./caller/caller.ts";
import type { OpenedGrant } from "./grants/grant.ts";
import type { SecretValue } from "./secret-value.ts";

export type Permission =
  | {
      readonly source: "user";
      /** Validated like a caller, as a user token; equal to the caller for a user who exchanges itself. */
      readonly subject: UserCaller;
      readonly presentedAs: "subject_token" | "assertion";
    }
  | { readonly source: "grant"; readonly grant: OpenedGrant }
  | { readonly source: "imported"; readonly refreshToken: SecretValue }
  | { readonly source: "code"; readonly code: OpenedCode }
  | { readonly source: "application" };
