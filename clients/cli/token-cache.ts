/**
 * MSAL's own token cache in one private file of one service. Two commands at the same moment both work; the last one to finish keeps
 * its tokens, and Entra's older refresh tokens stay usable.
 */
import type { ICachePlugin, TokenCacheContext } from "@azure/msal-node";
import { settingsProblem } from "./cli-failure.ts";
import { tokensPath } from "./home.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

export function createTokenCache(folder: string): ICachePlugin {
  const path = tokensPath(folder);
  return {
    beforeCacheAccess: async (context: TokenCacheContext) => {
      const text = readPrivateFile(path);
      if (text === undefined) return;
      try {
        context.tokenCache.deserialize(text);
      } catch {
        throw settingsProblem(`${path} is damaged.`, { run: "gte logout" });
      }
    },
    afterCacheAccess: async (context: TokenCacheContext) => {
      if (context.cacheHasChanged) writePrivateFile(path, context.tokenCache.serialize());
    },
  };
}
