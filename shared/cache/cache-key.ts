/**
 * The key of a cached token: SHA-256 over everything that changes the token and nothing else, so two requests share an
 * entry exactly when Entra would return the same token for both. Pure. A key reveals no token, secret or name.
 */
import { hash } from "node:crypto";

/** On whose behalf the token is issued, in validated identifiers. */
export type TokenIdentity =
  | {
      readonly kind: "user";
      readonly tenantId: string;
      readonly objectId: string;
      readonly clientId: string;
      /** SHA-256 of the assertion's exact bytes, base64url. */
      readonly assertionDigest: string;
    }
  /** A person who allows a grant again replaces its session, so no token and no refusal of the earlier one counts. */
  | { readonly kind: "grant"; readonly grantId: string; readonly confirmation: string | undefined }
  | { readonly kind: "application" };

export interface CacheKeyParts {
  readonly tenantId: string;
  /** Client id of the registration whose rights are exchanged. */
  readonly registration: string;
  readonly flow: string;
  readonly resource: string;
  /** Bare names, in any order. */
  readonly scopes: readonly string[];
  /** Declared client capability: it changes the lifetime of the token. */
  readonly cae: boolean;
  readonly identity: TokenIdentity;
}

/** The key, base64url. JSON separates the parts, so different parts never give the same text. */
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

/** Everything of the key except the scopes, and the caller. */
export interface FamilyKeyParts extends Omit<CacheKeyParts, "scopes"> {
  /** Name of the caller's policy entry. */
  readonly entry: string;
  /** Client id of the caller, which the entry may leave open (agents of one blueprint). */
  readonly callerClientId: string;
}

/**
 * The key of a family: tokens of one caller that differ in their scopes only. Entra does not downscope (E-46), so the
 * token of an earlier request often has what a later request of the family names.
 */
export function familyKey(parts: FamilyKeyParts): string {
  const { tenantId, registration, flow, resource, cae, identity, entry, callerClientId } = parts;
  return sha256(
    JSON.stringify([
      "family",
      tenantId,
      registration,
      flow,
      resource,
      cae,
      identityParts(identity),
      entry,
      callerClientId.toLowerCase(),
    ]),
  );
}

function identityParts(identity: TokenIdentity): readonly string[] {
  switch (identity.kind) {
    case "user":
      return ["user", identity.tenantId, identity.objectId, identity.clientId, identity.assertionDigest];
    case "grant":
      return ["grant", identity.grantId, identity.confirmation ?? ""];
    case "application":
      return ["application"];
  }
}

function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}
