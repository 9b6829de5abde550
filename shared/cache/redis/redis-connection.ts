/**
 * The connection to Redis: a single client, or a cluster client if the server reports that it is a cluster. It connects
 * in the background, with no limit on retries, and never queues a command while there is no connection. The only
 * importer of the Redis client.
 */
import { createClient, createCluster, RESP_TYPES, type RedisClientOptions } from "@redis/client";
import type { RedisCredentials } from "./redis-credentials.ts";

/** The commands in use, the same for both kinds of client. Values are bytes. */
export interface RedisCommands {
  get(key: string): Promise<Buffer | null>;
  /** Writes if the key has no value, and returns the previous value. One round trip. */
  setIfAbsent(key: string, value: Buffer, ttlMs: number): Promise<Buffer | null>;
  set(key: string, value: Buffer, ttlMs: number): Promise<void>;
  /** Deletes the key if it still has this value. */
  deleteIf(key: string, value: Buffer): Promise<void>;
  /** Adds to a number, which begins at zero and ends `ttlMs` after its first change. Returns the sum. */
  add(key: string, by: number, ttlMs: number): Promise<number>;
  /** Appends to a stream of about `max` entries, which ends when none was appended for `ttlMs`. */
  append(key: string, value: Buffer, limits: { readonly max: number; readonly ttlMs: number }): Promise<void>;
  /** The entries of a stream after this id (`-`: from its start), oldest first. */
  readAfter(key: string, id: string, count: number): Promise<readonly StreamEntry[]>;
}

export interface StreamEntry {
  readonly id: string;
  readonly value: Buffer;
}

export interface RedisConnection {
  /** Undefined while there is no connection. */
  commands(): RedisCommands | undefined;
  /** Resolves with the first connection. Never rejects. */
  readonly connected: Promise<void>;
  close(): void;
}

