/**
 * What a first exchange needs, fetched side by side instead of one after the other: Entra's keys, the parts of the
 * bundle with MSAL and the credential, the credential itself, level 2 of the cache. Not at the start, where nothing is
 * fetched, but with the first request that may need it. Nobody waits for it and its failures are nobody's: whoever needs
 * a part asks for it again.
 */
import type { LazySharedTokens } from "../../shared/cache/lazy-shared-tokens.ts";
import type { IssuerKeys } from "../../shared/caller/issuer-keys.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { RegistrationWithCredential } from "./registration.ts";

export interface WarmUpInput {
  readonly keys: IssuerKeys;
  readonly delegated: RegistrationWithCredential;
  readonly sharedTokens: LazySharedTokens | undefined;
}

/** The function does something the first time only. */
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
