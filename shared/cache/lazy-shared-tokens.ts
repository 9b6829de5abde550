/**
 * Level 2 while it loads. Its part of the bundle, its key and its connection load in the background, beginning with the
 * first request. The first look-ups wait a short time for it and then go on without level 2.
 */
import type { SharedCounters } from "../admission/request-rates.ts";
import { beforeDeadline } from "../core/deadline.ts";
import { REDIS_FIRST_DEADLINE_MS } from "../core/limits.ts";
import type { SharedMarks } from "./shared-marks.ts";
import type { SharedTokens } from "./shared-tokens.ts";

type Level = SharedTokens & SharedMarks & SharedCounters;

export interface LazySharedTokens extends Level {
  /** Begins to load level 2, unless that has begun already. */
  warm(): void;
}

/** After a failed load. The cause is a bug or a disk error. */
const RETRY_MS = 30_000;

/** `load` resolves when level 2 can be used. If it rejects, it is called again after a pause. */
export function createLazySharedTokens(load: () => Promise<Level>): LazySharedTokens {
  let loaded: Level | undefined;
  /** Ends with the load or at the deadline, whichever is first. Look-ups after that do not wait. */
  let firstWait: Promise<void> | undefined;

  const loadOnce = async (): Promise<void> => {
    try {
      loaded = await load();
    } catch {
      setTimeout(() => {
        firstWait = undefined;
      }, RETRY_MS).unref();
    }
  };
  const start = (): Promise<void> => {
    firstWait ??= beforeDeadline(loadOnce(), REDIS_FIRST_DEADLINE_MS).catch(() => undefined);
    return firstWait;
  };
  return {
    warm: () => void start(),
    async findOrLease(key) {
      await start();
      return loaded?.findOrLease(key) ?? { kind: "unavailable" };
    },
    find: async (key) => loaded?.find(key),
    findInFamily: async (family) => loaded?.findInFamily(family),
    put: async (key, token, untilSeconds, family) => loaded?.put(key, token, untilSeconds, family),
    count: async (key, by, ttlMs) => loaded?.count(key, by, ttlMs),
    release: async (key, lease) => loaded?.release(key, lease),
    publish: async (mark) => (await loaded?.publish(mark)) ?? false,
    newer: async () => loaded?.newer(),
  };
}
