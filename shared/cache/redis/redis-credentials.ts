/**
 * Entra authentication for Azure Managed Redis: the user name is the object id of the service's identity, the password
 * is the identity's token for Redis. Redis closes a connection whose token has expired, so each connection is
 * authenticated again with a newer token well before (Microsoft: at least three minutes).
 *
 * Source: https://learn.microsoft.com/azure/redis/entra-for-authentication
 */
import type {
  BasicAuth,
  StreamingCredentialsListener,
  StreamingCredentialsProvider,
} from "@redis/client/dist/lib/authx/index.js";

/** A token of the service's identity. The identity caches it and returns a newer one some minutes before it expires. */
export type RedisToken = () => Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;

export interface RedisCredentialsInput {
  readonly token: RedisToken;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly onProblem: (reason: string) => void;
}

export interface RedisCredentials extends StreamingCredentialsProvider {
  /** Stops the renewals. */
  close(): void;
}

/** From ten minutes before the token expires, the service requests a newer one until it gets one. */
const AHEAD_MS = 10 * 60_000;
const PAUSE_MS = 30_000;
/** `setTimeout` takes at most 24 days; once a day is often enough. */
const PAUSE_MAX_MS = 24 * 60 * 60_000;
/** Connections that receive new tokens. The Redis client does not unsubscribe lost ones, so the oldest are removed. */
const LISTENERS_MAX = 64;

export function createRedisCredentials({ token, nowMs, onProblem }: RedisCredentialsInput): RedisCredentials {
  const listeners = new Set<StreamingCredentialsListener<BasicAuth>>();
  let current: BasicAuth | undefined;
  let expiresAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const renew = async (): Promise<BasicAuth> => {
    const renewed = await token();
    const known = current?.password === renewed.token;
    current = known && current !== undefined ? current : toCredentials(renewed.token);
    expiresAtMs = renewed.expiresOnTimestamp;
    if (!known) {
      for (const listener of listeners) {
        listener.onNext(current);
      }
    }
    return current;
  };
  const schedule = (): void => {
    clearTimeout(timer);
    const wait = Math.min(Math.max(expiresAtMs - AHEAD_MS - nowMs(), PAUSE_MS), PAUSE_MAX_MS);
    timer = closed ? undefined : setTimeout(() => void renewLater(), wait).unref();
  };
  const renewLater = async (): Promise<void> => {
    try {
      await renew();
    } catch {
      onProblem("identity_unavailable");
    }
    schedule();
  };

  return {
    type: "streaming-credentials-provider",
    async subscribe(listener) {
      const credentials = current === undefined || expiresAtMs - nowMs() < AHEAD_MS ? await renew() : current;
      listeners.add(listener);
      for (const oldest of listeners) {
        if (listeners.size <= LISTENERS_MAX) break;
        listeners.delete(oldest);
      }
      schedule();
      return [credentials, { dispose: () => void listeners.delete(listener) }];
    },
    onReAuthenticationError: () => onProblem("reauthentication_refused"),
    close() {
      closed = true;
      clearTimeout(timer);
      listeners.clear();
    },
  };
}

/** The token comes directly from its issuer and Redis validates it, so the object id is read without validation. */
function toCredentials(token: string): BasicAuth {
  const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const objectId = typeof payload === "object" && payload !== null && "oid" in payload ? payload.oid : undefined;
  if (typeof objectId !== "string") throw new Error("The token of the identity contains no object id (oid).");
  return { username: objectId, password: token };
}
