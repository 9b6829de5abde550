/**
 * Loads in parallel what the first exchange needs: Entra's signing keys, the chunks with MSAL and the credential, the
 * credential, level 2 of the cache. It runs with the first request for a token and not at the start of the process. No
 * request waits for it, and its failures are ignored, because the code that needs a value loads it again.
 */
import type { LazySharedTokens } from "../../shared/cache/lazy-shared-tokens.ts";
import type { CallerKeys } from "../../shared/caller/caller-keys.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { RegistrationWithCredential } from "./registration.ts";

export interface WarmUpInput {
  readonly keys: Pick<CallerKeys, "ready">;
  /** The default registration. Others load with the first request that needs them. */
  readonly delegated: RegistrationWithCredential;
  readonly sharedTokens: LazySharedTokens | undefined;
}

/** Only the first call of the returned function has an effect. */
export function createWarmUp({ keys, delegated, sharedTokens }: WarmUpInput): (trace?: RequestTrace) => void {
  let done = false;
  return (trace) => {
    if (!done) {
      done = true;
      sharedTokens?.warm();
      for (const fetch of [() => keys.ready(trace), delegated.entra, () => warmCredential(delegated)]) {
        fetch().catch(() => undefined);
      }
    }
  };
}

async function warmCredential({ credential }: RegistrationWithCredential): Promise<void> {
  await (await credential()).current();
}
