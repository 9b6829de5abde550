/**
 * Stage 1 of 5: caller. Remembers which tokens had the right form and signature, so that the next request with the very
 * same bytes does not pay for RSA again. What is remembered under the SHA-256 of those bytes is the decoded payload and
 * nothing else: not the token, and no verdict. Clock, tenant, audience and every other claim are checked again on each
 * request, and policy decides anew.
 *
 * A token is forgotten after ten minutes, when it expires, or as soon as the key set changes in any way: a signature is
 * worth no more than its key. Only tokens that passed every check get in, so no stranger can fill this. Bounded, oldest
 * first out; the clock is an argument.
 */
import type { Caller } from "./caller.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { JsonObject } from "./json-object.ts";

/** How long a signature counts without being checked again. */
const REMEMBERED_SECONDS = 600;
/** All entries together, weighed by the length of their tokens; decoded, a token takes about as much. */
const MAX_BYTES = 32 * 1024 * 1024;

export interface VerifiedTokens {
  /** Of the key set now. */
  readonly generation: number;
  /** The payload of a token that was verified before and may still count. `digest`: SHA-256 of its exact bytes. */
  find(digest: string, nowSeconds: number): JsonObject | undefined;
  /** `generation`: of the key set, read together with the key that verified the token. */
  remember(caller: VerifiedCaller, generation: number, nowSeconds: number): void;
}

type VerifiedCaller = Pick<Caller, "token" | "tokenDigest" | "claims" | "expiresAtSeconds">;

interface Entry {
  readonly payload: JsonObject;
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
      if (entry.generation === keys.generation && entry.untilSeconds > nowSeconds) return entry.payload;
      forget(digest, entry);
      return undefined;
    },
    remember({ token, tokenDigest: digest, claims: payload, expiresAtSeconds }, generation, nowSeconds) {
      const known = entries.get(digest);
      if (known !== undefined) forget(digest, known);
      const untilSeconds = Math.min(expiresAtSeconds, nowSeconds + REMEMBERED_SECONDS);
      if (generation !== keys.generation || untilSeconds <= nowSeconds) return;
      entries.set(digest, { payload, untilSeconds, generation, bytes: token.length });
      bytes += token.length;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        forget(oldest, entry);
      }
    },
  };
}
