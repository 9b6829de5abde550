/**
 * Revoked means revoked: which grants and which cached tokens still count on this instance.
 *
 *   source of marks                      read while requests come     older than its maximum age
 *   the grant table (administrators)     every 10 s                   20 s: a request waits for a read
 *   Redis (administrators, refusals)     every second                 5 s: a request waits, 50 ms at most
 *   this instance (refusals of Entra)    at once
 *
 * A response leaves at most 10 s after its check (`REQUEST_DEADLINE_MS`), so nothing revoked leaves 30 s after the
 * revocation. If the table cannot be read for longer than 20 s, grants fail and a cached token is used only while it is
 * so young that no revocation of those seconds is overdue. Otherwise the service calls Entra again, which decides itself.
 */
import type { SharedMark, SharedMarks } from "../cache/shared-marks.ts";
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { CLOCK_MARGIN_SECONDS } from "../core/revocation.ts";
import type { GrantStoreFailure, IsLive, Revocable } from "../grants/grant-types.ts";
import type { MarkStore, MarksFull, RevocationMark } from "../grants/mark-store.ts";
import { createMarkIndex, type MarkIndex } from "./mark-index.ts";
import { createMarkSource } from "./mark-source.ts";
import { isGrantRevoked, type RevocableToken, tokenMark } from "./marks-of.ts";
import { type RefusedRequest, refusedByEntra } from "./refused-by-entra.ts";

export interface Revocations {
  /** Whether a cached token may be used that Entra issued at this time, seconds since 1970. */
  mayUse(token: RevocableToken, acquiredAtSeconds: number): boolean | Promise<boolean>;
  /** False: an administrator has revoked the grant. Fails while that cannot be known. */
  readonly isGrantLive: IsLive;
  /** Without a read: whether a known mark concerns the grant. */
  isKnownRevoked(grant: Revocable): boolean;
  /** Entra refused this request: its earlier tokens count no longer, if the refusal says so. */
  heard(failure: Failure, request: RefusedRequest): void;
  /** After this, no instance uses what the mark concerns for longer than `EFFECTIVE_SECONDS`. */
  revoke(mark: RevocationMark): Promise<Result<true, GrantStoreFailure | MarksFull>>;
  /** Every mark of an administrator. */
  list(): Promise<Result<readonly RevocationMark[], GrantStoreFailure>>;
}

export interface RevocationsInput {
  /** The part of the bundle is lazy. Undefined: no grant store is configured, and administrators revoke nothing. */
  readonly store: (() => Promise<MarkStore>) | undefined;
  /** Level 2 of the cache. Undefined: none is configured. */
  readonly shared: SharedMarks | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  /** The marks of the table can be read again, or no longer. */
  readonly onTableChange: (change: { readonly readable: boolean; readonly reason?: string }) => void;
}

/** A revocation is in effect everywhere after this time: the age of the marks, and the longest request. */
export const EFFECTIVE_SECONDS = 30;
const TABLE = { freshMs: 10_000, maxAgeMs: 20_000, retryMs: 2_000 };
/** An unavailable Redis fails at once (circuit breaker). */
const SHARED = { freshMs: 1_000, maxAgeMs: 5_000, retryMs: 0 };
/** A token this young may be used although newer marks are unknown: no revocation since then is overdue. */
const YOUNG_SECONDS = TABLE.maxAgeMs / 1_000 - CLOCK_MARGIN_SECONDS;
/** More than the table has. */
const REVOKED_MAX = 10_000;
/** About 2 MB. */
const REFUSED_MAX = 10_000;
/** Marks that wait for Redis. */
const UNSENT_MAX = 100;

interface Marks {
  /** Of administrators: about grants and tokens. */
  readonly revoked: MarkIndex;
  /** Of Entra: about tokens. */
  readonly refused: MarkIndex;
}

