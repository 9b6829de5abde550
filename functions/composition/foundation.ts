/**
 * Everything that no policy changes: Entra's keys, the registrations with their credentials, the caches, sealing, the
 * grant store, telemetry. It is made once and outlives every version of the policy. No I/O.
 */
import { createOperatorLog, type OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CredentialProof } from "../../shared/caller/authenticate.ts";
import type { FixedConfig, RegistrationConfig } from "../../shared/config/config.ts";
import type { GrantEvents } from "../../shared/core/grant-event.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { EventPublisher } from "../../shared/events/event-publisher.ts";
import type { BytesOutbound, Outbound } from "../../shared/outbound/outbound.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import type { Revocations } from "../../shared/revocation/revocations.ts";
import type { SignInState } from "../../shared/sign-in/sign-in-context.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { type AdmissionState, createAdmissionState } from "./admission.ts";
import { type Azure, createAzure } from "./azure.ts";
import { type Caches, createCaches } from "./caches.ts";
import { createKeySets, createUnknownKeyReport, type KeySets } from "./callers.ts";
import { createCredentials } from "./credentials.ts";
import { createEvents, NO_EVENTS } from "./events.ts";
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
  /** Receives what happens to grants. Not set: it is dropped. */
  readonly grantEvents?: GrantEvents;
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
  readonly admission: AdmissionState;
  /** The proof of clients' own credentials under one version of the policy. What it remembers stays. */
  readonly credentialsUnder: (policy: Policy) => CredentialProof;
  readonly sealing: Sealing;
  readonly signInState: SignInState;
  readonly grantServices: GrantServices | undefined;
  /** Undefined: the service sends no events. */
  readonly grantEvents: EventPublisher | undefined;
  /** Where stages publish: the surroundings', or those of the receivers, or none. */
  readonly events: GrantEvents;
  readonly revocations: Revocations;
  readonly operatorLog: OperatorLog;
  readonly pause: Surroundings["pause"];
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
  const { sharedTokens } = caches;
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
    admission: createAdmissionState({ nowMs, steadyMs, shared: sharedTokens }, operatorLog),
    credentialsUnder: createCredentials({ config, ...surroundings }),
    sealing,
    signInState: createSignInState(config, sealing, () => Math.floor(nowMs() / 1_000)),
    ...composeGrants(config, surroundings, { azure, sealing, sharedTokens, operatorLog }),
    operatorLog,
    pause: surroundings.pause,
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

// ---------------------------------------------------------------------------------------------------------------

interface GrantParts extends Pick<Foundation, "azure" | "sealing" | "operatorLog"> {
  readonly sharedTokens: Caches["sharedTokens"];
}

/** Grants, what was revoked of them, and where their events go. */
function composeGrants(
  config: FixedConfig,
  { nowMs, steadyMs, outbound, pause, grantEvents }: Surroundings,
  { azure, sealing, sharedTokens, operatorLog }: GrantParts,
): Pick<Foundation, "grantServices" | "revocations" | "grantEvents" | "events"> {
  const { cloud, grants } = config;
  const stores = grants && createGrantStores({ cloudName: cloud.name, grants, azure });
  const revocations = createRevocationState(
    { store: stores?.marks, shared: sharedTokens, nowMs, steadyMs },
    operatorLog,
  );
  const isLive = revocations.isGrantLive;
  const publisher = createEvents({ config, azure, table: stores?.table, outbound, nowMs, operatorLog });
  return {
    grantServices: stores && createGrantServices({ stores, isLive, sealing, nowMs, pause, operatorLog }),
    revocations,
    grantEvents: publisher,
    events: grantEvents ?? publisher ?? NO_EVENTS,
  };
}
