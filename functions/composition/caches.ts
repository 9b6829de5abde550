/**
 * The token cache, the request budget and the memories of refusals, waits and
 * redemptions. Level 2 of the cache (Redis) is a lazy chunk of the
 * bundle.
 */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import { createLazySharedTokens, type LazySharedTokens } from "../../shared/cache/lazy-shared-tokens.ts";
import type { CacheSize } from "../../shared/cache/memory-cache.ts";
import { createTokenCache, type TokenCache } from "../../shared/cache/token-cache.ts";
import type { FixedConfig, SharedCacheConfig } from "../../shared/config/config.ts";
import { type CodeRedemptions, createCodeRedemptions } from "../../shared/exchange/code-redemptions.ts";
import { createRefusalMemory, type RefusalMemory } from "../../shared/throttling/refusal-memory.ts";
import { createRequestBudget, type RequestBudget } from "../../shared/throttling/request-budget.ts";
import { createThrottleMemory, type ThrottleMemory } from "../../shared/throttling/throttle-memory.ts";
import type { Azure } from "./azure.ts";

export interface Caches {
  readonly cache: TokenCache;
  readonly requestBudget: RequestBudget;
  readonly throttles: ThrottleMemory;
  readonly refusals: RefusalMemory;
  readonly codes: CodeRedemptions;
  /** Level 2 of the cache. Undefined: the instances share no tokens. */
  readonly sharedTokens: LazySharedTokens | undefined;
  /** Used and maximum size of level 1. */
  readonly tokenCacheSize: () => CacheSize;
}

export interface CachesInput {
  readonly config: FixedConfig;
  readonly azure: Azure;
  readonly nowMs: () => number;
  readonly steadyMs: () => number;
  readonly operatorLog: OperatorLog;
}

export function createCaches(input: CachesInput): Caches {
  const { config, nowMs, operatorLog } = input;
  const nowSeconds = () => Math.floor(nowMs() / 1_000);
  const { sharedCache } = config;
  const sharedTokens =
    sharedCache === undefined ? undefined : createLazySharedTokens(() => connect(input, sharedCache));
  const cache = createTokenCache({
    maxBytes: config.tokenCacheMaxBytes,
    nowSeconds,
    shared: sharedTokens,
    onRenewalFailed: ({ reason, count }) => operatorLog.add({ event: "cache", name: "renewal_failed", reason, count }),
  });
  return {
    cache,
    requestBudget: createRequestBudget(nowSeconds),
    throttles: createThrottleMemory(nowSeconds),
    refusals: createRefusalMemory(nowSeconds),
    codes: createCodeRedemptions({ nowSeconds }),
    sharedTokens,
    tokenCacheSize: cache.size,
  };
}

// ------------------------------------------------------------------------------------------------------------------

async function connect({ config, azure, nowMs, steadyMs, operatorLog }: CachesInput, shared: SharedCacheConfig) {
  const { createRedisLevel } = await import("../../shared/cache/redis/redis-level.ts");
  const { cloud } = config;
  return createRedisLevel({
    url: shared.redisUrl,
    // The local Redis does not use Entra authentication.
    token: cloud.name === "local" ? undefined : async () => identityToken(azure, cloud.redisScope),
    readSecret: async () => (await azure.vault()).readSecret(shared.keyName),
    nowMs,
    steadyMs,
    onEvent: (event) => operatorLog.add({ event: "cache", ...event }),
  });
}

async function identityToken(azure: Azure, scope: string) {
  const token = await (await azure.identity()).getToken(scope);
  if (token === null) throw new Error("The managed identity returned no token.");
  return token;
}
