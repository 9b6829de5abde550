/**
 * Stage 1 of 5: caller. Entra's signing keys for this tenant, cached in the process.
 *
 * - Read at the first need; everybody who waits shares one request.
 * - Read again in the background once a day, and at once for a key id that is not in the set: Entra may change keys at
 *   any moment. A cooldown keeps invented key ids from driving traffic: whatever callers send, they cause at most one
 *   request per cooldown.
 * - Kept when Entra cannot be read, however old: a signature that Entra's key made stays right, and a service that
 *   stops with Entra's key endpoint stops more often than Entra does. `onProblem` tells the operator.
 *
 * Does not verify anything, and does not judge keys (`key-set.ts`). Talks to the network through `Outbound` only.
 */
import type { CryptoKey } from "jose";
import { createBackgroundRefresh } from "../core/background-refresh.ts";
import { KEY_SET_DEADLINE_MS, KEY_SET_MAX_BYTES } from "../core/limits.ts";
import { type RequestTrace, traceHeaders } from "../core/request-trace.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { Outbound } from "../outbound/outbound.ts";
import { importKeySet, type KeyOwner, type KeySet, readKeySet } from "./key-set.ts";

/** Entra asks that keys be read at least once a day. */
export const KEY_SET_MAX_AGE_MS = 24 * 60 * 60 * 1000;
/** Between two requests for unknown key ids: long enough to be no load on Entra, short enough for a changed key. */
export const REFETCH_COOLDOWN_MS = 30_000;
/** After a request that failed: a dead endpoint is not hammered, and a short fault is soon forgotten. */
export const FAILURE_COOLDOWN_MS = 5_000;

export type KeySetProblemReason =
  | "timeout"
  | "network"
  | "answer_too_large"
  | "status"
  | "not_a_key_set"
  | "no_usable_key"
  | "unexpected";

export interface KeySetProblem {
  readonly reason: KeySetProblemReason;
  /** Age of the keys that go on serving; `undefined` when there are none and callers are turned away. */
  readonly servingAgeMs: number | undefined;
}

export interface IssuerKeysInput extends KeyOwner {
  /** Entra's key set of this tenant. */
  readonly keySetUrl: string;
  readonly outbound: Outbound;
  /** Milliseconds; only differences count, so a steady clock (`performance.now`) is best. */
  readonly now: () => number;
  /** Told of every failed attempt. Must not throw. */
  readonly onProblem: (problem: KeySetProblem) => void;
}

export interface IssuerKeys {
  /** The key with this id. `keys_unavailable`: it might exist, but Entra could not be asked. */
  find(keyId: string, trace?: RequestTrace): Promise<Result<CryptoKey, "key_unknown" | "keys_unavailable">>;
  /** Whether the key is in the set now: a token verified earlier is worth no more than its key. */
  has(keyId: string): boolean;
  /** Grows whenever keys come or go. */
  readonly generation: number;
  /** Loads the keys if there are none yet; true once there are. For readiness, and to be early at start. */
  ready(trace?: RequestTrace): Promise<boolean>;
}

export function createIssuerKeys(input: IssuerKeysInput): IssuerKeys {
  let keys: KeySet = new Map();
  let generation = 0;
  let loadedAtMs: number | undefined;
  let lastAttemptFailed = false;

  const refresh = createBackgroundRefresh({
    attempt: readKeys,
    nowMs: input.now,
    // Forgives a clock that was set back.
    pauseMaxMs: REFETCH_COOLDOWN_MS,
  });

  async function readKeys(trace: RequestTrace | undefined): Promise<void> {
    const due = loadedAtMs === undefined || isOld();
    const outcome = await fetchKeySet(input, keys, trace);
    lastAttemptFailed = !outcome.ok;
    if (outcome.ok) {
      if (!sameKeys(keys, outcome.value)) generation += 1;
      keys = outcome.value;
      loadedAtMs = input.now();
      // A reading that was due leaves the next attempt free: a key may change right after it. Callers cannot cause one.
      if (!due) refresh.pause(REFETCH_COOLDOWN_MS);
      return;
    }
    refresh.pause(FAILURE_COOLDOWN_MS);
    input.onProblem({
      reason: outcome.failure,
      servingAgeMs: loadedAtMs === undefined ? undefined : input.now() - loadedAtMs,
    });
  }

  function isOld(): boolean {
    return loadedAtMs !== undefined && input.now() - loadedAtMs > KEY_SET_MAX_AGE_MS;
  }

  return {
    async find(keyId, trace) {
      if (!keys.has(keyId) && refresh.isDue()) await refresh.run(trace);
      const found = keys.get(keyId);
      if (found === undefined) return fail(lastAttemptFailed ? "keys_unavailable" : "key_unknown");
      if (isOld()) refresh.startIfDue(undefined);
      return succeed(found.key);
    },
    has: (keyId) => keys.has(keyId),
    get generation() {
      return generation;
    },
    async ready(trace) {
      if (loadedAtMs === undefined && refresh.isDue()) await refresh.run(trace);
      return loadedAtMs !== undefined;
    },
  };
}

/** `trace`: of the request that has to wait for the keys, the first of all that do. A daily reading belongs to none. */
async function fetchKeySet(
  input: IssuerKeysInput,
  before: KeySet,
  trace: RequestTrace | undefined,
): Promise<Result<KeySet, KeySetProblemReason>> {
  try {
    const answer = await input.outbound.send({
      method: "GET",
      url: input.keySetUrl,
      headers: { accept: "application/json", ...traceHeaders(trace) },
      deadlineMs: KEY_SET_DEADLINE_MS,
      maxBytes: KEY_SET_MAX_BYTES,
    });
    if (!answer.ok) return fail(answer.failure.kind);
    // Redirects are not followed: an honest key set is where configuration says.
    if (answer.value.status !== 200) return fail("status");
    const moduli = readKeySet(answer.value.body, input);
    return moduli.ok ? succeed(await importKeySet(moduli.value, before)) : moduli;
  } catch {
    // Key material that the runtime cannot import, or a fault of our own: either way these keys are not to be used.
    return fail("unexpected");
  }
}

function sameKeys(before: KeySet, after: KeySet): boolean {
  return before.size === after.size && [...before].every(([keyId, key]) => after.get(keyId)?.modulus === key.modulus);
}
