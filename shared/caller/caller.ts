import type { SecretValue } from "../core/secret-value.ts";
import type { Agent } from "./agent.ts";

declare const validated: unique symbol;

interface ValidatedToken {
  /** Only `validate-caller.ts` creates a `Caller`, so a value of this type has passed every check of its token. */
  readonly [validated]: true;
  /** `tid`: the tenant, equal to the configured one. */
  readonly tenantId: string;
  /** `oid`: the user, or the service principal of the application. */
  readonly objectId: string;
  /** `azp` (v2) or `appid` (v1): the client that obtained the token. */
  readonly clientId: string;
  /** The client is an agent identity. Undefined: an ordinary client, or Entra's proof is missing. */
  readonly agent: Agent | undefined;
  /** Client id of this service's registration that the token is for, as its `aud` names it. */
  readonly registration: string;
  /** `azpacr`/`appidacr` is "1" (secret) or "2" (certificate); false for a public client or if Entra does not say. */
  readonly confidential: boolean;
  /** `roles`: app roles of this service assigned to the user or the application. */
  readonly roles: readonly string[];
  /** `uti`: Entra's identifier of this token, for the audit trail. */
  readonly tokenId: string | undefined;
  /** `exp`, seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** `xms_cc` contains `cp1`: the client understands claims challenges. */
  readonly understandsClaimsChallenge: boolean;
  /** SHA-256 of the token's exact bytes, base64url: identifies the token where the token itself must not appear. */
  readonly tokenDigest: string;
  /** The token itself, exactly as presented. */
  readonly token: SecretValue;
  /** The decoded payload, for `/Validate` only. Identity is never read from it. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A user, through a client application. */
export interface UserCaller extends ValidatedToken {
  readonly kind: "user";
  /** `scp`, split on single spaces; contains `access_as_user`. */
  readonly scopes: readonly string[];
}

/** An application without a user: an app-only token with the app role `Exchange.Call`. */
export interface ApplicationCaller extends ValidatedToken {
  readonly kind: "application";
}

export type Caller = UserCaller | ApplicationCaller;
