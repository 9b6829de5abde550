/**
 * One call to Entra for all instances: look in level 2, take its lease, then call Entra. An instance that finds the
 * lease taken looks again for a bounded time and then calls Entra without it. A lease saves calls; it never decides
 * whether a caller gets a token.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Failure } from "../core/failure.ts";
import { type Result, succeed } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { CachedToken } from "./cached-token.ts";
import type { KeyedToken, SharedTokens } from "./shared-tokens.ts";

/** Entra usually answers in 50 to 200 ms. After this time the instance with the lease has probably crashed. */
const WAIT_MAX_MS = 1_500;
/** First and longest pause between two look-ups. */
const PAUSE_MS = 10;
const PAUSE_MAX_MS = 100;

/** A token from another instance (`shared`) or from Entra (`miss`). */
export interface AcquiredToken {
  readonly token: EntraToken;
  /** As in `CachedToken`. */
  readonly acquiredAtSeconds: number;
  readonly level: "shared" | "miss";
  /** The key of the token, if it is not the requested one: another token of the family has the scopes. */
  readonly key?: string;
}

export interface Acquisition {
  readonly key: string;
  /** Whether a token from level 2 may be used instead of a call to Entra. */
  readonly isGoodEnough: (token: CachedToken) => boolean | Promise<boolean>;
  readonly callEntra: () => Promise<Result<AcquiredToken, Failure>>;
  /** Another token of level 2 that has the requested scopes and may be used. */
  readonly findWider?: () => Promise<KeyedToken | undefined>;
}

export async function acquireWithLease(
  shared: SharedTokens,
  { key, isGoodEnough, callEntra, findWider }: Acquisition,
): Promise<Result<AcquiredToken, Failure>> {
  let found = await shared.findOrLease(key);
  for (let waited = 0, next = PAUSE_MS; found.kind === "busy" && waited < WAIT_MAX_MS; waited += next) {
    next = Math.min(next * 2, PAUSE_MAX_MS);
    await pause(next);
    found = await shared.findOrLease(key);
  }
  if (found.kind === "token" && (await isGoodEnough(found.token))) return succeed(toShared(found.token));
  const wider = await findWider?.();
  const acquired = wider === undefined ? await callEntra() : succeed({ ...toShared(wider.token), key: wider.key });
  const willBeStored = acquired.ok && acquired.value.level === "miss";
  if (!willBeStored && found.kind === "leased") {
    void shared.release(key, found.lease);
  }
  return acquired;
}

/**
 * A renewal takes another instance's newer token if there is one, and otherwise calls Entra under a separate lease.
 * Undefined: another instance is renewing. The stored token is still valid, so this instance does not wait.
 */
export async function renewWithLease(
  shared: SharedTokens,
  { key, isGoodEnough, callEntra }: Acquisition,
): Promise<Result<AcquiredToken, Failure> | undefined> {
  const newer = await shared.find(key);
  if (newer !== undefined && (await isGoodEnough(newer))) return succeed(toShared(newer));
  const renewal = `${key}:renewal`;
  const found = await shared.findOrLease(renewal);
  if (found.kind === "busy") return undefined;
  const acquired = await callEntra();
  if (found.kind === "leased") {
    void shared.release(renewal, found.lease);
  }
  return acquired;
}

// ---------------------------------------------------------------------------------------------------------------

function toShared(token: CachedToken): AcquiredToken {
  return { token, acquiredAtSeconds: token.acquiredAtSeconds, level: "shared" };
}
