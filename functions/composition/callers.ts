/** Validation of callers: Entra's signing keys, the validator, and the cache of verified tokens. */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import { createIssuerKeys, type IssuerKeys } from "../../shared/caller/issuer-keys.ts";
import { type CallerValidator, createCallerValidator } from "../../shared/caller/validate-caller.ts";
import { createVerifiedTokens } from "../../shared/caller/verified-tokens.ts";
import type { Config } from "../../shared/config/config.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";

export interface CallersInput {
  readonly config: Config;
  readonly outbound: Outbound;
  /** Milliseconds of a monotonic clock. */
  readonly steadyMs: () => number;
  readonly operatorLog: OperatorLog;
}

export function createCallers(input: CallersInput): { readonly keys: IssuerKeys; readonly callers: CallerValidator } {
  const { config, outbound, steadyMs, operatorLog } = input;
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
    verified: createVerifiedTokens({ keys }),
  });
  return { keys, callers };
}
