/**
 * MSAL's token cache in one private file for each service. Two commands can run at the same time: the last one to finish
 * overwrites the file, and Entra's older refresh tokens remain valid.
 */
import type { ICachePlugin, TokenCacheContext } from "@azure/msal-node";
import { settingsFailure } from "./cli-failure.ts";
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
        throw settingsFailure(`${path} is damaged.`, { run: "gte logout" });
      }
    },
    afterCacheAccess: async (context: TokenCacheContext) => {
      if (context.cacheHasChanged) writePrivateFile(path, context.tokenCache.serialize());
    },
  };
}
