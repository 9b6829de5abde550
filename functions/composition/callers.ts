/** Validation of callers: Entra's signing keys, the validator, and the cache of verified tokens. */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CallerKeys } from "../../shared/caller/caller-keys.ts";
import { createIssuerKeys, type IssuerKeys, type IssuerKeysInput } from "../../shared/caller/issuer-keys.ts";
import { type CallerValidator, createCallerValidator } from "../../shared/caller/validate-caller.ts";
import { createVerifiedTokens } from "../../shared/caller/verified-tokens.ts";
import type { Config, DelegatedRegistrationConfig, FixedConfig } from "../../shared/config/config.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import { keepByKey } from "./keep-by-key.ts";

export interface KeysInput {
  readonly config: FixedConfig;
  readonly outbound: Outbound;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly operatorLog: OperatorLog;
}

/** Anyone can send such a token, so operators get one event an hour. */
const REPORT_PAUSE_MS = 60 * 60 * 1000;

/** Entra's keys. One object for each key set, so that a new policy does not read a key set again. */
export interface KeySets {
  readonly tenant: IssuerKeys;
  /** The keys that Entra uses only for tokens of one registration (claims mapping). */
  readonly ofRegistration: (registration: Pick<DelegatedRegistrationConfig, "name" | "clientId">) => IssuerKeys;
  /** See `KeptValues`. */
  readonly startPolicy: () => void;
}

/** The verified tokens are forgotten with each new policy, so that no check survives that a policy has changed. */
export function createCallers(keys: CallerKeys, onUnknownKey: () => void, config: Config): CallerValidator {
  const { cloud } = config;
  return createCallerValidator({
    tenantId: config.tenantId,
    registrations: config.registrations,
    authorityHost: cloud.authorityHost,
    v1IssuerBase: cloud.v1IssuerBase,
    graphResources: cloud.graphResources,
    v1Audiences: config.v1Audiences,
    allowGuests: config.allowGuests,
    keys,
    verified: createVerifiedTokens({ keys }),
    onUnknownKey,
  });
}

/** What an operator event calls a key set. */
type KeySetNames = { readonly keySet: "tenant" } | { readonly keySet: "registration"; readonly registration: string };

export function createKeySets({ config, outbound, steadyMs, operatorLog }: KeysInput): KeySets {
  const { cloud, tenantId } = config;
  const authority = `${cloud.authorityHost}/${tenantId}`;
  const keySetUrl = `${authority}/discovery/v2.0/keys`;
  const create = (set: KeySetNames, more: Pick<IssuerKeysInput, "keySetUrl" | "isElsewhere">) =>
    createIssuerKeys({
      tenantId,
      tenantIssuer: `${authority}/v2.0`,
      outbound,
      now: steadyMs,
      onProblem: (problem) => operatorLog.add({ event: "keys", ...set, ...problem }),
      ...more,
    });
  const tenant = create({ keySet: "tenant" }, { keySetUrl });
  const kept = keepByKey(({ name, clientId }: Pick<DelegatedRegistrationConfig, "name" | "clientId">) => {
    const names = { keySet: "registration", registration: name } as const;
    return create(names, { keySetUrl: `${keySetUrl}?appid=${clientId}`, isElsewhere: tenant.has });
  });
  return { tenant, ofRegistration: kept.of, startPolicy: kept.startPolicy };
}

export function createUnknownKeyReport({
  steadyMs,
  operatorLog,
}: Pick<KeysInput, "steadyMs" | "operatorLog">): () => void {
  let reportedAtMs: number | undefined;
  return () => {
    const nowMs = steadyMs();
    if (reportedAtMs !== undefined && nowMs - reportedAtMs < REPORT_PAUSE_MS) return;
    reportedAtMs = nowMs;
    operatorLog.add({ event: "keys", reason: "key_unknown" });
  };
}
