/**
 * A credential stored in the vault, and its rotation. Used by the secret mode and the certificate mode.
 *
 * - The newest version that is enabled and valid is used, from memory; the vault is read in the background.
 * - Entra refuses a version → the vault is read at once, and then every second for a minute (later every ten seconds). A newer version is used if there is one (the old
 *   one was removed at Entra), or else the previous one (Entra's replicas do not know the new one yet; it is tried again
 *   after a wait).
 * - The vault cannot be read → the versions in memory stay in use. Without one, callers get a failure, and the next read
 *   follows after a pause.
 *
 * All callers share one read at a time. Input: a `Vault`; output: `ClientCredentialSource`; failures:
 * `CredentialFailure`. It does not call Entra.
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
import { createKnownVersions, isExpired, isValid, type KnownVersion, type KnownVersions } from "./known-versions.ts";
import { remedyForCodes } from "./refusal-remedies.ts";
import type { Vault, VaultFailure, VaultSecret } from "./vault.ts";

/**
 * How often the vault is read. A refusal causes its own read, so this only bounds how long a disabled version is used
 * and how late a new one is noticed. Rotations overlap by days; 100 instances make 20 of the 24,000 reads a minute that
 * a vault allows.
 */
const READ_AGAIN_MS = 5 * 60_000;
/** From this long before the version in use expires the vault is read more often: the next version may come late. */
const NEAR_EXPIRY_MS = 10 * 60_000;
const READ_AGAIN_NEAR_EXPIRY_MS = 30_000;
/** After a failed read with a usable version in memory: no caller waits for the next read. */
const READ_AGAIN_STALE_MS = 30_000;
/** After a failed read without a usable version: requests fail until the next read, but the vault must not be flooded. */
const READ_AGAIN_EMPTY_MS = 5_000;
/** Between two reads that a refusal causes. */
const REFUSED_READ_PAUSE_MS = 10_000;
/**
 * The same in the first minute after Entra has refused a version that it accepted before: the credential was probably
 * removed at Entra before the new one was in the vault. 100 instances make 100 of the 400 reads a second of a vault.
 */
const REPLACED_READ_PAUSE_MS = 1_000;
const REPLACED_FOR_MS = 60_000;

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
  /** The certificate's validity, if there is one. The stricter of it and the vault's dates counts. */
  readonly notBeforeSeconds?: number;
  readonly expiresAtSeconds?: number;
}

export function createRotatingCredential(input: RotatingCredentialInput): ClientCredentialSource {
  const { now, onEvent, name } = input;
  const state: State = { known: createKnownVersions(), everRead: false, failure: undefined };
  let refusedReadAtMs = Number.NEGATIVE_INFINITY;
  let everAccepted = false;
  /** When Entra began to refuse versions. Undefined: it has accepted the last one. */
  let refusedSinceMs: number | undefined;
  const isBeingReplaced = () =>
    everAccepted && refusedSinceMs !== undefined && now() - refusedSinceMs < REPLACED_FOR_MS;
  const refusedReadPauseMs = () => (isBeingReplaced() ? REPLACED_READ_PAUSE_MS : REFUSED_READ_PAUSE_MS);
  const refresh: BackgroundRefresh = createBackgroundRefresh({
    attempt: () => readVault(input, state, refresh),
    nowMs: now,
    onRejected() {
      refresh.pause(READ_AGAIN_STALE_MS);
      onEvent({ name: "credential_stale", credential: name, version: "", reason: "internal" });
    },
  });

  return {
    async current() {
      const offered = state.known.offer(now());
      if (offered !== undefined) {
        refresh.startIfDue();
        return succeed(offered.credential);
      }
      await refresh.runIfDue();
      const found = state.known.offer(now());
      return found === undefined ? fail(currentFailure(state, now())) : succeed(found.credential);
    },

    async refused(version, codes) {
      state.known.refuse(version, now());
      refusedSinceMs ??= now();
      const alreadyNewer = state.known.newerThan(version, now()) !== undefined;
      if (!alreadyNewer && (refresh.isRunning() || now() - refusedReadAtMs >= refusedReadPauseMs())) {
        refusedReadAtMs = now();
        await refresh.run();
      }
      const next = state.known.eligible(now());
      onEvent({ name: "credential_refused", credential: name, version, next: next?.version, ...remedyForCodes(codes) });
      return next !== undefined;
    },

    lookAgainSeconds() {
      if (!isBeingReplaced()) return undefined;
      return Math.max(1, Math.ceil((refusedReadAtMs + REPLACED_READ_PAUSE_MS - now()) / 1_000));
    },

    accepted(version) {
      everAccepted = true;
      refusedSinceMs = undefined;
      if (state.known.accept(version)) onEvent({ name: "credential_accepted", credential: name, version });
    },

    describe: () => describeVersions(state, now()),
  };
}

// ---------------------------------------------------------------------------------------------------------------

interface State {
  readonly known: KnownVersions;
  /** A read of the vault has ended, with or without success. */
  everRead: boolean;
  /** Failure of the last read; undefined after a success. */
  failure: CredentialFailure | undefined;
}

