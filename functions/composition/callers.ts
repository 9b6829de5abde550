/** Validation of callers: Entra's signing keys, the validator, and the cache of verified tokens. */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import { type CallerKeys, createCallerKeys } from "../../shared/caller/caller-keys.ts";
import { createIssuerKeys, type IssuerKeysInput } from "../../shared/caller/issuer-keys.ts";
import { type CallerValidator, createCallerValidator } from "../../shared/caller/validate-caller.ts";
import { createVerifiedTokens } from "../../shared/caller/verified-tokens.ts";
import type { Config, FixedConfig } from "../../shared/config/config.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";

export interface KeysInput {
  readonly config: FixedConfig;
  readonly outbound: Outbound;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly operatorLog: OperatorLog;
}

/** Anyone can send such a token, so operators get one event an hour. */
const REPORT_PAUSE_MS = 60 * 60 * 1000;

/** The verified tokens are forgotten with each new policy, so that no check survives that a policy has changed. */
export function createCallers(
  { keys, onUnknownKey }: { readonly keys: CallerKeys; readonly onUnknownKey: () => void },
  config: Config,
): CallerValidator {
  const { cloud } = config;
  return createCallerValidator({
    tenantId: config.tenantId,
    clientId: config.delegated.clientId,
    authorityHost: cloud.authorityHost,
    v1IssuerBase: cloud.v1IssuerBase,
    appIdUri: config.appIdUri,
    graphResources: cloud.graphResources,
    v1Audiences: config.v1Audiences,
    allowGuests: config.allowGuests,
    keys,
    verified: createVerifiedTokens({ keys }),
    onUnknownKey,
  });
}

/** The keys of the tenant, and those that Entra uses only for tokens of the registration (claims mapping). */
export function createKeys({ config, outbound, steadyMs, operatorLog }: KeysInput): CallerKeys {
  const { cloud, tenantId, delegated } = config;
  const authority = `${cloud.authorityHost}/${tenantId}`;
  const keySetUrl = `${authority}/discovery/v2.0/keys`;
  const create = (keySet: string, more: Pick<IssuerKeysInput, "keySetUrl" | "isElsewhere">) =>
    createIssuerKeys({
      tenantId,
      tenantIssuer: `${authority}/v2.0`,
      outbound,
      now: steadyMs,
      onProblem: (problem) => operatorLog.add({ event: "keys", keySet, ...problem }),
      ...more,
    });
  const tenant = create("tenant", { keySetUrl });
  const registration = create("registration", {
    keySetUrl: `${keySetUrl}?appid=${delegated.clientId}`,
    isElsewhere: tenant.has,
  });
  return createCallerKeys({ tenant, registration });
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
