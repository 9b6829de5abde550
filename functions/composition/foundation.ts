/**
 * Everything that no policy changes: Entra's keys, the registrations with their credentials, the caches, sealing, the
 * grant store, telemetry. It is made once and outlives every version of the policy. No I/O.
 */
import { createOperatorLog, type OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CredentialProof } from "../../shared/caller/authenticate.ts";
import type { FixedConfig, RegistrationConfig } from "../../shared/config/config.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { BytesOutbound, Outbound } from "../../shared/outbound/outbound.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import type { Revocations } from "../../shared/revocation/revocations.ts";
import type { SignInState } from "../../shared/sign-in/sign-in-context.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { type Azure, createAzure } from "./azure.ts";
import { type Caches, createCaches } from "./caches.ts";
import { createKeySets, createUnknownKeyReport, type KeySets } from "./callers.ts";
import { createCredentials } from "./credentials.ts";
import { createGrantServices, createGrantStores, type GrantServices } from "./grants.ts";
import { keepByKey } from "./keep-by-key.ts";
import { createRegistration, type RegistrationWithCredential } from "./registration.ts";
import { createRevocationState } from "./revocations.ts";
import { createSealing, type Sealing } from "./sealing.ts";
import { createSignInState } from "./sign-in.ts";
import { createTelemetry, type MeasuredPolicy } from "./telemetry.ts";
import { createWarmUp } from "./warm-up.ts";

/** The clocks and the network, which tests replace. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly outbound: Outbound;
  /** The connections of the relay. */
  readonly relayOutbound: BytesOutbound;
  /** Waits before a second attempt. */
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

export interface Foundation {
  readonly fixed: FixedConfig;
  readonly azure: Azure;
  readonly outbound: Outbound;
  /** The connections of the relay. */
  readonly relayOutbound: BytesOutbound;
  readonly keySets: KeySets;
  /** See `CallerValidatorInput`. */
  readonly onUnknownKey: () => void;
  /** One object for each client id and credential, so that a new version of the policy keeps the credentials. */
  readonly registrationOf: (registration: RegistrationConfig) => RegistrationWithCredential;
  /** Before each version of the policy: drops the registrations and key sets that only older versions name. */
  readonly startPolicy: () => void;
  readonly caches: Caches;
  /** The proof of clients' own credentials under one version of the policy. What it remembers stays. */
  readonly credentialsUnder: (policy: Policy) => CredentialProof;
  readonly sealing: Sealing;
  readonly signInState: SignInState;
  readonly grantServices: GrantServices | undefined;
  readonly revocations: Revocations;
  readonly operatorLog: OperatorLog;
  readonly nowMs: () => number;
  /** What metrics say about the policy in use. Each version of the policy sets it. */
  readonly measured: { current: MeasuredPolicy };
  /** Starts to load what an exchange needs. Every request for a token calls it; only the first call has an effect. */
  warmUp(trace?: RequestTrace): void;
  /** Undefined: telemetry is off. */
  readonly telemetry: Telemetry | undefined;
}

export function composeFoundation(config: FixedConfig, surroundings: Surroundings): Foundation {
  const { nowMs, steadyMs, outbound, relayOutbound } = surroundings;
  const operatorLog = createOperatorLog(nowMs);
  const { cloud, grants } = config;
  const keySets = createKeySets({ config, outbound, steadyMs, operatorLog });
  const azure = createAzure(config);
  const registrations = keepByKey((registration: RegistrationConfig) =>
    createRegistration({ config, registration, azure, operatorLog, ...surroundings }),
  );
  const registrationOf = registrations.of;
  const delegated = registrationOf(config.delegated);
  const applicationOnly = config.applicationOnly && registrationOf(config.applicationOnly);
  const sealing = createSealing({ config, azure, nowMs, operatorLog });
  const caches = createCaches({ config, azure, nowMs, steadyMs, operatorLog });
  const stores = grants && createGrantStores({ cloudName: cloud.name, grants, azure });
  const { sharedTokens } = caches;
  const revocations = createRevocationState(
    { store: stores?.marks, shared: sharedTokens, nowMs, steadyMs },
    operatorLog,
  );
  const measured = { current: { labels: { apis: [], registrations: [] }, registrations: [delegated] } };
  return {
    fixed: config,
    azure,
    outbound,
    relayOutbound,
    keySets,
    onUnknownKey: createUnknownKeyReport({ steadyMs, operatorLog }),
    registrationOf,
    startPolicy: () => {
      registrations.startPolicy();
      keySets.startPolicy();
    },
    caches,
    credentialsUnder: createCredentials({ config, ...surroundings }),
    sealing,
    signInState: createSignInState(config, sealing, () => Math.floor(nowMs() / 1_000)),
    grantServices: stores && createGrantServices({ stores, isLive: revocations.isGrantLive, sealing, nowMs }),
    revocations,
    operatorLog,
    nowMs,
    measured,
    telemetry: createTelemetry({
      config,
      azure,
      outbound,
      nowMs,
      operatorLog,
      measured: () => measured.current,
      tokenCacheSize: caches.tokenCacheSize,
      applicationOnly,
    }),
    warmUp: createWarmUp({ keys: keySets.tenant, delegated, sharedTokens }),
  };
}
