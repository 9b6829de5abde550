/**
 * Everything that no policy changes: Entra's keys, the registrations with their credentials, the caches, sealing, the
 * grant store, telemetry. It is made once and outlives every version of the policy. No I/O.
 */
import { createOperatorLog, type OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CallerKeys } from "../../shared/caller/caller-keys.ts";
import type { FixedConfig, RegistrationConfig } from "../../shared/config/config.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { Identity } from "../../shared/http/write-failure.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import type { SignInState } from "../../shared/sign-in/sign-in-context.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { type Azure, createAzure } from "./azure.ts";
import { type Caches, createCaches } from "./caches.ts";
import { createKeys, createUnknownKeyReport } from "./callers.ts";
import { createGrantServices, type GrantServices } from "./grants.ts";
import { createRegistration, type RegistrationWithCredential } from "./registration.ts";
import { createSealing, type Sealing } from "./sealing.ts";
import { createSignInState } from "./sign-in.ts";
import { createTelemetry } from "./telemetry.ts";
import { createWarmUp } from "./warm-up.ts";

/** The clocks and the network, which tests replace. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly outbound: Outbound;
  /** Waits before a second attempt. */
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

export interface Foundation {
  readonly fixed: FixedConfig;
  readonly identity: Identity;
  readonly azure: Azure;
  readonly outbound: Outbound;
  readonly keys: CallerKeys;
  /** See `CallerValidatorInput`. */
  readonly onUnknownKey: () => void;
  /** One object for each client id and credential, so that a new version of the policy keeps the credentials. */
  readonly registrationOf: (registration: RegistrationConfig) => RegistrationWithCredential;
  readonly caches: Caches;
  readonly sealing: Sealing;
  readonly signInState: SignInState;
  readonly grantServices: GrantServices | undefined;
  readonly operatorLog: OperatorLog;
  readonly nowMs: () => number;
  /** The names of the APIs in the policy become labels of metrics. */
  readonly apiNames: { current: readonly string[] };
  /** Starts to load what an exchange needs. Every request for a token calls it; only the first call has an effect. */
  warmUp(trace?: RequestTrace): void;
  /** Undefined: telemetry is off. */
  readonly telemetry: Telemetry | undefined;
}

export function composeFoundation(config: FixedConfig, surroundings: Surroundings): Foundation {
  const { nowMs, steadyMs, outbound } = surroundings;
  const operatorLog = createOperatorLog(nowMs);
  const { cloud, tenantId, serviceUrl, appIdUri, documentationUrl, grants } = config;
  const keys = createKeys({ config, outbound, steadyMs, operatorLog });
  const azure = createAzure(config);
  const registrationOf = createRegistrations((registration) =>
    createRegistration({ config, registration, azure, operatorLog, ...surroundings }),
  );
  const delegated = registrationOf(config.delegated);
  const applicationOnly = config.applicationOnly && registrationOf(config.applicationOnly);
  const sealing = createSealing({ config, azure, nowMs, operatorLog });
  const caches = createCaches({ config, azure, nowMs, steadyMs, operatorLog });
  const apiNames = { current: [] };
  return {
    fixed: config,
    identity: { tenantId, authorityHost: cloud.authorityHost, serviceUrl, appIdUri, documentationUrl },
    azure,
    outbound,
    keys,
    onUnknownKey: createUnknownKeyReport({ steadyMs, operatorLog }),
    registrationOf,
    caches,
    sealing,
    signInState: createSignInState(config, sealing, () => Math.floor(nowMs() / 1_000)),
    grantServices: grants && createGrantServices({ cloudName: cloud.name, grants, azure, sealing, nowMs }),
    operatorLog,
    nowMs,
    apiNames,
    telemetry: createTelemetry({
      config,
      azure,
      outbound,
      nowMs,
      operatorLog,
      apis: () => apiNames.current,
      tokenCacheSize: caches.tokenCacheSize,
      delegated,
      applicationOnly,
    }),
    warmUp: createWarmUp({ keys, delegated, sharedTokens: caches.sharedTokens }),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function createRegistrations(
  create: (registration: RegistrationConfig) => RegistrationWithCredential,
): Foundation["registrationOf"] {
  const known = new Map<string, RegistrationWithCredential>();
  return (registration) => {
    const key = JSON.stringify(registration);
    const found = known.get(key) ?? create(registration);
    known.set(key, found);
    return found;
  };
}
