/**
 * One key set of Entra, cached in the process.
 *
 * - Read when first needed; all callers that wait share one request.
 * - Read again in the background once a day, and at once for a key id that is not in the set, because Entra may change
 *   keys at any time. Callers with invented key ids cause at most one request per cooldown.
 * - Used at any age while the key endpoint cannot be read: a signature of Entra's key stays valid, and otherwise an
 *   outage of the key endpoint alone would stop the service. `onProblem` reports it to the operator.
 *
 * Does not verify tokens, and does not check keys (`key-set.ts`). Makes requests through `Outbound` only.
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
/** Between two requests for unknown key ids: long enough to cause no load for Entra, short enough for a changed key. */
export const REFETCH_COOLDOWN_MS = 30_000;
/** After a failed request: the endpoint is not flooded, and a short fault has a short effect. */
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
  /** Age of the keys that stay in use; `undefined`: there are no keys, and callers are refused. */
  readonly servingAgeMs: number | undefined;
}

export interface IssuerKeysInput extends KeyOwner {
  readonly keySetUrl: string;
  /**
   * For a set that only adds keys to another one, and is usually empty: whether the other set has the key. Such keys are
   * left out, so that a key ends with the set that it belongs to.
   */
  readonly isElsewhere?: (keyId: string) => boolean;
  readonly outbound: Outbound;
  /** Milliseconds; only differences count, so a steady clock (`performance.now`) is best. */
  readonly now: () => number;
  /** Called after every failed attempt. Must not throw. */
  readonly onProblem: (problem: KeySetProblem) => void;
}

export interface IssuerKeys {
  /** The key with this id. `keys_unavailable`: it may exist, but the key set could not be read. */
  find(keyId: string, trace?: RequestTrace): Promise<Result<CryptoKey, "key_unknown" | "keys_unavailable">>;
  /** Whether the key is in the set now. A verified token is valid no longer than its key is in the set. */
  has(keyId: string): boolean;
  /** Increases whenever a key is added or removed. */
  readonly generation: number;
  /** Loads the keys unless that has succeeded before; true if keys are loaded. For readiness, and for the warm-up at the start. */
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
      // A read that was due starts no cooldown: a key may change right after it, and callers cannot cause such a read.
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

// ---------------------------------------------------------------------------------------------------------------

/** `trace`: of the first request that waits for the keys. A daily read belongs to no request. */
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
    // Redirects are not followed: the key set is only trusted at the configured URL.
    if (answer.value.status !== 200) return fail("status");
    const moduli = ownKeys(readKeySet(answer.value.body, input), input);
    return moduli.ok ? succeed(await importKeySet(moduli.value, before)) : moduli;
  } catch {
    // Key material that the runtime cannot import, or a bug. In both cases these keys must not be used.
    return fail("unexpected");
  }
}

function ownKeys(read: ReturnType<typeof readKeySet>, { isElsewhere }: IssuerKeysInput): typeof read {
  if (isElsewhere === undefined) return read;
  if (!read.ok) return read.failure === "no_usable_key" ? succeed(new Map()) : read;
  return succeed(new Map([...read.value].filter(([keyId]) => !isElsewhere(keyId))));
}

function sameKeys(before: KeySet, after: KeySet): boolean {
  return before.size === after.size && [...before].every(([keyId, key]) => after.get(keyId)?.modulus === key.modulus);
}
