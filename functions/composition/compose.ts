/**
 * The composition root: from a checked configuration to everything the routes need. No logic, no I/O, no environment;
 * tests call it with a literal.
 */
import { createOperatorLog, type OperatorLog } from "../../shared/audit/operator-log.ts";
import { createBypassBudget } from "../../shared/cache/bypass-budget.ts";
import { createTokenCache } from "../../shared/cache/token-cache.ts";
import { createIssuerKeys, type IssuerKeys } from "../../shared/caller/issuer-keys.ts";
import { createCallerValidator } from "../../shared/caller/validate-caller.ts";
import type { Config } from "../../shared/config/config.ts";
import type { Stages } from "../../shared/exchange-token.ts";
import type { Identity } from "../../shared/http/write-failure.ts";
import { createGrantKeeper } from "../../shared/keep-grant.ts";
import { createHttpsOutbound } from "../../shared/outbound/https-outbound.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import { createAzure, createGrantParts, type GrantParts } from "./azure.ts";
import { createRegistration, type RegistrationWithCredential } from "./registration.ts";

/** What is not configuration: clocks and the network, so that tests can hold them. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly steadyMs: () => number;
  readonly outbound: Outbound;
}

export interface Service {
  readonly config: Config;
  readonly identity: Identity;
  readonly stages: Stages;
  readonly keys: IssuerKeys;
  readonly delegated: RegistrationWithCredential;
  readonly grantParts: GrantParts | undefined;
  readonly operatorLog: OperatorLog;
  readonly nowMs: () => number;
}

/** The real clocks and the real network. */
export function realSurroundings(): Surroundings {
  return { nowMs: () => Date.now(), steadyMs: () => performance.now(), outbound: createHttpsOutbound() };
}

export function compose(config: Config, { nowMs, steadyMs, outbound }: Surroundings): Service {
  const operatorLog = createOperatorLog(nowMs);
  const nowSeconds = () => Math.floor(nowMs() / 1_000);
  const { cloud, tenantId } = config;
  const authority = `${cloud.authorityHost}/${tenantId}`;
  const keys = createIssuerKeys({
    tenantId,
    tenantIssuer: `${authority}/v2.0`,
    keySetUrl: `${authority}/discovery/v2.0/keys`,
    outbound,
    now: steadyMs,
    onProblem: (problem) => operatorLog.add({ event: "keys", ...problem }),
  });
  const callers = createCallerValidator({
    tenantId,
    clientId: config.delegated.clientId,
    authorityHost: cloud.authorityHost,
    v1IssuerBase: cloud.v1IssuerBase,
    v1Audiences: config.v1Audiences,
    allowGuests: config.allowGuests,
    keys,
  });
  const azure = createAzure(config);
  const register = (registration: Config["delegated"]) =>
    createRegistration({ config, registration, azure, outbound, nowMs, operatorLog });
  const delegated = register(config.delegated);
  const grantParts =
    config.grants === undefined ? undefined : createGrantParts(config, config.grants, azure, { nowMs, operatorLog });
  return {
    config,
    identity: { tenantId, authorityHost: cloud.authorityHost, serviceUrl: config.serviceUrl },
    keys,
    delegated,
    grantParts,
    operatorLog,
    nowMs,
    stages: {
      callers,
      nowSeconds,
      tenantId,
      policy: config.policy,
      cache: createTokenCache({ maxBytes: config.tokenCacheMaxBytes, nowSeconds }),
      bypassBudget: createBypassBudget(nowSeconds),
      delegated,
      applicationOnly: config.applicationOnly === undefined ? undefined : register(config.applicationOnly),
      grants: createGrantKeeper({
        grants: grantParts?.grants,
        onRotationLost: (grantId, failure) =>
          operatorLog.add({ event: "grants", name: "rotation_lost", grantId, reason: failure.kind }),
      }),
    },
  };
}
