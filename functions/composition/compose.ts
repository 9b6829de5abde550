/**
 * The composition root: builds everything that the routes need from a checked configuration. It has no logic, does no
 * I/O and reads no environment variables, so tests can call it with a literal. A `Service` is immutable and belongs to
 * one version of the policy: a new version makes a new service on the same foundation, and a request never sees two.
 */
import { setTimeout } from "node:timers/promises";
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { LazySharedTokens } from "../../shared/cache/lazy-shared-tokens.ts";
import { type CallerKeys, createCallerKeys } from "../../shared/caller/caller-keys.ts";
import type { Config } from "../../shared/config/config.ts";
import type { RequestTrace } from "../../shared/core/request-trace.ts";
import type { EventPublisher } from "../../shared/events/event-publisher.ts";
import type { ExchangeContext } from "../../shared/exchange/exchange-token.ts";
import { codeOf } from "../../shared/http/failure-to-wire.ts";
import type { Identity } from "../../shared/http/write-failure.ts";
import { createOfflineAccess, type OfflineAccessInput } from "../../shared/offline-access/offline-access.ts";
import { createBytesOutbound, createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import type { BytesOutbound } from "../../shared/outbound/outbound.ts";
import type { Revocations } from "../../shared/revocation/revocations.ts";
import type { SignInState } from "../../shared/sign-in/sign-in-context.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { createCallers } from "./callers.ts";
import { composeFoundation, type Foundation, type Surroundings } from "./foundation.ts";
import type { GrantServices } from "./grants.ts";
import type { PolicyState } from "./policy-state.ts";
import type { RegistrationWithCredential } from "./registration.ts";
import { createRegistrations, type RegistrationsWithCredentials } from "./registrations.ts";
import type { Sealing } from "./sealing.ts";
import { usesSignIn } from "./sign-in.ts";

export interface Service {
  readonly config: Config;
  readonly identity: Identity;
  readonly exchangeContext: ExchangeContext;
  readonly admission: Admission;
  readonly keys: CallerKeys;
  /** Those with delegated permissions. */
  readonly registrations: RegistrationsWithCredentials;
  readonly applicationOnly: RegistrationWithCredential | undefined;
  readonly sealing: Sealing;
  /** For routes of the sign-in, even if this policy does not use them. */
  readonly signInState: SignInState;
  readonly grantServices: GrantServices | undefined;
  /** Undefined: the service sends no events. */
  readonly grantEvents: EventPublisher | undefined;
  readonly revocations: Revocations;
  readonly operatorLog: OperatorLog;
  readonly nowMs: () => number;
  /** The connections of the relay. */
  readonly relayOutbound: BytesOutbound;
  /** Level 2 of the token cache. Undefined: not configured. */
  readonly sharedTokens: LazySharedTokens | undefined;
  /** Whether the newest version of the policy is in use. */
  readonly policyState: () => PolicyState;
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
    relayOutbound: createBytesOutbound(),
    pause: setTimeout,
  };
}

/** The service under a policy that never changes. */
export function compose(config: Config, surroundings: Surroundings): Service {
  return composeService(composeFoundation(config, surroundings), config);
}

/** The service under one version of the policy. */
export function composeService(
  foundation: Foundation,
  config: Config,
  policyState: Service["policyState"] = () => ({ state: "ok", hash: config.policyHash }),
): Service {
  const { keySets, sealing, signInState, grantServices, operatorLog, nowMs, telemetry, warmUp } = foundation;
  const { grantEvents, revocations } = foundation;
  const { policy } = config;
  foundation.startPolicy();
  const keys = createCallerKeys({
    tenant: keySets.tenant,
    registrations: new Map(config.registrations.map((one) => [one.clientId, keySets.ofRegistration(one)])),
  });
  const registrations = createRegistrations(config, foundation.registrationOf);
  foundation.measured.current = {
    labels: { apis: Object.keys(policy.apis), registrations: config.registrations.map(({ name }) => name) },
    registrations: registrations.all,
  };
  const applicationOnly = config.applicationOnly && foundation.registrationOf(config.applicationOnly);
  const callers = createCallers(keys, foundation.onUnknownKey, config);
  const nowSeconds = () => Math.floor(nowMs() / 1_000);
  const admission = createAdmission({ ...foundation.admission, callers, policy, nowSeconds });
  return {
    config,
    admission,
    identity: identityOf(config),
    keys,
    registrations,
    applicationOnly,
    sealing,
    signInState,
    grantServices,
    grantEvents,
    revocations,
    operatorLog,
    nowMs,
    sharedTokens: foundation.caches.sharedTokens,
    relayOutbound: foundation.relayOutbound,
    policyState,
    telemetry,
    warmUp,
    exchangeContext: toExchangeContext(foundation, config, {
      callers,
      admission,
      registrations,
      applicationOnly,
      nowSeconds,
    }),
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** What of the context depends on the version of the policy. */
type OfPolicy = Pick<ExchangeContext, "callers" | "registrations" | "applicationOnly" | "nowSeconds"> & {
  readonly admission: Admission;
};

function toExchangeContext(
  { caches, credentialsUnder, events, grantServices, operatorLog, pause, revocations, signInState }: Foundation,
  { policy, tenantId, allowGuests }: Config,
  { admission, ...ofPolicy }: OfPolicy,
): ExchangeContext {
  const { sharedTokens: _, tokenCacheSize: __, ...cacheContext } = caches;
  return {
    ...ofPolicy,
    ...cacheContext,
    countRequest: admission.countRequest,
    credentials: credentialsUnder(policy),
    tenantId,
    allowGuests,
    onOtherUser: reportOtherUser(operatorLog),
    policy,
    signIn: usesSignIn(policy) ? signInState : undefined,
    events,
    revocations,
    grants: createOfflineAccess({
      policy,
      grants: grantServices?.grants,
      isKnownRevoked: revocations.isKnownRevoked,
      nowSeconds: ofPolicy.nowSeconds,
      codeOf,
      events,
      onRotationLost: reportLostRotation(operatorLog),
      pause,
      onReplay: (outcome, { clientId, grantId }) =>
        operatorLog.add({ event: "grants", name: `replay_${outcome}`, clientId, grantId }),
    }),
  };
}

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
