/**
 * The versions of one credential in memory, and which of them to use. Newest first, a bounded number. If Entra refuses
 * the newest one, it is not used for a while and then tried again, with growing waits: Entra refuses a new secret for
 * some seconds until all its replicas know it, so the refusal is not final. A refused older one was removed at Entra and
 * is not used again. Time is an argument. No I/O.
 */
import type { ClientCredential } from "./client-credential.ts";

/** Current, next, previous and one to spare. */
const VERSIONS_MAX = 4;
/** First wait after a refusal. Entra's replicas need some seconds to learn a new secret. */
const REFUSED_WAIT_MS = 15_000;
/** Longest wait: a version that is permanently wrong then costs one extra call to Entra in fifteen minutes. */
const REFUSED_WAIT_MAX_MS = 15 * 60_000;

export interface KnownVersion {
  readonly version: string;
  readonly credential: ClientCredential;
  readonly notBeforeSeconds: number | undefined;
  readonly expiresAtSeconds: number | undefined;
}

interface Entry {
  readonly known: KnownVersion;
  refusals: number;
  /** Entra's last decision about it was a refusal. */
  refused: boolean;
  /** Not used until then (the newest) or never again (an older one); zero if never refused. */
  retryAtMs: number;
}

export interface KnownVersions {
  /** The version to use now: the newest valid one that is not waiting after a refusal, or else the newest valid one. */
  offer(nowMs: number): KnownVersion | undefined;
  /** As `offer`, but never one that is waiting after a refusal. */
  eligible(nowMs: number): KnownVersion | undefined;
  /** As `eligible`, but only if it is newer than `version` or `version` is no longer known. */
  newerThan(version: string, nowMs: number): KnownVersion | undefined;
  /** The newest of all, valid or not. */
  newest(): KnownVersion | undefined;
  has(version: string): boolean;
  list(): readonly KnownVersion[];
  /** The vault's newest version. If it is already known, its dates are updated and its refusals are preserved. */
  addNewest(known: KnownVersion, nowMs: number): void;
  addOldest(known: KnownVersion): void;
  drop(version: string): void;
  refuse(version: string, nowMs: number): void;
  /** True if Entra's last decision before was a refusal. */
  accept(version: string): boolean;
  isRefused(version: string): boolean;
}

export function createKnownVersions(): KnownVersions {
  let entries: readonly Entry[] = [];

  function eligible(nowMs: number): Entry | undefined {
    return entries.find(
      (entry) =>
        isValid(entry.known, nowMs) && (entry.refusals === 0 || (entry === entries[0] && entry.retryAtMs <= nowMs)),
    );
  }

  return {
    offer: (nowMs) => (eligible(nowMs) ?? entries.find((entry) => isValid(entry.known, nowMs)))?.known,
    eligible: (nowMs) => eligible(nowMs)?.known,
    newerThan(version, nowMs) {
      const next = eligible(nowMs);
      const at = entries.findIndex((entry) => entry.known.version === version);
      return next !== undefined && (at === -1 || entries.indexOf(next) < at) ? next.known : undefined;
    },
    newest: () => entries[0]?.known,
    has: (version) => entries.some((entry) => entry.known.version === version),
    list: () => entries.map((entry) => entry.known),
    addNewest(known, nowMs) {
      const before = entries.find((entry) => entry.known.version === known.version);
      const predecessor = entries[0];
      if (before === undefined && predecessor !== undefined && predecessor.retryAtMs <= nowMs) {
        // It was refused when it was new and used again after its wait: it must be eligible if the next one is refused.
        predecessor.refusals = 0;
      }
      const others = entries.filter((entry) => entry !== before);
      const { refusals = 0, refused = false, retryAtMs = 0 } = before ?? {};
      const entry = { known, refusals, refused, retryAtMs };
      entries = [entry, ...others].slice(0, VERSIONS_MAX);
    },
    addOldest(known) {
      entries = [...entries.slice(0, VERSIONS_MAX - 1), { known, refusals: 0, refused: false, retryAtMs: 0 }];
    },
    drop(version) {
      entries = entries.filter((entry) => entry.known.version !== version);
    },
    refuse(version, nowMs) {
      const entry = entries.find((candidate) => candidate.known.version === version);
      if (entry === undefined) return;
      entry.refused = true;
      // Many requests refused at the same time count as one refusal.
      if (entry.retryAtMs > nowMs) return;
      entry.retryAtMs = nowMs + Math.min(REFUSED_WAIT_MS * 2 ** entry.refusals, REFUSED_WAIT_MAX_MS);
      entry.refusals += 1;
    },
    accept(version) {
      const entry = entries.find((candidate) => candidate.known.version === version);
      if (entry?.refused !== true) return false;
      entry.refused = false;
      return true;
    },
    isRefused: (version) => entries.some((entry) => entry.known.version === version && entry.refused),
  };
}

export function isExpired(known: Pick<KnownVersion, "expiresAtSeconds">, nowMs: number): boolean {
  return known.expiresAtSeconds !== undefined && known.expiresAtSeconds * 1000 <= nowMs;
}

export function isValid(known: Pick<KnownVersion, "notBeforeSeconds" | "expiresAtSeconds">, nowMs: number): boolean {
  const begun = known.notBeforeSeconds === undefined || known.notBeforeSeconds * 1000 <= nowMs;
  return begun && !isExpired(known, nowMs);
}