export function createRevocations(input: RevocationsInput): Revocations {
  const { store, nowMs, steadyMs } = input;
  const marks: Marks = { revoked: createMarkIndex(REVOKED_MAX), refused: createMarkIndex(REFUSED_MAX) };
  const publisher = createPublisher(input.shared);
  const table = createMarkSource({ read: readTable(input, marks), steadyMs, ...TABLE });
  const shared =
    input.shared && createMarkSource({ read: readShared(input.shared, marks, publisher), steadyMs, ...SHARED });
  const nowSeconds = () => Math.floor(nowMs() / 1_000);
  const isYoung = (acquiredAtSeconds: number) => acquiredAtSeconds > nowSeconds() - YOUNG_SECONDS;

  return {
    mayUse(token, acquiredAtSeconds) {
      const isTableKnown = table.isCurrent() || isYoung(acquiredAtSeconds);
      if (isTableKnown && shared?.isCurrent() !== false) return isAfterMarks(marks, token, acquiredAtSeconds);
      const reads = Promise.all([isTableKnown || table.becomeCurrent(), shared?.becomeCurrent()]);
      return reads.then(([isKnown]) => isKnown && isAfterMarks(marks, token, acquiredAtSeconds));
    },
    async isGrantLive(grant) {
      if (!table.isCurrent() && !(await table.becomeCurrent()))
        return fail({ kind: "store_unavailable", code: "marks_unknown" });
      return succeed(!isGrantRevoked(marks.revoked, grant));
    },
    isKnownRevoked: (grant) => isGrantRevoked(marks.revoked, grant),
    heard(failure, request) {
      const refused = refusedByEntra(failure, request);
      if (refused === undefined) return;
      const notBeforeSeconds = nowSeconds() + CLOCK_MARGIN_SECONDS;
      marks.refused.add(refused.kind, refused.key, notBeforeSeconds);
      publisher.publish({ by: "entra", ...refused, notBeforeSeconds });
    },
    async revoke(mark) {
      if (store === undefined) return fail({ kind: "store_unavailable", code: "not_configured" });
      const stored = await (await store()).add(mark);
      if (!stored.ok) return stored;
      const { kind, key, notBeforeSeconds } = mark;
      marks.revoked.add(kind, key, notBeforeSeconds);
      publisher.publish({ by: "administrator", kind, key, notBeforeSeconds });
      return stored;
    },
    async list() {
      const read = await (await store?.())?.read(undefined);
      if (read === undefined) return succeed([]);
      return read.ok ? succeed(read.value === "unchanged" ? [] : read.value.marks) : read;
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function isAfterMarks({ revoked, refused }: Marks, token: RevocableToken, acquiredAtSeconds: number): boolean {
  return acquiredAtSeconds > tokenMark(revoked, token) && acquiredAtSeconds > tokenMark(refused, token);
}

function readTable({ store, onTableChange }: RevocationsInput, { revoked }: Marks): () => Promise<boolean> {
  let version: string | undefined;
  let readable = true;
  const report = (isReadable: boolean, reason?: string): boolean => {
    if (isReadable !== readable) onTableChange({ readable: isReadable, ...(reason === undefined ? {} : { reason }) });
    readable = isReadable;
    return isReadable;
  };
  return async () => {
    if (store === undefined) return true;
    try {
      const read = await (await store()).read(version);
      if (!read.ok) return report(false, read.failure.kind);
      if (read.value !== "unchanged") {
        for (const { kind, key, notBeforeSeconds } of read.value.marks) revoked.add(kind, key, notBeforeSeconds);
        version = read.value.version;
      }
      return report(true);
    } catch {
      return report(false, "unexpected");
    }
  };
}

function readShared(shared: SharedMarks, { revoked, refused }: Marks, publisher: Publisher): () => Promise<boolean> {
  return async () => {
    await publisher.publishUnsent();
    const marks = await shared.newer();
    for (const { by, kind, key, notBeforeSeconds } of marks ?? []) {
      (by === "administrator" ? revoked : refused).add(kind, key, notBeforeSeconds);
    }
    return marks !== undefined;
  };
}

interface Publisher {
  /** In the background. */
  publish(mark: SharedMark): void;
  /** Sends what could not be sent before. */
  publishUnsent(): Promise<void>;
}

/** The tokens of an identity are still in Redis after an outage, so a mark is sent until Redis has it. */
function createPublisher(shared: SharedMarks | undefined): Publisher {
  let unsent: SharedMark[] = [];
  const send = async (mark: SharedMark): Promise<void> => {
    if (shared === undefined || (await shared.publish(mark))) return;
    unsent = [...unsent, mark].slice(-UNSENT_MAX);
  };
  return {
    publish: (mark) => void send(mark),
    async publishUnsent() {
      const again = unsent;
      unsent = [];
      await Promise.all(again.map(send));
    },
  };
}
