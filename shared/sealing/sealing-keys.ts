/**
 * The keys that seal what we store or hand out: 32 random bytes each, versions of one vault secret. A key's id is the
 * vault's version, so old seals name the version that opens them and a rotation needs no migration.
 *
 * Input: a source of secrets (structurally the vault); output: keys; failures: `sealing_key_unavailable`,
 * `sealing_key_invalid`, and for an id that the source does not have `seal_broken`/`key`. Keys never leave but to
 * `seal.ts`.
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
/** Versions in use at a time: the newest and what older grants still name. Quarterly rotation fills this in two years. */
const KEYS_MAX = 8;
/** A new version is noticed within this time; until then the old one seals, which is no fault. */
const LOOK_AGAIN_MS = 5 * 60_000;
/** After a failed read. Nobody waits while a key is held. */
const FAILURE_PAUSE_MS = 5_000;
/**
 * Reads for unknown key ids, per purpose: a cookie or link is the sender's to write, and ids made up by an attacker must
 * neither reach the vault freely nor use up the reads of another purpose.
 */
const UNKNOWN_READS_MAX = 8;
const UNKNOWN_READS_WINDOW_MS = 60_000;
/** Between two looks at the newest key that an unknown id causes. */
const UNKNOWN_LOOK_PAUSE_MS = 5_000;

export interface SealingKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

export interface SealingKeys {
  /** The key to seal with: the newest. */
  current(): Promise<Result<SealingKey, SealFailure>>;
  /** The key that a seal names. `purpose` is whose budget an unknown id uses. */
  byId(kid: string, purpose: string): Promise<Result<SealingKey, SealFailure>>;
}

/** The vault, seen from here. `failure.kind` is the only thing read of a failure. */
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
  /** The newest key could not be read and the last one serves; `reason` is the failure's kind. */
  readonly onStale: (reason: string) => void;
}

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

export function createSealingKeys({ source, now, onStale }: SealingKeysInput): SealingKeys {
  const held = createHeldKeys();
  let newest: SealingKey | undefined;
  let failure: SealFailure | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  /** Reads of single versions under way: a burst after a start costs the vault, and the budget, one. */
  const reading = new Map<string, Promise<Result<SealingKey, SealFailure>>>();
  const budget = createBudget(now);

  async function look(): Promise<void> {
    lookedAtMs = now();
    const read = await readKey(source);
    failure = read.ok ? undefined : read.failure;
    refresh.pause(read.ok ? LOOK_AGAIN_MS : FAILURE_PAUSE_MS);
    if (read.ok) {
      newest = read.value;
      held.keep(read.value);
    } else if (newest !== undefined) {
      onStale(reasonOf(read.failure));
    }
  }

  const refresh = createBackgroundRefresh({ attempt: look, nowMs: now });

  async function readOnce(kid: string, purpose: string): Promise<Result<SealingKey, SealFailure>> {
    const newer = held.get(kid);
    if (newer !== undefined) return succeed(newer);
    const running = reading.get(kid);
    if (running !== undefined) return running;
    if (!budget.take(purpose)) return fail({ kind: "sealing_key_unavailable", reason: "too_many_unknown_keys" });
    const started = readKey(source, kid).finally(() => reading.delete(kid));
    reading.set(kid, started);
    const read = await started;
    if (read.ok) held.keep(read.value);
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
      const known = held.get(kid);
      if (known !== undefined) return succeed(known);
      if (!isKeyId(kid)) return fail({ kind: "seal_broken", problem: "key" });
      // In a fresh instance, or one that has not seen a rotation yet, it is nearly always the newest key. Looking at that
      // one costs nobody's budget, so made-up ids cannot keep it away.
      if (refresh.isRunning() || now() - lookedAtMs >= UNKNOWN_LOOK_PAUSE_MS) await refresh.run();
      return readOnce(kid, purpose);
    },
  };
}

/** The keys in use, by id; the least recently used is given up first. */
function createHeldKeys() {
  const held = new Map<string, SealingKey>();
  const keep = (key: SealingKey): void => {
    held.delete(key.kid);
    held.set(key.kid, key);
    for (const kid of held.keys()) {
      if (held.size <= KEYS_MAX) break;
      held.delete(kid);
    }
  };
  return {
    keep,
    get(kid: string): SealingKey | undefined {
      const known = held.get(kid);
      if (known !== undefined) keep(known);
      return known;
    },
  };
}

/** How many unknown ids each purpose may still ask for. Purposes are constants of ours, so the map is small. */
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
    // A version that does not exist is the seal's fault; anything else is the vault's.
    const missing = kid !== undefined && read.failure.kind === "secret_missing";
    return fail(
      missing
        ? { kind: "seal_broken", problem: "key" }
        : { kind: "sealing_key_unavailable", reason: read.failure.kind },
    );
  }
  const { version, value } = read.value;
  const key = decode(value);
  if (key === undefined || !isKeyId(version) || (kid !== undefined && version !== kid)) {
    return fail({ kind: "sealing_key_invalid", version });
  }
  return succeed({ kid: version, key });
}

function decode(value: SecretValue): Uint8Array | undefined {
  const text = value.reveal().trim();
  if (!BASE64_32_BYTES.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.byteLength === KEY_BYTES ? bytes : undefined;
}

function reasonOf(failure: SealFailure): string {
  return failure.kind === "sealing_key_unavailable" ? failure.reason : failure.kind;
}
