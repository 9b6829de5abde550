/**
 * Mode `managed-identity`: no client secret at all. The managed identity's token for Entra's federation audience is
 * the client assertion. The SDK caches the token; we keep the last one besides, because at half-life the SDK renews in
 * the foreground and throws when that fails, although the old token is good for hours.
 *
 * Input: the identity (structurally, so no SDK here); output: `ClientCredentialSource`; failure:
 * `credential_unavailable`. The assertion is never logged, and an SDK error's text never leaves.
 */
import { setTimeout } from "node:timers/promises";
import { type BackgroundRefresh, createBackgroundRefresh } from "../core/background-refresh.ts";
import { beforeDeadline, DeadlineError } from "../core/deadline.ts";
import { VAULT_DEADLINE_MS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import { SecretValue } from "../core/secret-value.ts";
import type {
  ClientCredential,
  ClientCredentialSource,
  CredentialDescription,
  CredentialFailure,
} from "./client-credential.ts";
import type { OnCredentialEvent } from "./credential-event.ts";

const NAME = "managed-identity";
/** A kept assertion is not used in its last minute: Entra's clock and the way there. */
const LEEWAY_MS = 60_000;
/** How often the SDK is asked, in the background; nearly always it answers from its own cache. */
const ASK_AGAIN_MS = 60_000;
/** After a failure with nothing in hand: the endpoint is local and fast, but must not be hammered. */
const FAILURE_PAUSE_MS = 2_000;
/**
 * A federated credential that was just made is unknown to some of Entra's replicas (AADSTS700213) for a while. A new
 * instance therefore tries once more after a moment; an old one has seen it work, and then the refusal means something.
 */
const NEW_FOR_MS = 15 * 60_000;
const REPLICATION_PAUSE_MS = 750;

export interface FederatedCredentialInput {
  readonly identity: AssertionIdentity;
  /** `api://AzureADTokenExchange` and its like: from the cloud's record. */
  readonly federationAudience: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onEvent: OnCredentialEvent;
  /** For tests; normally `VAULT_DEADLINE_MS`. */
  readonly deadlineMs?: number;
  /** For tests; normally a timer. */
  readonly pause?: (milliseconds: number) => Promise<unknown>;
}

/** What we need of a `TokenCredential`. */
export interface AssertionIdentity {
  getToken(scope: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
}

interface State {
  held: { readonly credential: ClientCredential; readonly expiresAtMs: number } | undefined;
  /** Why the last time of asking failed; undefined after a good one. */
  reason: string | undefined;
}

export function createFederatedCredential(input: FederatedCredentialInput): ClientCredentialSource {
  const { now, pause = setTimeout } = input;
  const startedAtMs = now();
  const state: State = { held: undefined, reason: undefined };
  const refresh: BackgroundRefresh = createBackgroundRefresh({
    attempt: () => ask(input, state, refresh),
    nowMs: now,
  });

  return {
    async current() {
      const held = inHand(state, now());
      if (held !== undefined) {
        refresh.startIfDue();
        return succeed(held);
      }
      await refresh.runIfDue();
      return outcome(state, now());
    },
    // There is one assertion at a time: once the trust is known, a refusal means that it is configured wrongly.
    refused: async () => {
      input.onEvent({ name: "credential_refused", credential: NAME, version: NAME, next: undefined });
      if (now() - startedAtMs >= NEW_FOR_MS) return false;
      await pause(REPLICATION_PAUSE_MS);
      return true;
    },
    describe: () => describe(state, now()),
  };
}

async function ask(input: FederatedCredentialInput, state: State, refresh: BackgroundRefresh): Promise<void> {
  const { now, onEvent } = input;
  const first = state.held === undefined;
  state.reason = await renew(input, state);
  const held = inHand(state, now());
  refresh.pause(held === undefined ? FAILURE_PAUSE_MS : ASK_AGAIN_MS);
  if (state.reason === undefined) {
    if (first) onEvent({ name: "credential_read", credential: NAME, version: NAME });
  } else if (held === undefined) {
    onEvent({ name: "credential_unavailable", credential: NAME, reason: state.reason });
  } else {
    onEvent({ name: "credential_stale", credential: NAME, version: NAME, reason: state.reason });
  }
}

/** Gives the reason of a failure. */
async function renew(input: FederatedCredentialInput, state: State): Promise<string | undefined> {
  try {
    const asked = input.identity.getToken(`${input.federationAudience}/.default`);
    const token = await beforeDeadline(asked, input.deadlineMs ?? VAULT_DEADLINE_MS);
    if (token === null || token.token === "") return "assertion_missing";
    const credential = { kind: "federated", assertion: new SecretValue(token.token), version: NAME } as const;
    state.held = { credential, expiresAtMs: token.expiresOnTimestamp };
    return undefined;
  } catch (error) {
    return error instanceof DeadlineError ? "identity_timeout" : "identity_unavailable";
  }
}

function inHand(state: State, nowMs: number): ClientCredential | undefined {
  return state.held !== undefined && nowMs < state.held.expiresAtMs - LEEWAY_MS ? state.held.credential : undefined;
}

function outcome(state: State, nowMs: number): Result<ClientCredential, CredentialFailure> {
  const held = inHand(state, nowMs);
  if (held !== undefined) return succeed(held);
  return fail({ kind: "credential_unavailable", reason: state.reason ?? "assertion_expired" });
}

function describe(state: State, nowMs: number): CredentialDescription {
  if (inHand(state, nowMs) === undefined) {
    const unread = state.held === undefined && state.reason === undefined;
    return { state: unread ? "unread" : "unavailable", version: undefined, expiresAtSeconds: undefined };
  }
  // The assertion renews itself; there is nothing that an administrator would have to renew in time.
  return { state: state.reason === undefined ? "ready" : "stale", version: NAME, expiresAtSeconds: undefined };
}
