/**
 * The redemptions of authorization codes. Entra redeems a code only once, so a repeated request cannot simply call Entra
 * again: it joins the redemption that is under way. If Entra answers after the caller has got 504, the token stays in
 * memory until the code of this service has expired, and the repeated request gets it. A token that a caller has got
 * leaves the memory at once, so a replayed code is refused. One refresh token makes at most one grant, and no refresh
 * token stays in memory.
 *
 * Another instance does not know the redemption: there, Entra refuses the repeated code, and the person signs in again.
 */
import { hash } from "node:crypto";
import { beforeDeadline, DeadlineError } from "../core/deadline.ts";
import type { Failure } from "../core/failure.ts";
import { CODE_SECONDS, ENTRA_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { SecretValue } from "../core/secret-value.ts";
import type { EntraToken } from "../entra/entra-token.ts";

/** Redemptions remembered at once; the oldest is evicted first. */
const REDEMPTIONS_MAX = 1_000;

type Redemption = Result<EntraToken, Failure>;

export interface CodeRedemptions {
  /**
   * The token for Entra's code. `needsRefreshToken`: the request asks for a grant, and is refused if an earlier request
   * with the same code has used the refresh token.
   */
  redeem(code: CodeToRedeem, callEntra: () => Promise<Redemption>): Promise<Redemption>;
}

export interface CodeToRedeem {
  readonly entraCode: SecretValue;
  readonly needsRefreshToken: boolean;
}

export interface CodeRedemptionsInput {
  readonly nowSeconds: () => number;
  /** For tests; normally `ENTRA_DEADLINE_MS`. */
  readonly waitMs?: number;
}

interface Entry {
  readonly running: Promise<Redemption>;
  readonly endsAtSeconds: number;
  /** Requests that wait for the token. */
  waiting: number;
  /** One request took the refresh token, or none was waiting for it. */
  refreshTokenGone: boolean;
}

export function createCodeRedemptions({
  nowSeconds,
  waitMs = ENTRA_DEADLINE_MS,
}: CodeRedemptionsInput): CodeRedemptions {
  const entries = new Map<string, Entry>();

  const start = (key: string, callEntra: () => Promise<Redemption>): Entry => {
    const running = callEntra().then((redeemed) => settle(key, redeemed));
    // A request that waits handles the rejection; without one, it is dropped here.
    running.catch(() => entries.delete(key));
    const entry = { running, endsAtSeconds: nowSeconds() + CODE_SECONDS, waiting: 0, refreshTokenGone: false };
    const [oldest] = entries.keys();
    if (oldest !== undefined && entries.size >= REDEMPTIONS_MAX) entries.delete(oldest);
    entries.set(key, entry);
    return entry;
  };
  const settle = (key: string, redeemed: Redemption): Redemption => {
    const entry = entries.get(key);
    if (!redeemed.ok || entry === undefined) {
      entries.delete(key);
      return redeemed;
    }
    if (entry.waiting > 0) return redeemed;
    entry.refreshTokenGone = true;
    return succeed(withoutRefreshToken(redeemed.value));
  };
  const find = (key: string): Entry | undefined => {
    for (const [known, { endsAtSeconds }] of entries) {
      if (endsAtSeconds > nowSeconds()) break;
      entries.delete(known);
    }
    return entries.get(key);
  };

  return {
    async redeem({ entraCode, needsRefreshToken }, callEntra) {
      const key = hash("sha256", entraCode.reveal(), "base64url");
      const entry = find(key) ?? start(key, callEntra);
      const redeemed = await waitFor(entry, waitMs);
      if (!redeemed.ok) return redeemed;
      entries.delete(key);
      if (!entry.refreshTokenGone) {
        entry.refreshTokenGone = true;
        return redeemed;
      }
      return needsRefreshToken ? fail(ALREADY_REDEEMED) : succeed(withoutRefreshToken(redeemed.value));
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

const ALREADY_REDEEMED: Failure = { kind: "code_refused", reason: "already_redeemed" };

async function waitFor(entry: Entry, waitMs: number): Promise<Redemption> {
  entry.waiting += 1;
  try {
    return await beforeDeadline(entry.running, waitMs);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    return fail({ kind: "dependency_failed", dependency: "entra", problem: "timeout" });
  } finally {
    entry.waiting -= 1;
  }
}

function withoutRefreshToken(token: EntraToken): EntraToken {
  return { ...token, refreshToken: undefined };
}
