/**
 * Whether the service can do its work now: keys loaded, credentials and sealing key at hand, grant store reachable.
 * Checked at most every few seconds, however many ask, so that strangers cannot make us hammer the vault.
 */
import { createBackgroundRefresh } from "../../shared/core/background-refresh.ts";
import type { Service } from "./compose.ts";
import type { RegistrationWithCredential } from "./registration.ts";

type Check = "ok" | "unavailable" | "not_configured";

export interface CredentialCheck {
  readonly state: string;
  readonly version?: string;
  /** Whole days until the credential ends; absent where it has no end (managed identity). */
  readonly daysToExpiry?: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: {
    readonly keys: "ok" | "unavailable";
    readonly credential: CredentialCheck;
    /** Of the second registration, where there is one. */
    readonly applicationCredential?: CredentialCheck;
    readonly sealingKey: Check;
    readonly grantStore: Check;
  };
}

/** A probe every few seconds sees a change soon; a flood of probes costs a handful of calls in that time. */
const FRESH_MS = 5_000;
const DAY_SECONDS = 86_400;

export function createReadiness(service: Service): () => Promise<Readiness> {
  const refresh = createBackgroundRefresh({ attempt: () => check(service), nowMs: service.nowMs });
  let latest: Promise<Readiness> | undefined;
  return () => {
    if (latest === undefined || refresh.isDue()) {
      refresh.pause(FRESH_MS);
      latest = refresh.run();
    }
    return latest;
  };
}

async function check(service: Service): Promise<Readiness> {
  const { keys, delegated, applicationOnly, sealing, grantServices, nowMs } = service;
  const configured = grantServices !== undefined;
  const [keysReady, credential, application, sealingKey, grantStore] = await Promise.all([
    keys.ready(),
    checkCredential(delegated, nowMs),
    applicationOnly === undefined ? undefined : checkCredential(applicationOnly, nowMs),
    toCheck(configured ? sealing.check() : undefined),
    toCheck(configured ? grantServices.store().then(async (store) => (await store.check()).ok) : undefined),
  ]);
  const stores = sealingKey !== "unavailable" && grantStore !== "unavailable";
  return {
    ready: keysReady && credential.usable && application?.usable !== false && stores,
    checks: {
      keys: keysReady ? "ok" : "unavailable",
      credential: credential.told,
      ...(application === undefined ? {} : { applicationCredential: application.told }),
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
  const { ok: usable } = await source.current();
  const { state, version, expiresAtSeconds } = source.describe();
  const daysToExpiry =
    expiresAtSeconds === undefined ? undefined : Math.floor((expiresAtSeconds - nowMs() / 1_000) / DAY_SECONDS);
  const told: CredentialCheck = {
    state,
    ...(version === undefined ? {} : { version }),
    ...(daysToExpiry === undefined ? {} : { daysToExpiry }),
  };
  return { usable, told };
}
