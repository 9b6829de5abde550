/**
 * Level 2 as the cache sees it: tokens that all instances share, and leases so that only one of them asks Entra. The
 * store may be away at any moment; then everything here says so at once, and the caller goes on without it. Nothing
 * throws, nothing waits longer than the store's own short deadline.
 */
import type { CachedToken } from "./cached-token.ts";

export type Found =
  | { readonly kind: "token"; readonly token: CachedToken }
  /** Nothing was there; whoever asks now does so for everybody, until it puts or releases. */
  | { readonly kind: "leased"; readonly lease: string }
  /** Another instance is asking. */
  | { readonly kind: "busy" }
  | { readonly kind: "away" };

export interface SharedTokens {
  /** One round trip: the token, or the lease on asking for it. */
  findOrLease(key: string): Promise<Found>;
  /** The token only, without a lease. */
  find(key: string): Promise<CachedToken | undefined>;
  /** Replaces whatever is there, a lease too. `untilSeconds`: when it stops being given out. */
  put(key: string, token: CachedToken, untilSeconds: number): Promise<void>;
  /** Lets the next instance ask; for a question that failed. */
  release(key: string, lease: string): Promise<void>;
}
