/**
 * A credential kept in the vault, through its rotations. Used by the secret mode and the certificate mode.
 *
 * - The newest version that is enabled and in date is offered, from memory; the vault is looked at in the background.
 * - Entra refuses a version → the vault is looked at once (rate-limited). A newer version is offered (the old one was
 *   removed at Entra); failing that the previous one (the new one has not reached Entra's replicas yet: it is tried
 *   again after a wait).
 * - The vault is down → what is held serves on; if nothing is held, callers get a failure and the vault gets a pause.
 *
 * All callers share one look at a time. Input: a `Vault`; output: `ClientCredentialSource`; failures:
 * `CredentialFailure`. It neither talks to Entra nor knows why Entra refused.
 */
import { type BackgroundRefresh, createBackgroundRefresh } from "../core/background-refresh.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type {
  ClientCredential,
  ClientCredentialSource,
  CredentialDescription,
  CredentialFailure,
  CredentialProblem,
} from "./client-credential.ts";
import type { OnCredentialEvent } from "./credential-event.ts";
import { createKnownVersions, isExpired, isInDate, type KnownVersion, type KnownVersions } from "./known-versions.ts";
import type { Vault, VaultFailure, VaultSecret } from "./vault.ts";

/**
 * How often the vault is looked at. A refusal triggers its own look, so this only bounds how long a disabled version
 * is used and how early a new one is noticed. Rotations overlap by days; 100 instances make 20 reads a minute of 24,000.
 */
const LOOK_AGAIN_MS = 5 * 60_000;
/** From this long before the end of the offered version we look more often: its successor may come late. */
const NEAR_EXPIRY_MS = 10 * 60_000;
const LOOK_AGAIN_NEAR_EXPIRY_MS = 30_000;
/** After a failed look while something is held: nobody waits for it. */
const LOOK_AGAIN_STALE_MS = 30_000;
/** After a failed look with nothing in hand: every request fails meanwhile, yet a dead vault must not be hammered. */
const LOOK_AGAIN_EMPTY_MS = 5_000;
/** Looks that a refusal triggers. Requests fail meanwhile if the new secret came into the vault just after a look. */
const REFUSED_LOOK_PAUSE_MS = 10_000;

export interface RotatingCredentialInput {
  readonly vault: Vault;
  /** Name of the vault secret (a certificate has a secret of the same name). */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onEvent: OnCredentialEvent;
  readonly toCredential: (secret: VaultSecret) => Result<ReadCredential, CredentialProblem>;
}

export interface ReadCredential {
  readonly credential: ClientCredential;
  /** The certificate's own validity, where there is one; the stricter of it and the vault's dates counts. */
  readonly notBeforeSeconds?: number;
  readonly expiresAtSeconds?: number;
}

export function createRotatingCredential(input: RotatingCredentialInput): ClientCredentialSource {
  const { now, onEvent, name } = input;
  const state: State = { known: createKnownVersions(), everRead: false, failure: undefined };
  let refusedLookAtMs = Number.NEGATIVE_INFINITY;
  const refresh: BackgroundRefresh = createBackgroundRefresh({
    attempt: () => look(input, state, refresh),
    nowMs: now,
    onRejected() {
      refresh.pause(LOOK_AGAIN_STALE_MS);
      onEvent({ name: "credential_stale", credential: name, version: "", reason: "internal" });
    },
  });

  return {
    async current() {
      const held = state.known.offer(now());
      if (held !== undefined) {
        refresh.startIfDue();
        return succeed(held.credential);
      }
      await refresh.runIfDue();
      const found = state.known.offer(now());
      return found === undefined ? fail(failureOf(state, now())) : succeed(found.credential);
    },

    async refused(version) {
      state.known.refuse(version, now());
      const alreadyNewer = state.known.newerThan(version, now()) !== undefined;
      if (!alreadyNewer && (refresh.isRunning() || now() - refusedLookAtMs >= REFUSED_LOOK_PAUSE_MS)) {
        refusedLookAtMs = now();
        await refresh.run();
      }
      const next = state.known.eligible(now());
      onEvent({ name: "credential_refused", credential: name, version, next: next?.version });
      return next !== undefined;
    },

    describe: () => describe(state, now()),
  };
}

interface State {
  readonly known: KnownVersions;
  /** A look has ended, well or not. */
  everRead: boolean;
  /** Outcome of the last look if it failed; undefined after a good one. */
  failure: CredentialFailure | undefined;
}

/** One look at the vault: the newest version, and if nothing in hand is eligible after it, an older one. */
async function look(input: RotatingCredentialInput, state: State, refresh: BackgroundRefresh): Promise<void> {
  const { known } = state;
  const before = known.offer(input.now());
  const read = await input.vault.readSecret(input.name);
  if (read.ok) {
    state.failure = take(input, read.value, (version) => known.addNewest(version, input.now()));
  } else {
    state.failure = toFailure(read.failure);
    if (read.failure.kind === "secret_disabled") await dropDisabled(input, known);
  }
  if (known.eligible(input.now()) === undefined) await findOlder(input, known);
  state.everRead = true;
  const offered = known.offer(input.now());
  refresh.pause(pauseMs(state, offered, input.now()));
  report(input, state, { before, offered });
}

