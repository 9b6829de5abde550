/**
 * Level 2 while it is on its way: its part of the bundle, its key and its connection come in the background with the
 * first request. The first look-ups give them a moment and go on without them.
 */
import { beforeDeadline } from "../core/deadline.ts";
import { REDIS_FIRST_DEADLINE_MS } from "../core/limits.ts";
import type { SharedTokens } from "./shared-tokens.ts";

export interface LazySharedTokens extends SharedTokens {
  /** Begins, if that has not happened yet. */
  warm(): void;
}

/** After a failed load; the cause is a fault of our own or of the disk. */
const RETRY_MS = 30_000;

/** `load` resolves when level 2 can be asked; it may reject, and is then tried again after a pause. */
export function createLazySharedTokens(load: () => Promise<SharedTokens>): LazySharedTokens {
  let loaded: SharedTokens | undefined;
  /** Ends with the load or the moment, whichever is first: who comes later does not wait at all. */
  let moment: Promise<void> | undefined;

  const loadOnce = async (): Promise<void> => {
    try {
      loaded = await load();
    } catch {
      setTimeout(() => {
        moment = undefined;
      }, RETRY_MS).unref();
    }
  };
  const start = (): Promise<void> => {
    moment ??= beforeDeadline(loadOnce(), REDIS_FIRST_DEADLINE_MS).catch(() => undefined);
    return moment;
  };
  return {
    warm: () => void start(),
    async findOrLease(key) {
      await start();
      return loaded?.findOrLease(key) ?? { kind: "away" };
    },
    find: async (key) => loaded?.find(key),
    put: async (key, token, untilSeconds) => loaded?.put(key, token, untilSeconds),
    release: async (key, lease) => loaded?.release(key, lease),
  };
}
