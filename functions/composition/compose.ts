/**
 * The composition root: builds everything that the routes need from a checked configuration. It has no logic, does no
 * I/O and reads no environment variables, so tests can call it with a literal.
 */
import { setTimeout } from "node:timers/promises";
import { createOperatorLog, type OperatorLog } from "../../shared/audit/operator-log.ts";
import type { LazySharedTokens } from "../../shared/cache/lazy-shared-tokens.ts";
import type { IssuerKeys } from "../../shared/caller/issuer-keys.ts";
import type { Config } from "../../shared/config/config.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { ExchangeContext } from "../../shared/exchange/exchange-token.ts";
import type { Identity } from "../../shared/http/write-failure.ts";
import { createOfflineAccess, type OfflineAccessInput } from "../../shared/offline-access/offline-access.ts";
import { createBytesOutbound, createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import type { BytesOutbound, Outbound } from "../../shared/outbound/outbound.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { createAzure } from "./azure.ts";
import { createCaches } from "./caches.ts";
import { createCallers } from "./callers.ts";
import { createGrantServices, type GrantServices } from "./grants.ts";
import { createRegistration, type RegistrationWithCredential } from "./registration.ts";
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
  readonly keys: IssuerKeys;
  readonly delegated: RegistrationWithCredential;
  readonly applicationOnly: RegistrationWithCredential | undefined;
  readonly sealing: Sealing;
  readonly grantServices: GrantServices | undefined;
  readonly operatorLog: OperatorLog;
  readonly nowMs: () => number;
  /** The connections of the relay. */
  readonly relayOutbound: BytesOutbound;
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
  const { cloud, tenantId, serviceUrl, appIdUri, documentationUrl, grants } = config;
  const { keys, callers } = createCallers({ config, outbound, steadyMs, operatorLog });
  const azure = createAzure(config);
  const register = (registration: Config["delegated"]) =>
    createRegistration({ config, registration, azure, outbound, nowMs, steadyMs, pause, operatorLog });
  const delegated = register(config.delegated);
  const sealing = createSealing({ config, azure, nowMs, operatorLog });
  const grantServices =
    grants === undefined ? undefined : createGrantServices({ cloudName: cloud.name, grants, azure, sealing, nowMs });
  const { sharedTokens, tokenCacheSize, ...caches } = createCaches({ config, azure, nowMs, steadyMs, operatorLog });
  const applicationOnly = config.applicationOnly === undefined ? undefined : register(config.applicationOnly);
  return {
    config,
    identity: { tenantId, authorityHost: cloud.authorityHost, serviceUrl, appIdUri, documentationUrl },
    keys,
    delegated,
    applicationOnly,
    sealing,
    grantServices,
    operatorLog,
    nowMs,
    sharedTokens,
    relayOutbound: createBytesOutbound(),
    telemetry: createTelemetry({
      config,
      azure,
      outbound,
      nowMs,
      operatorLog,
      tokenCacheSize,
      delegated,
      applicationOnly,
    }),
    warmUp: createWarmUp({ keys, delegated, sharedTokens }),
    exchangeContext: {
      callers,
      nowSeconds,
      tenantId,
      allowGuests: config.allowGuests,
      onOtherUser: reportOtherUser(operatorLog),
      policy: config.policy,
      signIn: createSignIn(config, sealing, nowSeconds),
      ...caches,
      delegated,
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

function reportOtherUser(operatorLog: OperatorLog): ExchangeContext["onOtherUser"] {
  return ({ objectId: expectedObjectId }, { objectId: returnedObjectId }) =>
    operatorLog.add({ event: "entra", name: "other_user", expectedObjectId, returnedObjectId });
}

function reportLostRotation(operatorLog: OperatorLog): OfflineAccessInput["onRotationLost"] {
  return (grantId, failure) =>
    operatorLog.add({ event: "grants", name: "rotation_lost", grantId, reason: failure.kind });
}
