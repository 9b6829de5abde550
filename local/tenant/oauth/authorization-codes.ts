/**
 * Authorization codes (E-94): valid for ten minutes and for one use, bound to client, redirect URI and PKCE challenge.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../time/clock.ts";

export interface CodeRecord {
  readonly userOid: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly issuedAtMs: number;
  readonly satisfied: readonly string[];
  readonly nonce?: string;
  readonly codeChallenge?: string;
  readonly codeChallengeMethod?: "S256" | "plain";
  redeemed: boolean;
}

export interface AuthorizationCodes {
  issue(record: Omit<CodeRecord, "issuedAtMs" | "redeemed">): string;
  find(code: string): CodeRecord | undefined;
}

export const CODE_LIFETIME_MS = 10 * 60_000;
/** More than a test run needs. The oldest codes are deleted. */
const MOST_CODES = 1_000;

export function createAuthorizationCodes(clock: Clock): AuthorizationCodes {
  const records = new Map<string, CodeRecord>();
  return {
    issue: (record) => {
      const code = `1.AX${randomBytes(120).toString("base64url")}`;
      records.set(code, { ...record, issuedAtMs: clock.nowMs(), redeemed: false });
      const [oldest] = records.keys();
      if (records.size > MOST_CODES && oldest !== undefined) records.delete(oldest);
      return code;
    },
    find: (code) => records.get(code),
  };
}