/** The newest version is disabled. Is it the one we hold? Only then is it dropped. */
async function dropDisabled(input: RotatingCredentialInput, known: KnownVersions): Promise<void> {
  for (const { version } of known.list()) {
    const read = await input.vault.readSecret(input.name, version);
    if (read.ok || read.failure.kind !== "secret_disabled") continue;
    known.drop(version);
    unusable(input, version, "disabled");
  }
}

/**
 * A fresh instance that meets a version which is disabled, not valid yet or not known to Entra yet has no earlier one
 * in memory: it asks the vault for the newest other one that may be used.
 */
async function findOlder(input: RotatingCredentialInput, known: KnownVersions): Promise<void> {
  const listed = await input.vault.listVersions(input.name);
  if (!listed.ok) return;
  const older = listed.value.find(
    (entry) => entry.enabled && !known.has(entry.version) && isInDate(asKnown(entry), input.now()),
  );
  if (older === undefined) return;
  const read = await input.vault.readSecret(input.name, older.version);
  if (read.ok) take(input, read.value, (version) => known.addOldest(version));
}

function asKnown(dates: { readonly notBeforeSeconds?: number; readonly expiresAtSeconds?: number }) {
  return { notBeforeSeconds: dates.notBeforeSeconds, expiresAtSeconds: dates.expiresAtSeconds };
}

function take(
  input: RotatingCredentialInput,
  secret: VaultSecret,
  add: (known: KnownVersion) => void,
): CredentialFailure | undefined {
  const read = input.toCredential(secret);
  if (!read.ok) {
    unusable(input, secret.version, read.failure);
    return { kind: "credential_unusable", version: secret.version, problem: read.failure };
  }
  add({
    version: secret.version,
    credential: read.value.credential,
    notBeforeSeconds: strictest(Math.max, secret.notBeforeSeconds, read.value.notBeforeSeconds),
    expiresAtSeconds: strictest(Math.min, secret.expiresAtSeconds, read.value.expiresAtSeconds),
  });
  return undefined;
}

function strictest(choose: (a: number, b: number) => number, a: number | undefined, b: number | undefined) {
  return a === undefined || b === undefined ? (a ?? b) : choose(a, b);
}

/** After a look: what to tell the operator. */
function report(
  { name: credential, now, onEvent }: RotatingCredentialInput,
  state: State,
  { before, offered }: { readonly before: KnownVersion | undefined; readonly offered: KnownVersion | undefined },
): void {
  if (offered === undefined) {
    onEvent({ name: "credential_unavailable", credential, reason: reasonOf(failureOf(state, now())) });
    return;
  }
  if (state.failure !== undefined) {
    onEvent({ name: "credential_stale", credential, version: offered.version, reason: reasonOf(state.failure) });
  }
  if (before === undefined) {
    onEvent({ name: "credential_read", credential, version: offered.version });
  } else if (before.version !== offered.version) {
    onEvent({ name: "credential_changed", credential, from: before.version, to: offered.version });
  }
}

function pauseMs(state: State, offered: KnownVersion | undefined, nowMs: number): number {
  if (offered === undefined) return LOOK_AGAIN_EMPTY_MS;
  if (state.failure !== undefined) return LOOK_AGAIN_STALE_MS;
  const nearExpiry = offered.expiresAtSeconds !== undefined && offered.expiresAtSeconds * 1000 - nowMs < NEAR_EXPIRY_MS;
  return nearExpiry ? LOOK_AGAIN_NEAR_EXPIRY_MS : LOOK_AGAIN_MS;
}

function failureOf(state: State, nowMs: number): CredentialFailure {
  if (state.failure !== undefined) return state.failure;
  const newest = state.known.newest();
  if (newest?.expiresAtSeconds !== undefined && isExpired(newest, nowMs)) {
    return { kind: "credential_expired", version: newest.version, expiresAtSeconds: newest.expiresAtSeconds };
  }
  if (newest?.notBeforeSeconds !== undefined) {
    return { kind: "credential_not_yet_valid", version: newest.version, notBeforeSeconds: newest.notBeforeSeconds };
  }
  return { kind: "credential_unavailable", reason: "not_read" };
}

function toFailure(failure: VaultFailure): CredentialFailure {
  return failure.kind === "secret_disabled"
    ? { kind: "credential_disabled" }
    : { kind: "credential_unavailable", reason: failure.kind };
}

function reasonOf(failure: CredentialFailure): string {
  if (failure.kind === "credential_unavailable") return failure.reason;
  return failure.kind === "credential_unusable" ? failure.problem : failure.kind;
}

function unusable(input: RotatingCredentialInput, version: string, reason: string): void {
  input.onEvent({ name: "credential_version_unusable", credential: input.name, version, reason });
}

function describe(state: State, nowMs: number): CredentialDescription {
  const offered = state.known.offer(nowMs);
  const dates = { version: offered?.version, expiresAtSeconds: offered?.expiresAtSeconds };
  if (offered === undefined) return { state: state.everRead ? "unavailable" : "unread", ...dates };
  return { state: state.failure === undefined ? "ready" : "stale", ...dates };
}
