/**
 * The content of the vault: secrets with versions, soft delete, and the roles of principals (KV-10 to KV-24).
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../time/clock.ts";

export interface SecretVersion {
  readonly version: string;
  readonly value: string;
  contentType?: string;
  tags?: Readonly<Record<string, string>>;
  enabled: boolean;
  /** Unix seconds. */
  notBefore?: number;
  expires?: number;
  readonly created: number;
  updated: number;
}

export interface SecretInput {
  readonly value: string;
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled?: boolean;
  readonly notBefore?: number;
  readonly expires?: number;
}

/** `user` may read, `officer` may also write. Every other role is refused with its name as the inner error (KV-23). */
export type VaultRole =
  | "user"
  | "officer"
  | "ForbiddenByRbac"
  | "ForbiddenByPolicy"
  | "ForbiddenByFirewall"
  | "AccessDenied";

export interface Vault {
  /** The versions, newest last. Undefined if the secret does not exist or is deleted. */
  versions(name: string): SecretVersion[] | undefined;
  latest(name: string): SecretVersion | undefined;
  names(): string[];
  set(name: string, input: SecretInput): SecretVersion;
  isDeleted(name: string): boolean;
  /** Deletes softly: `recover` restores the secret. */
  delete(name: string): void;
  recover(name: string): void;
  role(principalOid: string): VaultRole;
  setRole(principalOid: string, role: VaultRole): void;
  clear(): void;
}

/** `readers` are the principals with the role "Key Vault Secrets User". */
export function createVault(clock: Clock, readers: ReadonlySet<string>): Vault {
  const secrets = new Map<string, SecretVersion[]>();
  const deleted = new Map<string, SecretVersion[]>();
  const roles = new Map<string, VaultRole>();
  const move = (name: string, from: Map<string, SecretVersion[]>, to: Map<string, SecretVersion[]>) => {
    const versions = from.get(name);
    if (versions !== undefined) to.set(name, versions);
    from.delete(name);
  };
  return {
    versions: (name) => secrets.get(name),
    latest: (name) => secrets.get(name)?.at(-1),
    names: () => [...secrets.keys()],
    set: (name, { enabled = true, ...input }) => {
      const now = clock.nowSeconds();
      const version = { ...input, enabled, version: randomBytes(16).toString("hex"), created: now, updated: now };
      secrets.set(name, [...(secrets.get(name) ?? []), version]);
      return version;
    },
    isDeleted: (name) => deleted.has(name),
    delete: (name) => move(name, secrets, deleted),
    recover: (name) => move(name, deleted, secrets),
    role: (principalOid) => roles.get(principalOid) ?? (readers.has(principalOid) ? "user" : "ForbiddenByRbac"),
    setRole: (principalOid, role) => {
      roles.set(principalOid, role);
    },
    clear: () => {
      for (const map of [secrets, deleted, roles]) map.clear();
    },
  };
}
