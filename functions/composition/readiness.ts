/**
 * Whether the service can work now: a policy loaded, signing keys loaded, credentials readable and not refused by
 * Entra, sealing key readable, grant store reachable. A result is reused for a few seconds, so that anonymous probes
 * cannot cause many calls to Key Vault.
 */
import { createBackgroundRefresh } from "../../shared/core/background-refresh.ts";
import type { Service } from "./compose.ts";
import type { PolicyState } from "./policy-state.ts";
import type { RegistrationWithCredential } from "./registration.ts";

type Check = "ok" | "unavailable" | "not_configured";

export interface CredentialCheck {
  readonly state: string;
  readonly version?: string;
  /** Whole days until the credential expires. Absent for a managed identity, which does not expire. */
  readonly daysToExpiry?: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: {
    readonly policy: PolicyState;
    readonly keys: "ok" | "unavailable";
    /** Credential of the default registration. */
    readonly credential: CredentialCheck;
    /** Credentials of the policy's registrations, by name. Absent: the policy has none. */
    readonly registrationCredentials?: Readonly<Record<string, CredentialCheck>>;
    /** Credential of the app-only registration. Absent: not configured. */
    readonly applicationCredential?: CredentialCheck;
    readonly sealingKey: Check;
    readonly grantStore: Check;
  };
}

/** Short enough for probes to see a change soon, and long enough for many probes to cause few calls. */
const FRESH_MS = 5_000;
const DAY_SECONDS = 86_400;

export function createReadiness(service: Service): () => Promise<Readiness> {
  const refresh = createBackgroundRefresh({ attempt: () => check(service), nowMs: service.nowMs });
  let latest: Promise<Readiness> | undefined;
  return () => {
    if (latest === undefined || (refresh.isDue() && !refresh.isRunning())) {
      refresh.pause(FRESH_MS);
      latest = refresh.run();
    }
    return latest;
  };
}

// ------------------------------------------------------------------------------------------------------------------

async function check(service: Service): Promise<Readiness> {
  const { keys, registrations, applicationOnly, sealing, grantServices, nowMs } = service;
  const [, ...further] = registrations.all;
  // Grants and sign-ins seal. An authorization code needs the key without a grant store, too.
  const seals = grantServices !== undefined || service.exchangeContext.signIn !== undefined;
  const [keysReady, credential, others, application, sealingKey, grantStore] = await Promise.all([
    keys.ready(),
    checkCredential(registrations.default, nowMs),
    Promise.all(further.map(async (one) => ({ name: one.name, ...(await checkCredential(one, nowMs)) }))),
    applicationOnly === undefined ? undefined : checkCredential(applicationOnly, nowMs),
    toCheck(seals ? sealing.check() : undefined),
    toCheck(
      grantServices !== undefined ? grantServices.store().then(async (store) => (await store.check()).ok) : undefined,
    ),
  ]);
  const policy = service.policyState();
  const othersUsable = others.every(({ usable }) => usable) && application?.usable !== false;
  const storageReady = sealingKey !== "unavailable" && grantStore !== "unavailable";
  return {
    ready: policy.hash !== undefined && keysReady && credential.usable && othersUsable && storageReady,
    checks: {
      policy,
      keys: keysReady ? "ok" : "unavailable",
      credential: credential.details,
      ...(others.length === 0
        ? {}
        : { registrationCredentials: Object.fromEntries(others.map(({ name, details }) => [name, details])) }),
      ...(application === undefined ? {} : { applicationCredential: application.details }),
      sealingKey,
      grantStore,
    },
  };
}

async function toCheck(works: Promise<boolean> | undefined): Promise<Check> {
  if (works === undefined) return "not_configured";
  return (await works) ? "ok" : "unavailable";
}

async function checkCredential(registration: RegistrationWithCredential, nowMs: () => number) {
  const source = await registration.credential();
  const { ok } = await source.current();
  const { state, version, expiresAtSeconds } = source.describe();
  const daysToExpiry =
    expiresAtSeconds === undefined ? undefined : Math.floor((expiresAtSeconds - nowMs() / 1_000) / DAY_SECONDS);
  const details: CredentialCheck = {
    state,
    ...(version === undefined ? {} : { version }),
    ...(daysToExpiry === undefined ? {} : { daysToExpiry }),
  };
  return { usable: ok && state !== "refused", details };
}
