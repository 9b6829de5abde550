/**
 * The versions of one credential that we hold, and which of them to offer. Newest first, a handful at most. When Entra
 * refuses the newest it is set aside and comes back after a growing wait: a fresh secret is refused for some seconds
 * while Entra's replicas catch up, so that refusal is no verdict. An older one that is refused was removed at Entra and
 * does not come back. Time is an argument. No I/O.
 */
import type { ClientCredential } from "./client-credential.ts";

/** Current, next, previous and one to spare. */
const VERSIONS_MAX = 4;
/** First wait after a refusal. Entra's replicas need some seconds to learn a new secret. */
const REFUSED_WAIT_MS = 15_000;
/** Longest wait: a version that is simply wrong then costs one extra call to Entra in fifteen minutes. */
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
  /** Set aside until then (the newest) or for good (an older one); zero if never refused. */
  retryAtMs: number;
}

export interface KnownVersions {
  /** What to use now: the newest in date that is not set aside; failing that, the newest in date. */
  offer(nowMs: number): KnownVersion | undefined;
  /** As `offer`, but never one that is set aside. */
  eligible(nowMs: number): KnownVersion | undefined;
  /** As `eligible`, but only if it is newer than `version` or `version` is not known any more. */
  newerThan(version: string, nowMs: number): KnownVersion | undefined;
  /** The newest of all, in date or not. */
  newest(): KnownVersion | undefined;
  has(version: string): boolean;
  list(): readonly KnownVersion[];
  /** The vault's newest version. If it is already known its dates are renewed and a refusal is remembered. */
  addNewest(known: KnownVersion, nowMs: number): void;
  addOldest(known: KnownVersion): void;
  drop(version: string): void;
  refuse(version: string, nowMs: number): void;
}

export function createKnownVersions(): KnownVersions {
  let entries: readonly Entry[] = [];

  function eligible(nowMs: number): Entry | undefined {
    return entries.find(
      (entry) =>
        isInDate(entry.known, nowMs) && (entry.refusals === 0 || (entry === entries[0] && entry.retryAtMs <= nowMs)),
    );
  }

  return {
    offer: (nowMs) => (eligible(nowMs) ?? entries.find((entry) => isInDate(entry.known, nowMs)))?.known,
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
        // It was refused when it was fresh, came back and served: what the next one falls back on.
        predecessor.refusals = 0;
      }
      const others = entries.filter((entry) => entry !== before);
      const entry = { known, refusals: before?.refusals ?? 0, retryAtMs: before?.retryAtMs ?? 0 };
      entries = [entry, ...others].slice(0, VERSIONS_MAX);
    },
    addOldest(known) {
      entries = [...entries.slice(0, VERSIONS_MAX - 1), { known, refusals: 0, retryAtMs: 0 }];
    },
    drop(version) {
      entries = entries.filter((entry) => entry.known.version !== version);
    },
    refuse(version, nowMs) {
      const entry = entries.find((candidate) => candidate.known.version === version);
      // Many requests refused at the same moment are one refusal.
      if (entry === undefined || entry.retryAtMs > nowMs) return;
      entry.retryAtMs = nowMs + Math.min(REFUSED_WAIT_MS * 2 ** entry.refusals, REFUSED_WAIT_MAX_MS);
      entry.refusals += 1;
    },
  };
}

export function isExpired(known: Pick<KnownVersion, "expiresAtSeconds">, nowMs: number): boolean {
  return known.expiresAtSeconds !== undefined && known.expiresAtSeconds * 1000 <= nowMs;
}

export function isInDate(known: Pick<KnownVersion, "notBeforeSeconds" | "expiresAtSeconds">, nowMs: number): boolean {
  const begun = known.notBeforeSeconds === undefined || known.notBeforeSeconds * 1000 <= nowMs;
  return begun && !isExpired(known, nowMs);
}
