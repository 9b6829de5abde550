/**
 * Stage 1 of 5: caller. Remembers which tokens had the right form and signature, so that the next request with the very
 * same bytes does not pay for RSA again. What is remembered under the SHA-256 of those bytes is what the claims said: not the
 * token, and no verdict on the time. Clock and tenant are checked again on each request, and policy decides anew.
 *
 * A token is forgotten after ten minutes, when it expires, or as soon as the key set changes in any way: a signature is
 * worth no more than its key. Only tokens that passed every check get in, so no stranger can fill this. Bounded, oldest
 * first out; the clock is an argument.
 */
import type { CheckedClaims } from "./caller-claims.ts";
import type { IssuerKeys } from "./issuer-keys.ts";

/** How long a signature counts without being checked again. */
const REMEMBERED_SECONDS = 600;
/** All entries together, weighed by the length of their tokens; decoded, a token takes about as much. */
const MAX_BYTES = 32 * 1024 * 1024;

export interface VerifiedTokens {
  /** Of the key set now. */
  readonly generation: number;
  /** The claims of a token that was verified before and may still count. `digest`: SHA-256 of its exact bytes. */
  find(digest: string, nowSeconds: number): CheckedClaims | undefined;
  remember(verified: VerifiedToken, nowSeconds: number): void;
}

export interface VerifiedToken {
  readonly digest: string;
  /** Length of the token, bytes: what the entry weighs. */
  readonly bytes: number;
  readonly claims: CheckedClaims;
  /** Of the key set, read together with the key that verified the token. */
  readonly generation: number;
}

interface Entry {
  readonly claims: CheckedClaims;
  readonly untilSeconds: number;
  readonly generation: number;
  readonly bytes: number;
}

export interface VerifiedTokensInput {
  readonly keys: Pick<IssuerKeys, "generation">;
  /** For tests; normally 32 MiB. */
  readonly maxBytes?: number;
}

export function createVerifiedTokens({ keys, maxBytes = MAX_BYTES }: VerifiedTokensInput): VerifiedTokens {
  /** By digest, oldest first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  const forget = (digest: string, entry: Entry): void => {
    entries.delete(digest);
    bytes -= entry.bytes;
  };

  return {
    get generation() {
      return keys.generation;
    },
    find(digest, nowSeconds) {
      const entry = entries.get(digest);
      if (entry === undefined) return undefined;
      if (entry.generation === keys.generation && entry.untilSeconds > nowSeconds) return entry.claims;
      forget(digest, entry);
      return undefined;
    },
    remember({ digest, bytes: size, claims, generation }, nowSeconds) {
      const known = entries.get(digest);
      if (known !== undefined) forget(digest, known);
      const untilSeconds = Math.min(claims.expiresAtSeconds, nowSeconds + REMEMBERED_SECONDS);
      if (generation !== keys.generation || untilSeconds <= nowSeconds) return;
      entries.set(digest, { claims, untilSeconds, generation, bytes: size });
      bytes += size;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        forget(oldest, entry);
      }
    },
  };
}
