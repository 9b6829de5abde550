/**
 * The secret that seals the entries in Redis: 32 random bytes from the vault. It is read at the first use and again
 * every hour; the last value stays in use while the vault cannot be read. Without a secret there is no level 2: the
 * service is slower but correct. After a rotation the old entries cannot be unsealed and are replaced.
 */
import { createBackgroundRefresh } from "../../core/background-refresh.ts";
import type { Result } from "../../core/result.ts";
import type { SecretValue } from "../../core/secret-value.ts";

export interface CacheSecret {
  /** The last value that was read. Starts a read in the background if one is due. */
  current(): Uint8Array | undefined;
  /** Waits for the first read. */
  ready(): Promise<void>;
}

export interface CacheSecretInput {
  readonly read: () => Promise<Result<{ readonly value: SecretValue }, { readonly kind: string }>>;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly onProblem: (reason: string) => void;
}

const SECRET_BYTES = 32;
/** 43 characters and perhaps one `=`. */
const BASE64_32_BYTES = /^[A-Za-z0-9+/_-]{43}=?$/;
const READ_AGAIN_MS = 60 * 60_000;
const FAILURE_PAUSE_MS = 30_000;

export function createCacheSecret({ read, steadyMs, onProblem }: CacheSecretInput): CacheSecret {
  let secret: Uint8Array | undefined;

  const attempt = async (): Promise<void> => {
    const { bytes, problem } = await readBytes(read);
    secret = bytes ?? secret;
    refresh.pause(problem === undefined ? READ_AGAIN_MS : FAILURE_PAUSE_MS);
    if (problem !== undefined) {
      onProblem(problem);
    }
  };
  const refresh = createBackgroundRefresh({ attempt, nowMs: steadyMs });
  return {
    current() {
      refresh.startIfDue();
      return secret;
    },
    async ready() {
      await refresh.runIfDue();
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function readBytes(read: CacheSecretInput["read"]): Promise<{ bytes?: Uint8Array; problem?: string }> {
  try {
    const found = await read();
    if (!found.ok) return { problem: found.failure.kind };
    const text = found.value.value.reveal().trim();
    const bytes = Buffer.from(text, "base64");
    return BASE64_32_BYTES.test(text) && bytes.byteLength === SECRET_BYTES ? { bytes } : { problem: "not_32_bytes" };
  } catch {
    return { problem: "internal" };
  }
}