/** One read of the vault: the newest version, and an older one if no version in memory is eligible after that. */
async function readVault(input: RotatingCredentialInput, state: State, refresh: BackgroundRefresh): Promise<void> {
  const { known } = state;
  const before = known.offer(input.now());
  const read = await input.vault.readSecret(input.name);
  if (read.ok) {
    state.failure = addVersion(input, read.value, (version) => known.addNewest(version, input.now()));
  } else {
    state.failure = fromVaultFailure(read.failure);
    if (read.failure.kind === "secret_disabled") await dropDisabled(input, known);
  }
  if (known.eligible(input.now()) === undefined) await findOlder(input, known);
  state.everRead = true;
  const offered = known.offer(input.now());
  refresh.pause(pauseMs(state, offered, input.now()));
  reportRead(input, state, { before, offered });
}

/** The newest version in the vault is disabled. Removes the versions in memory that are disabled too. */
async function dropDisabled(input: RotatingCredentialInput, known: KnownVersions): Promise<void> {
  for (const { version } of known.list()) {
    const read = await input.vault.readSecret(input.name, version);
    if (read.ok || read.failure.kind !== "secret_disabled") continue;
    known.drop(version);
    reportUnusable(input, version, "disabled");
  }
}

/**
 * The newest version may be disabled, not valid yet, or not known to Entra yet. A new instance has no earlier one in
 * memory, so it reads the newest other version that may be used.
 */
async function findOlder(input: RotatingCredentialInput, known: KnownVersions): Promise<void> {
  const listed = await input.vault.listVersions(input.name);
  if (!listed.ok) return;
  const older = listed.value.find(
    (entry) => entry.enabled && !known.has(entry.version) && isValid(toValidity(entry), input.now()),
  );
  if (older === undefined) return;
  const read = await input.vault.readSecret(input.name, older.version);
  if (read.ok) addVersion(input, read.value, (version) => known.addOldest(version));
}

function toValidity(dates: { readonly notBeforeSeconds?: number; readonly expiresAtSeconds?: number }) {
  return { notBeforeSeconds: dates.notBeforeSeconds, expiresAtSeconds: dates.expiresAtSeconds };
}

function addVersion(
  input: RotatingCredentialInput,
  secret: VaultSecret,
  add: (known: KnownVersion) => void,
): CredentialFailure | undefined {
  const read = input.toCredential(secret);
  if (!read.ok) {
    reportUnusable(input, secret.version, read.failure);
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

/** The events of a read. */
function reportRead(
  { name: credential, now, onEvent }: RotatingCredentialInput,
  state: State,
  { before, offered }: { readonly before: KnownVersion | undefined; readonly offered: KnownVersion | undefined },
): void {
  if (offered === undefined) {
    onEvent({ name: "credential_unavailable", credential, reason: toReasonCode(currentFailure(state, now())) });
    return;
  }
  if (state.failure !== undefined) {
    onEvent({ name: "credential_stale", credential, version: offered.version, reason: toReasonCode(state.failure) });
  }
  if (before === undefined) {
    onEvent({ name: "credential_read", credential, version: offered.version });
  } else if (before.version !== offered.version) {
    onEvent({ name: "credential_changed", credential, from: before.version, to: offered.version });
  }
}

function pauseMs(state: State, offered: KnownVersion | undefined, nowMs: number): number {
  if (offered === undefined) return READ_AGAIN_EMPTY_MS;
  if (state.failure !== undefined) return READ_AGAIN_STALE_MS;
  const nearExpiry = offered.expiresAtSeconds !== undefined && offered.expiresAtSeconds * 1000 - nowMs < NEAR_EXPIRY_MS;
  return nearExpiry ? READ_AGAIN_NEAR_EXPIRY_MS : READ_AGAIN_MS;
}

function currentFailure(state: State, nowMs: number): CredentialFailure {
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

function fromVaultFailure(failure: VaultFailure): CredentialFailure {
  return failure.kind === "secret_disabled"
    ? { kind: "credential_disabled" }
    : { kind: "credential_unavailable", reason: failure.kind };
}

function toReasonCode(failure: CredentialFailure): string {
  if (failure.kind === "credential_unavailable") return failure.reason;
  return failure.kind === "credential_unusable" ? failure.problem : failure.kind;
}

function reportUnusable(input: RotatingCredentialInput, version: string, reason: string): void {
  input.onEvent({ name: "credential_version_unusable", credential: input.name, version, reason });
}

function describeVersions(state: State, nowMs: number): CredentialDescription {
  const offered = state.known.offer(nowMs);
  const dates = { version: offered?.version, expiresAtSeconds: offered?.expiresAtSeconds };
  if (offered === undefined) return { state: state.everRead ? "unavailable" : "unread", ...dates };
  if (state.known.isRefused(offered.version)) return { state: "refused", ...dates };
  return { state: state.failure === undefined ? "ready" : "stale", ...dates };
}
