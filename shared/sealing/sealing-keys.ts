/**
 * The keys that seal what the service stores or gives to browsers and callers: 32 random bytes each, versions of one
 * vault secret. A key's id is the version in the vault, so each seal names the version that unseals it and a rotation
 * needs no migration.
 *
 * Input: a source of secrets (the vault, by its shape); output: keys; failures: `sealing_key_unavailable`,
 * `sealing_key_invalid`, `too_many_unknown_keys`, and `seal_broken`/`key` for an id that the source does not have. Only
 * `sealer.ts` gets keys.
 */

import { createBackgroundRefresh } from "../core/background-refresh.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { SealFailure } from "./seal-failure.ts";

const KEY_BYTES = 32;
/** 43 characters and perhaps one `=`. */
const BASE64_32_BYTES = /^[A-Za-z0-9+/_-]{43}=?$/;
/** A vault version is 32 hex digits; other stores may differ, never beyond this. */
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Keys in memory: the newest and those that older grants name. A quarterly rotation reaches this number in two years. */
const KEYS_MAX = 8;
/** A new version is noticed within this time. Sealing with the old one until then does no harm. */
const READ_AGAIN_MS = 5 * 60_000;
/** After a failed read. No caller waits while a key is in memory. */
const FAILURE_PAUSE_MS = 5_000;
/**
 * Reads for unknown key ids, per purpose. The sender chooses what a cookie or link contains: invented ids must neither
 * flood the vault nor use up the reads of another purpose.
 */
const UNKNOWN_READS_MAX = 8;
const UNKNOWN_READS_WINDOW_MS = 60_000;
/** Between two reads of the newest key that unknown ids cause. */
const UNKNOWN_ID_PAUSE_MS = 5_000;

export interface SealingKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

export interface SealingKeys {
  /** The key to seal with: the newest. */
  current(): Promise<Result<SealingKey, SealFailure>>;
  /** The key that a seal names. An unknown id uses the budget of `purpose`. */
  byId(kid: string, purpose: string): Promise<Result<SealingKey, SealFailure>>;
}

/** The part of the vault that is needed here. Only `kind` is read of a failure. */
export interface SealingKeySource {
  read(version?: string): Promise<Result<{ readonly version: string; readonly value: SecretValue }, SourceFailure>>;
}

interface SourceFailure {
  readonly kind: string;
}

export interface SealingKeysInput {
  readonly source: SealingKeySource;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The newest key could not be read and the last one stays in use; `reason` is the failure's kind. */
  readonly onStale: (reason: string) => void;
}

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

export function createSealingKeys({ source, now, onStale }: SealingKeysInput): SealingKeys {
  const stored = createStoredKeys();
  let newest: SealingKey | undefined;
  let failure: SealFailure | undefined;
  let newestReadAtMs = Number.NEGATIVE_INFINITY;
  /** Running reads of single versions: many requests after a start cause one read and use the budget once. */
  const reading = new Map<string, Promise<Result<SealingKey, SealFailure>>>();
  const budget = createBudget(now);

  async function readNewest(): Promise<void> {
    newestReadAtMs = now();
    const read = await readKey(source);
    failure = read.ok ? undefined : read.failure;
    refresh.pause(read.ok ? READ_AGAIN_MS : FAILURE_PAUSE_MS);
    if (read.ok) {
      newest = read.value;
      stored.add(read.value);
    } else if (newest !== undefined) {
      onStale(sealFailureReason(read.failure));
    }
  }

  const refresh = createBackgroundRefresh({ attempt: readNewest, nowMs: now });

  async function readOnce(kid: string, purpose: string): Promise<Result<SealingKey, SealFailure>> {
    const storedKey = stored.get(kid);
    if (storedKey !== undefined) return succeed(storedKey);
    const running = reading.get(kid);
    if (running !== undefined) return running;
    if (!budget.take(purpose)) return fail({ kind: "too_many_unknown_keys" });
    const started = readKey(source, kid).finally(() => reading.delete(kid));
    reading.set(kid, started);
    const read = await started;
    if (read.ok) stored.add(read.value);
    return read;
  }

  return {
    async current() {
      if (newest === undefined) await refresh.runIfDue();
      else refresh.startIfDue();
      if (newest !== undefined) return succeed(newest);
      return fail(failure ?? { kind: "sealing_key_unavailable", reason: "not_read" });
    },

    async byId(kid, purpose) {
      const known = stored.get(kid);
      if (known !== undefined) return succeed(known);
      if (!isKeyId(kid)) return fail({ kind: "seal_broken", problem: "key" });
      // In a new instance, or after a rotation, the id is nearly always that of the newest key. Reading the newest key uses
      // no budget, so invented ids cannot prevent it.
      if (refresh.isRunning() || now() - newestReadAtMs >= UNKNOWN_ID_PAUSE_MS) await refresh.run();
      return readOnce(kid, purpose);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The keys in memory, by id; the least recently used is removed first. */
function createStoredKeys() {
  const stored = new Map<string, SealingKey>();
  const add = (key: SealingKey): void => {
    stored.delete(key.kid);
    stored.set(key.kid, key);
    for (const kid of stored.keys()) {
      if (stored.size <= KEYS_MAX) break;
      stored.delete(kid);
    }
  };
  return {
    add,
    get(kid: string): SealingKey | undefined {
      const known = stored.get(kid);
      if (known !== undefined) add(known);
      return known;
    },
  };
}

/** How many unknown ids each purpose may still read. Purposes are constants of the service, so the map is small. */
function createBudget(now: () => number) {
  const windows = new Map<string, { readonly sinceMs: number; used: number }>();
  return {
    take(purpose: string): boolean {
      const window = windows.get(purpose);
      if (window === undefined || now() - window.sinceMs >= UNKNOWN_READS_WINDOW_MS) {
        windows.set(purpose, { sinceMs: now(), used: 1 });
        return true;
      }
      window.used += 1;
      return window.used <= UNKNOWN_READS_MAX;
    },
  };
}

async function readKey(source: SealingKeySource, kid?: string): Promise<Result<SealingKey, SealFailure>> {
  let read: Awaited<ReturnType<SealingKeySource["read"]>>;
  try {
    read = await (kid === undefined ? source.read() : source.read(kid));
  } catch {
    return fail({ kind: "sealing_key_unavailable", reason: "internal" });
  }
  if (!read.ok) {
    // A version that does not exist means an invalid seal; other failures are problems of the vault.
    const missing = kid !== undefined && read.failure.kind === "secret_missing";
    return fail(
      missing
        ? { kind: "seal_broken", problem: "key" }
        : { kind: "sealing_key_unavailable", reason: read.failure.kind },
    );
  }
  const { version, value } = read.value;
  const key = decodeKey(value);
  if (key === undefined || !isKeyId(version) || (kid !== undefined && version !== kid)) {
    return fail({ kind: "sealing_key_invalid", version });
  }
  return succeed({ kid: version, key });
}

function decodeKey(value: SecretValue): Uint8Array | undefined {
  const text = value.reveal().trim();
  if (!BASE64_32_BYTES.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.byteLength === KEY_BYTES ? bytes : undefined;
}

function sealFailureReason(failure: SealFailure): string {
  return failure.kind === "sealing_key_unavailable" ? failure.reason : failure.kind;
}
