/**
 * The browser's session with the tenant: the signed-in accounts, since when, and the demands that they have satisfied. The
 * session is one sealed cookie, so the tenant stores nothing.
 */
import { randomUUID } from "node:crypto";
import type { Directory, User } from "../directory/directory.ts";
import type { Sealer } from "../keys/sealer.ts";

export interface SessionTenant {
  readonly sealer: Sealer;
  readonly directory: Directory;
}

export interface SignedInAccount {
  readonly oid: string;
  readonly atMs: number;
  /** The `acrs:…` and `capolids:…` demands satisfied since then. */
  readonly satisfied: readonly string[];
}

export interface Session {
  readonly id: string;
  readonly accounts: readonly SignedInAccount[];
}

export const SESSION_COOKIE = "ESTSAUTH";
const ATTRIBUTES = "path=/; secure; HttpOnly; SameSite=None";

export function readSession(tenant: SessionTenant, cookie: string | undefined): Session {
  const unsealed = cookie === undefined ? undefined : tenant.sealer.unseal(cookie);
  const session = isSession(unsealed) ? unsealed : { id: randomUUID(), accounts: [] };
  return { ...session, accounts: session.accounts.filter((account) => isValid(tenant, account)) };
}

export function accountOf(session: Session, oid: string): SignedInAccount | undefined {
  return session.accounts.find((account) => account.oid === oid);
}

/** Adds the account as the last one. */
export function withAccount(session: Session, account: SignedInAccount): Session {
  return { ...session, accounts: [...session.accounts.filter(({ oid }) => oid !== account.oid), account] };
}

export function sessionCookie(tenant: SessionTenant, session: Session): string {
  return `${SESSION_COOKIE}=${tenant.sealer.seal({ kind: "session", ...session })}; ${ATTRIBUTES}`;
}

export const endOfSessionCookie = `${SESSION_COOKIE}=; ${ATTRIBUTES}; expires=Thu, 01 Jan 1970 00:00:00 GMT`;

function isValid(tenant: SessionTenant, { oid, atMs }: SignedInAccount): boolean {
  const user: User | undefined = tenant.directory.user(oid);
  return user !== undefined && atMs >= user.tokensValidFromMs;
}

function isSession(value: unknown): value is Session {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "session";
}
