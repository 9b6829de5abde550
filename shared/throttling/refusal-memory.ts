/**
 * Remembers Entra's last refusal of each request, so that a caller who repeats a refused request gets the same cause
 * again and not only the service's own limit. The service repeats a remembered refusal for a few seconds and then calls
 * Entra again, so consent takes effect soon. Bounded; the keys are digests; the caller provides the clock.
 */
import { hash } from "node:crypto";
import type { Failure } from "../core/failure.ts";
import { createBoundedMemory } from "./bounded-memory.ts";

export type EntraRefused = Extract<Failure, { kind: "entra_refused" }>;

/** Requests remembered at once; the least recently used is evicted first. */
const REFUSALS_MAX = 10_000;
/** A remembered refusal is repeated this long before the service calls Entra again. */
const REPEAT_SECONDS = 5;
/** The refusal is still the best known cause this long, if the service may not call Entra again. */
const REMEMBER_SECONDS = 60;

export interface RefusalMemory {
  remember(key: string, refusal: EntraRefused): void;
  forget(key: string): void;
  /** The refusal with the seconds until the service calls Entra again. Undefined: none, or it is time to call Entra. */
  fresh(key: string): EntraRefused | undefined;
  /** The last refusal with the given wait. Undefined: none in the last minute. */
  last(key: string, waitSeconds: number): EntraRefused | undefined;
}

/** What a refusal of Entra depends on. */
export interface RefusedRequest {
  /** The key of the token in the cache: user, API, scopes, registration, flow and the digest of the assertion. */
  readonly cacheKey: string;
  readonly entry: string;
  readonly claims: string | undefined;
}

export function refusalKey({ cacheKey, entry, claims }: RefusedRequest): string {
  return hash("sha256", JSON.stringify([cacheKey, entry, claims]), "base64url");
}

export function createRefusalMemory(nowSeconds: () => number): RefusalMemory {
  const refusals = createBoundedMemory<{ readonly refusal: EntraRefused; readonly atSeconds: number }>(REFUSALS_MAX);
  const within = (key: string, seconds: number) => {
    const known = refusals.get(key);
    const leftSeconds = known === undefined ? 0 : known.atSeconds + seconds - nowSeconds();
    return known === undefined || leftSeconds <= 0 ? undefined : { refusal: known.refusal, leftSeconds };
  };
  return {
    remember: (key, refusal) => void refusals.set(key, { refusal, atSeconds: nowSeconds() }),
    forget: (key) => void refusals.delete(key),
    fresh(key) {
      const known = within(key, REPEAT_SECONDS);
      return known === undefined ? undefined : { ...known.refusal, retryAfterSeconds: known.leftSeconds };
    },
    last(key, waitSeconds) {
      const known = within(key, REMEMBER_SECONDS);
      return known === undefined ? undefined : { ...known.refusal, retryAfterSeconds: waitSeconds };
    },
  };
}
