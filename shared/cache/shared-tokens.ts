/**
 * Level 2 as the cache uses it: tokens that all instances share, and leases so that only one of them calls Entra. The
 * store may be unavailable at any time. Every function then says so at once, and the caller continues without it.
 * Nothing here throws or waits longer than the store's short deadline.
 */
import type { CachedToken } from "./cached-token.ts";

export type Found =
  | { readonly kind: "token"; readonly token: CachedToken }
  /** No token was stored. The holder of the lease calls Entra for all instances, until it puts or releases. */
  | { readonly kind: "leased"; readonly lease: string }
  /** Another instance holds the lease. */
  | { readonly kind: "busy" }
  | { readonly kind: "unavailable" };

export interface KeyedToken {
  readonly key: string;
  readonly token: CachedToken;
}

export interface SharedTokens {
  /** One round trip: the token, or the lease for the call to Entra. */
  findOrLease(key: string): Promise<Found>;
  /** The token only, without a lease. */
  find(key: string): Promise<CachedToken | undefined>;
  /** The newest token of a family (see `familyKey`), with its key. Two round trips. */
  findInFamily(family: string): Promise<KeyedToken | undefined>;
  /**
   * Replaces the stored token or lease, and makes it the newest of its family. `untilSeconds`: until when the token is
   * used, seconds since 1970.
   */
  put(key: string, token: CachedToken, untilSeconds: number, family?: string): Promise<void>;
  /** Lets the next instance call Entra, after a call that failed. */
  release(key: string, lease: string): Promise<void>;
}