export interface RedisConnectionInput {
  /** `rediss://host:port`, or `redis://` on this machine. */
  readonly url: string;
  /** Undefined: a server on this machine, without authentication. */
  readonly credentials: RedisCredentials | undefined;
  readonly onProblem: (reason: string) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_MAX_MS = 5_000;
/** Commands without a reply. If there are more, Redis is too slow, and the service calls Entra instead. */
const COMMANDS_MAX = 2_000;

const BYTES = { [RESP_TYPES.BLOB_STRING]: Buffer } as const;
const ADD =
  "local sum = redis.call('incrby', KEYS[1], ARGV[1]) if redis.call('pttl', KEYS[1]) < 0 then redis.call('pexpire', KEYS[1], ARGV[2]) end return sum";
/** Both commands of a stream are scripts, because the two kinds of client answer them in different forms. */
const APPEND =
  "redis.call('xadd', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'v', ARGV[1]) return redis.call('pexpire', KEYS[1], ARGV[3])";
const READ_AFTER =
  "local flat = {} for _, entry in ipairs(redis.call('xrange', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do flat[#flat + 1] = entry[1] flat[#flat + 1] = entry[2][2] end return flat";
const DELETE_IF = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

export function connectToRedis(input: RedisConnectionInput): RedisConnection {
  const first = Promise.withResolvers<void>();
  let cluster: Cluster | undefined;
  const single = createSingleClient(input);
  single.on("error", (error: unknown) => input.onProblem(codeOf(error)));
  let joining: Promise<Cluster | undefined> | undefined;
  single.on("ready", () => {
    // Checked again after a reconnection until there is a cluster: a server may become one, but does not stop being one.
    joining ??= joinCluster(input, single).then((joined) => {
      cluster = joined;
      joining = joined === undefined ? undefined : joining;
      first.resolve();
      return joined;
    });
  });
  single.connect().catch(() => undefined); // Reported through "error".
  const commands = { single: toCommands(single), cluster: undefined as RedisCommands | undefined };
  return {
    commands() {
      if (cluster !== undefined) {
        commands.cluster ??= toCommands(cluster);
        return cluster.isReady ? commands.cluster : undefined;
      }
      return single.isReady ? commands.single : undefined;
    },
    connected: first.promise,
    close() {
      cluster?.destroy();
      single.destroy();
      input.credentials?.close();
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

type Single = ReturnType<typeof createSingleClient>;
type Cluster = ReturnType<typeof createClusterClient>;

function createSingleClient(input: RedisConnectionInput) {
  return createClient({ url: input.url, ...clientOptions(input) });
}

function createClusterClient(input: RedisConnectionInput) {
  return createCluster({ rootNodes: [{ url: input.url }], defaults: clientOptions(input) });
}

function clientOptions({ url, credentials }: RedisConnectionInput) {
  const { protocol, hostname } = new URL(url);
  // Cluster nodes are listed by address; their certificate names the configured host.
  const tls = protocol === "rediss:" ? { tls: true as const, servername: hostname } : {};
  return {
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: reconnectAfterMs, ...tls },
    disableOfflineQueue: true,
    commandsQueueMaxLength: COMMANDS_MAX,
    ...(credentials === undefined ? {} : { credentialsProvider: credentials }),
  } satisfies RedisClientOptions;
}

/** Exponential backoff with jitter, so that instances do not all reconnect at once. */
function reconnectAfterMs(retries: number): number {
  return Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(retries, 10), RECONNECT_MAX_MS) * (0.5 + Math.random() / 2);
}

/** A server that is not a cluster replies with an error. */
async function joinCluster(input: RedisConnectionInput, single: Single): Promise<Cluster | undefined> {
  try {
    const slots: unknown = await single.sendCommand(["CLUSTER", "SLOTS"]);
    if (!Array.isArray(slots) || slots.length === 0) return undefined;
  } catch {
    return undefined;
  }
  const cluster = createClusterClient(input);
  cluster.on("error", (error: unknown) => input.onProblem(codeOf(error)));
  try {
    await cluster.connect();
    return cluster;
  } catch {
    cluster.destroy();
    return undefined;
  }
}

function toCommands(client: Single | Cluster): RedisCommands {
  const bytes = client.withTypeMapping(BYTES) as ReturnType<Single["withTypeMapping"]>;
  return {
    get: async (key) => toBytes(await bytes.get(key)),
    setIfAbsent: async (key, value, ttlMs) =>
      toBytes(await bytes.set(key, value, { condition: "NX", GET: true, expiration: { type: "PX", value: ttlMs } })),
    set: async (key, value, ttlMs) => {
      await bytes.set(key, value, { expiration: { type: "PX", value: ttlMs } });
    },
    deleteIf: async (key, value) => {
      await bytes.eval(DELETE_IF, { keys: [key], arguments: [value] });
    },
    add: async (key, by, ttlMs) => Number(await bytes.eval(ADD, { keys: [key], arguments: [`${by}`, `${ttlMs}`] })),
    append: async (key, value, { max, ttlMs }) => {
      await bytes.eval(APPEND, { keys: [key], arguments: [value, String(max), String(ttlMs)] });
    },
    readAfter: async (key, id, count) => {
      const range = { keys: [key], arguments: [id === "-" ? id : `(${id}`, String(count)] };
      return toEntries(await bytes.eval(READ_AFTER, range));
    },
  };
}

/** Ids and values in turn. */
function toEntries(reply: unknown): StreamEntry[] {
  const flat: unknown[] = Array.isArray(reply) ? reply : [];
  const entries: StreamEntry[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const value = toBytes(flat[at + 1]);
    if (value !== null) entries.push({ id: String(flat[at]), value });
  }
  return entries;
}

function toBytes(reply: unknown): Buffer | null {
  return Buffer.isBuffer(reply) ? reply : null;
}

/** Redis' error code (`OOM`, `WRONGPASS`) or Node's (`ECONNREFUSED`); never the error's text. */
export function codeOf(error: unknown): string {
  const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
  if (typeof code === "string") return code;
  return /^[A-Z]{2,16}(?= )/.exec(String(message))?.[0] ?? String(name ?? "unknown");
}
