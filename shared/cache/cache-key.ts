/**
 * Names a cached token: SHA-256 over everything that changes the token and nothing else, so that two wishes share an
 * entry exactly when Entra would give both the same. Pure. No token, secret or name can be read from a key.
 */
import { hash } from "node:crypto";

/** Whose permission the token carries, in checked identifiers. */
export type TokenIdentity =
  | {
      readonly kind: "user";
      readonly tenantId: string;
      readonly objectId: string;
      readonly clientId: string;
      /** SHA-256 of the assertion's exact bytes, base64url. */
      readonly assertionDigest: string;
    }
  | { readonly kind: "grant"; readonly grantId: string }
  | { readonly kind: "application" };

export interface CacheKeyParts {
  readonly tenantId: string;
  /** Client id of the registration whose rights are exchanged. */
  readonly registration: string;
  readonly flow: string;
  readonly resource: string;
  /** Bare names, in any order. */
  readonly scopes: readonly string[];
  /** Declared capability: it changes the life of the token. */
  readonly cae: boolean;
  readonly identity: TokenIdentity;
}

/** The key, base64url. JSON keeps the parts apart, so no two different lists of parts can read the same. */
export function cacheKey(parts: CacheKeyParts): string {
  const { tenantId, registration, flow, resource, cae } = parts;
  const text = JSON.stringify([
    tenantId,
    registration,
    flow,
    resource,
    [...new Set(parts.scopes)].sort(),
    cae,
    identityParts(parts.identity),
  ]);
  return sha256(text);
}

function identityParts(identity: TokenIdentity): readonly string[] {
  switch (identity.kind) {
    case "user":
      return ["user", identity.tenantId, identity.objectId, identity.clientId, identity.assertionDigest];
    case "grant":
      return ["grant", identity.grantId];
    case "application":
      return ["application"];
  }
}

function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}
