/**
 * The connection to Redis: one client, or a cluster client where the server says that it is a cluster. It connects in
 * the background, for ever if need be, and never queues a command for later: what cannot be asked now is not asked. The
 * only importer of the Redis client.
 */
import { createClient, createCluster, RESP_TYPES, type RedisClientOptions } from "@redis/client";
import type { RedisCredentials } from "./redis-credentials.ts";

/** The commands in use, alike for both kinds of client. Values are bytes. */
export interface RedisCommands {
  get(key: string): Promise<Buffer | null>;
  /** Writes if nothing is there, and gives what was there. One round trip. */
  setIfAbsent(key: string, value: Buffer, ttlMs: number): Promise<Buffer | null>;
  set(key: string, value: Buffer, ttlMs: number): Promise<void>;
  /** Deletes if the value is still this one. */
  deleteIf(key: string, value: Buffer): Promise<void>;
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
  /** Undefined: a server without authentication, on this machine. */
  readonly credentials: RedisCredentials | undefined;
  readonly onProblem: (reason: string) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_MAX_MS = 5_000;
/** Commands under way at once. More means that Redis does not keep up, and then Entra is asked instead. */
const COMMANDS_MAX = 2_000;

const BYTES = { [RESP_TYPES.BLOB_STRING]: Buffer } as const;
const DELETE_IF = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

export function connectToRedis(input: RedisConnectionInput): RedisConnection {
  const first = Promise.withResolvers<void>();
  let cluster: Cluster | undefined;
  const single = createSingle(input);
  single.on("error", (error: unknown) => input.onProblem(codeOf(error)));
  let joining: Promise<Cluster | undefined> | undefined;
  single.on("ready", () => {
    // Asked again after a reconnection only while there is no cluster: a server may become one, never cease to be.
    joining ??= joinCluster(input, single).then((joined) => {
      cluster = joined;
      joining = joined === undefined ? undefined : joining;
      first.resolve();
      return joined;
    });
  });
  single.connect().catch(() => undefined); // Told by "error".
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

type Single = ReturnType<typeof createSingle>;
type Cluster = ReturnType<typeof createWhole>;

function createSingle(input: RedisConnectionInput) {
  return createClient({ url: input.url, ...clientOptions(input) });
}

function createWhole(input: RedisConnectionInput) {
  return createCluster({ rootNodes: [{ url: input.url }], defaults: clientOptions(input) });
}

function clientOptions({ url, credentials }: RedisConnectionInput) {
  const { protocol, hostname } = new URL(url);
  // Nodes of a cluster are named by address; their certificate names the host that configuration knows.
  const tls = protocol === "rediss:" ? { tls: true as const, servername: hostname } : {};
  return {
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: reconnectAfterMs, ...tls },
    disableOfflineQueue: true,
    commandsQueueMaxLength: COMMANDS_MAX,
    ...(credentials === undefined ? {} : { credentialsProvider: credentials }),
  } satisfies RedisClientOptions;
}

/** Twice as long each time, with some chance in it, so that instances do not all come back at once. */
function reconnectAfterMs(retries: number): number {
  return Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(retries, 10), RECONNECT_MAX_MS) * (0.5 + Math.random() / 2);
}

/** A server that is no cluster answers with an error. */
async function joinCluster(input: RedisConnectionInput, single: Single): Promise<Cluster | undefined> {
  try {
    const slots: unknown = await single.sendCommand(["CLUSTER", "SLOTS"]);
    if (!Array.isArray(slots) || slots.length === 0) return undefined;
  } catch {
    return undefined;
  }
  const cluster = createWhole(input);
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
  };
}

function toBytes(reply: unknown): Buffer | null {
  return Buffer.isBuffer(reply) ? reply : null;
}

/** Redis' own code (`OOM`, `WRONGPASS`) or Node's (`ECONNREFUSED`); never its text. */
export function codeOf(error: unknown): string {
  const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
  if (typeof code === "string") return code;
  return /^[A-Z]{2,16}(?= )/.exec(String(message))?.[0] ?? String(name ?? "unknown");
}
