/**
 * One question to Entra for all instances: look into level 2, and ask only with its lease in hand. An instance that
 * finds another one asking looks again for a bounded time, then asks by itself: a lease saves work, it never decides
 * whether somebody gets a token.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Failure } from "../core/failure.ts";
import { type Result, succeed } from "../core/result.ts";
import type { EntraToken } from "../entra/entra-token.ts";
import type { CachedToken } from "./cached-token.ts";
import type { SharedTokens } from "./shared-tokens.ts";

/** Entra answers in 50 to 200 ms as a rule; after this the other instance has probably died. */
const WAIT_MAX_MS = 1_500;
/** First and longest pause between two looks. */
const PAUSE_MS = 10;
const PAUSE_MAX_MS = 100;

export interface SharedAnswer {
  readonly token: EntraToken;
  readonly level: "shared" | "miss";
}

export interface Question {
  readonly key: string;
  /** Whether a shared token is worth having. */
  readonly isGoodEnough: (token: CachedToken) => boolean;
  readonly ask: () => Promise<Result<EntraToken, Failure>>;
}

export async function acquireOnce(
  shared: SharedTokens,
  { key, isGoodEnough, ask }: Question,
): Promise<Result<SharedAnswer, Failure>> {
  let found = await shared.findOrLease(key);
  for (let waited = 0, next = PAUSE_MS; found.kind === "busy" && waited < WAIT_MAX_MS; waited += next) {
    next = Math.min(next * 2, PAUSE_MAX_MS);
    await pause(next);
    found = await shared.findOrLease(key);
  }
  if (found.kind === "token" && isGoodEnough(found.token)) return succeed({ token: found.token, level: "shared" });
  const asked = await ask();
  if (!asked.ok && found.kind === "leased") {
    void shared.release(key, found.lease);
  }
  return asked.ok ? succeed({ token: asked.value, level: "miss" }) : asked;
}

/**
 * The same for a renewal: another instance's newer token if there is one, else a question under a lease of its own.
 * Undefined: another instance is renewing, and there is no hurry.
 */
export async function renewOnce(
  shared: SharedTokens,
  { key, isGoodEnough, ask }: Question,
): Promise<Result<SharedAnswer, Failure> | undefined> {
  const newer = await shared.find(key);
  if (newer !== undefined && isGoodEnough(newer)) return succeed({ token: newer, level: "shared" });
  const renewal = `${key}:renewal`;
  const found = await shared.findOrLease(renewal);
  if (found.kind === "busy") return undefined;
  const asked = await ask();
  if (found.kind === "leased") {
    void shared.release(renewal, found.lease);
  }
  return asked.ok ? succeed({ token: asked.value, level: "miss" }) : asked;
}
