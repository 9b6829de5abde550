/**
 * The composition root: builds everything that the routes need from a checked configuration. It has no logic, does no
 * I/O and reads no environment variables, so tests can call it with a literal.
 */
import { setTimeout } from "node:timers/promises";
import { createOperatorLog, type OperatorLog } from "../../shared/audit/operator-log.ts";
import type { LazySharedTokens } from "../../shared/cache/lazy-shared-tokens.ts";
import type { CallerKeys } from "../../shared/caller/caller-keys.ts";
import type { Config, RegistrationConfig } from "../../shared/config/config.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { ExchangeContext } from "../../shared/exchange/exchange-token.ts";
import type { Identity } from "../../shared/http/write-failure.ts";
import { createOfflineAccess, type OfflineAccessInput } from "../../shared/offline-access/offline-access.ts";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { createAzure } from "./azure.ts";
import { createCaches } from "./caches.ts";
import { createCallers } from "./callers.ts";
import { createGrantServices, type GrantServices } from "./grants.ts";
import { createRegistration, type RegistrationWithCredential } from "./registration.ts";
import { createRegistrations, type RegistrationsWithCredentials } from "./registrations.ts";
import { createSealing, type Sealing } from "./sealing.ts";
import { createSignIn } from "./sign-in.ts";
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

export interface Service {
  readonly config: Config;
  readonly identity: Identity;
  readonly exchangeContext: ExchangeContext;
  readonly keys: CallerKeys;
  /** Those with delegated permissions. */
  readonly registrations: RegistrationsWithCredentials;
  readonly applicationOnly: RegistrationWithCredential | undefined;
  readonly sealing: Sealing;
  readonly grantServices: GrantServices | undefined;
  readonly operatorLog: OperatorLog;
  readonly nowMs: () => number;
  /** Level 2 of the token cache. Undefined: not configured. */
  readonly sharedTokens: LazySharedTokens | undefined;
  /** Starts to load what an exchange needs. Every request for a token calls it; only the first call has an effect. */
  warmUp(trace?: RequestTrace): void;
  /** Undefined: telemetry is off. */
  readonly telemetry: Telemetry | undefined;
}

/** The system clocks and HTTPS. */
export function realSurroundings(): Surroundings {
  return {
    nowMs: () => Date.now(),
    steadyMs: () => performance.now(),
    outbound: createHttpsOutbound(),
    pause: setTimeout,
  };
}

export function compose(config: Config, { nowMs, steadyMs, outbound, pause }: Surroundings): Service {
  const operatorLog = createOperatorLog(nowMs);
  const nowSeconds = () => Math.floor(nowMs() / 1_000);
  const { cloud, tenantId, grants } = config;
  const { keys, callers } = createCallers({ config, outbound, steadyMs, operatorLog });
  const azure = createAzure(config);
  const register = (registration: RegistrationConfig) =>
    createRegistration({ config, registration, azure, outbound, nowMs, steadyMs, pause, operatorLog });
  const registrations = createRegistrations(config, register);
  const sealing = createSealing({ config, azure, nowMs, operatorLog });
  const grantServices =
    grants === undefined ? undefined : createGrantServices({ cloudName: cloud.name, grants, azure, sealing, nowMs });
  const { sharedTokens, tokenCacheSize, ...caches } = createCaches({ config, azure, nowMs, steadyMs, operatorLog });
  const applicationOnly = config.applicationOnly === undefined ? undefined : register(config.applicationOnly);
  return {
    config,
    identity: identityOf(config),
    keys,
    registrations,
    applicationOnly,
    sealing,
    grantServices,
    operatorLog,
    nowMs,
    sharedTokens,
    telemetry: createTelemetry({
      config,
      azure,
      outbound,
      nowMs,
      operatorLog,
      tokenCacheSize,
      registrations,
      applicationOnly,
    }),
    warmUp: createWarmUp({ keys, delegated: registrations.default, sharedTokens }),
    exchangeContext: {
      callers,
      nowSeconds,
      tenantId,
      allowGuests: config.allowGuests,
      onOtherUser: reportOtherUser(operatorLog),
      policy: config.policy,
      signIn: createSignIn(config, sealing, nowSeconds),
      ...caches,
      registrations,
      applicationOnly,
      grants: createOfflineAccess({
        policy: config.policy,
        grants: grantServices?.grants,
        onRotationLost: reportLostRotation(operatorLog),
      }),
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function identityOf({ tenantId, cloud, serviceUrl, registrations, documentationUrl }: Config): Identity {
  return { tenantId, authorityHost: cloud.authorityHost, serviceUrl, registrations, documentationUrl };
}

function reportOtherUser(operatorLog: OperatorLog): ExchangeContext["onOtherUser"] {
  return ({ objectId: expectedObjectId }, { objectId: returnedObjectId }) =>
    operatorLog.add({ event: "entra", name: "other_user", expectedObjectId, returnedObjectId });
}

function reportLostRotation(operatorLog: OperatorLog): OfflineAccessInput["onRotationLost"] {
  return (grantId, failure) =>
    operatorLog.add({ event: "grants", name: "rotation_lost", grantId, reason: failure.kind });
}
