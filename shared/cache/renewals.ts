/**
 * Refresh-ahead: an entry that is due is renewed in the background while its token stays in use. Each entry has at most
 * one attempt at a time, the number of all attempts is bounded, and the pause after each failure is longer. No caller
 * waits for a renewal or sees it fail. The operator gets a report at most once a minute.
 */
import type { Failure } from "../core/failure.ts";
import type { Result } from "../core/result.ts";
import { warningOf } from "./cache-warning.ts";
import type { CacheEntry } from "./memory-cache.ts";

/** Renewals at the same time, in one process: background work must not delay requests that wait for a token. */
const RUNNING_MAX = 16;
const PAUSE_SECONDS = 30;
const PAUSE_MAX_SECONDS = 300;
/** Between two reports to the operator. */
const REPORT_EVERY_SECONDS = 60;

export interface RenewalsInput {
  readonly nowSeconds: () => number;
  /** Renewals that failed since the last report. Must not throw. */
  readonly onFailed: (report: RenewalReport) => void;
}

export interface RenewalReport {
  /** Kind of the latest failure. */
  readonly reason: Failure["kind"];
  readonly count: number;
}

export interface Renewals {
  /** Starts `renew` if the entry is due. `renew` replaces the entry when it succeeds; it may reject. */
  startIfDue(entry: CacheEntry, renew: () => Promise<Result<unknown, Failure>>): void;
}

export function createRenewals({ nowSeconds, onFailed }: RenewalsInput): Renewals {
  let running = 0;
  let failures = 0;
  let reportAtSeconds = Number.NEGATIVE_INFINITY;

  const report = (reason: Failure["kind"]) => {
    failures += 1;
    if (nowSeconds() >= reportAtSeconds) {
      reportAtSeconds = nowSeconds() + REPORT_EVERY_SECONDS;
      onFailed({ reason, count: failures });
      failures = 0;
    }
  };

  const run = async (entry: CacheEntry, renew: () => Promise<Result<unknown, Failure>>) => {
    running += 1;
    try {
      const renewed = await renew();
      if (!renewed.ok) {
        entry.warning = warningOf(renewed.failure);
        report(renewed.failure.kind);
      }
    } catch {
      report("internal");
    } finally {
      running -= 1;
    }
  };

  return {
    startIfDue(entry, renew) {
      const now = nowSeconds();
      if (entry.renewAtSeconds === undefined || entry.renewAtSeconds > now || running >= RUNNING_MAX) return;
      entry.renewAtSeconds = now + Math.min(PAUSE_SECONDS * 2 ** entry.renewalFailures, PAUSE_MAX_SECONDS);
      entry.renewalFailures += 1;
      void run(entry, renew);
    },
  };
}
