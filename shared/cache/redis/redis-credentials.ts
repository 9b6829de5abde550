/**
 * Entra authentication for Azure Managed Redis: the user name is the object id of our identity, the password its token
 * for Redis. Redis drops a connection whose token has expired, so each connection is authenticated again with a newer
 * token well before (Microsoft: at least three minutes).
 *
 * Source: https://learn.microsoft.com/azure/redis/entra-for-authentication
 */
import type {
  BasicAuth,
  StreamingCredentialsListener,
  StreamingCredentialsProvider,
} from "@redis/client/dist/lib/authx/index.js";

/** A token of our identity; the identity caches it and gives a newer one some minutes before its end. */
export type RedisToken = () => Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;

export interface RedisCredentialsInput {
  readonly token: RedisToken;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly onProblem: (reason: string) => void;
}

export interface RedisCredentials extends StreamingCredentialsProvider {
  /** Ends the renewals. */
  close(): void;
}

/** Ten minutes before the end we begin to ask for a newer token, and go on until there is one. */
const AHEAD_MS = 10 * 60_000;
const PAUSE_MS = 30_000;
/** `setTimeout` takes no more than 24 days; a look a day is plenty. */
const PAUSE_MAX_MS = 24 * 60 * 60_000;
/** Connections told of a new token. The client forgets to unsubscribe lost ones: the oldest are dropped for it. */
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

/** Our own identity's token, fresh from its issuer: Redis judges it, we only read whose it is. */
function toCredentials(token: string): BasicAuth {
  const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  const objectId = typeof payload === "object" && payload !== null && "oid" in payload ? payload.oid : undefined;
  if (typeof objectId !== "string") throw new Error("the identity's token names no object id");
  return { username: objectId, password: token };
}
