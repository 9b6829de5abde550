/**
 * Mode `managed-identity`: no client secret. The managed identity's token for Entra's federation audience is the client
 * assertion. The SDK caches the token. This file stores the last one too, because after half the token's lifetime the
 * SDK renews it in the foreground and throws if that fails, although the old token is valid for hours.
 *
 * Input: the identity (by its shape, so no SDK import here); output: `ClientCredentialSource`; failure:
 * `credential_unavailable`. The assertion is never logged, and the text of an SDK error is not passed on.
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
import { remedyForCodes } from "./refusal-remedies.ts";

const NAME = "managed-identity";
/** A stored assertion is not used in its last minute, because of clock differences and network time. */
const LEEWAY_MS = 60_000;
/** How often a token is requested from the SDK, in the background. Nearly always the SDK answers from its cache. */
const REQUEST_AGAIN_MS = 60_000;
/** After a failure without a stored assertion. The endpoint is local and fast, but must not be flooded. */
const FAILURE_PAUSE_MS = 2_000;
/**
 * Some of Entra's replicas do not know a new federated credential for a while (AADSTS700213). A new instance therefore
 * tries once more after a pause. In an older instance the credential has worked before, so the refusal is final.
 */
const NEW_INSTANCE_MS = 15 * 60_000;
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

/** The part of a `TokenCredential` that is needed here. */
export interface AssertionIdentity {
  getToken(scope: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>;
}

interface State {
  stored: { readonly credential: ClientCredential; readonly expiresAtMs: number } | undefined;
  /** Why the last request failed; undefined after a success. */
  reason: string | undefined;
  /** Entra's last decision about the identity's token was a refusal. */
  refused: boolean;
}

export function createFederatedCredential(input: FederatedCredentialInput): ClientCredentialSource {
  const { now, pause = setTimeout } = input;
  const startedAtMs = now();
  const state: State = { stored: undefined, reason: undefined, refused: false };
  const refresh: BackgroundRefresh = createBackgroundRefresh({
    attempt: () => refreshAssertion(input, state, refresh),
    nowMs: now,
  });

  return {
    async current() {
      const credential = usableCredential(state, now());
      if (credential !== undefined) {
        refresh.startIfDue();
        return succeed(credential);
      }
      await refresh.runIfDue();
      return currentAssertion(state, now());
    },
    // There is only one assertion at a time. Once Entra knows the credential, a refusal means a wrong configuration.
    refused: async (_version, codes) => {
      state.refused = true;
      const event = { name: "credential_refused", credential: NAME, version: NAME, next: undefined } as const;
      input.onEvent({ ...event, ...remedyForCodes(codes) });
      if (now() - startedAtMs >= NEW_INSTANCE_MS) return false;
      await pause(REPLICATION_PAUSE_MS);
      return true;
    },
    // No new version comes: the identity has one assertion.
    lookAgainSeconds: () => undefined,
    accepted() {
      if (state.refused) input.onEvent({ name: "credential_accepted", credential: NAME, version: NAME });
      state.refused = false;
    },
    describe: () => describeAssertion(state, now()),
  };
}

// ---------------------------------------------------------------------------------------------------------------

async function refreshAssertion(
  input: FederatedCredentialInput,
  state: State,
  refresh: BackgroundRefresh,
): Promise<void> {
  const { now, onEvent } = input;
  const first = state.stored === undefined;
  state.reason = await requestAssertion(input, state);
  const credential = usableCredential(state, now());
  refresh.pause(credential === undefined ? FAILURE_PAUSE_MS : REQUEST_AGAIN_MS);
  if (state.reason === undefined) {
    if (first) onEvent({ name: "credential_read", credential: NAME, version: NAME });
  } else if (credential === undefined) {
    onEvent({ name: "credential_unavailable", credential: NAME, reason: state.reason });
  } else {
    onEvent({ name: "credential_stale", credential: NAME, version: NAME, reason: state.reason });
  }
}

/** Stores a new assertion, or returns the reason of the failure. */
async function requestAssertion(input: FederatedCredentialInput, state: State): Promise<string | undefined> {
  try {
    const requested = input.identity.getToken(`${input.federationAudience}/.default`);
    const token = await beforeDeadline(requested, input.deadlineMs ?? VAULT_DEADLINE_MS);
    if (token === null || token.token === "") return "assertion_missing";
    const credential = { kind: "federated", assertion: new SecretValue(token.token), version: NAME } as const;
    state.stored = { credential, expiresAtMs: token.expiresOnTimestamp };
    return undefined;
  } catch (error) {
    return error instanceof DeadlineError ? "identity_timeout" : "identity_unavailable";
  }
}

function usableCredential(state: State, nowMs: number): ClientCredential | undefined {
  return state.stored !== undefined && nowMs < state.stored.expiresAtMs - LEEWAY_MS
    ? state.stored.credential
    : undefined;
}

function currentAssertion(state: State, nowMs: number): Result<ClientCredential, CredentialFailure> {
  const credential = usableCredential(state, nowMs);
  if (credential !== undefined) return succeed(credential);
  return fail({ kind: "credential_unavailable", reason: state.reason ?? "assertion_expired" });
}

function describeAssertion(state: State, nowMs: number): CredentialDescription {
  if (usableCredential(state, nowMs) === undefined) {
    const unread = state.stored === undefined && state.reason === undefined;
    return { state: unread ? "unread" : "unavailable", version: undefined, expiresAtSeconds: undefined };
  }
  // The assertion is renewed automatically, so there is no expiry that an administrator must watch.
  if (state.refused) return { state: "refused", version: NAME, expiresAtSeconds: undefined };
  return { state: state.reason === undefined ? "ready" : "stale", version: NAME, expiresAtSeconds: undefined };
}
