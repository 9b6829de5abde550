/** Validation of callers: Entra's signing keys, the validator, and the cache of verified tokens. */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import { type CallerKeys, createCallerKeys } from "../../shared/caller/caller-keys.ts";
import { createIssuerKeys, type IssuerKeysInput } from "../../shared/caller/issuer-keys.ts";
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

export function createCallers(input: CallersInput): { readonly keys: CallerKeys; readonly callers: CallerValidator } {
  const { config } = input;
  const { cloud, tenantId } = config;
  const keys = createKeys(input);
  const callers = createCallerValidator({
    tenantId,
    registrations: config.registrations,
    authorityHost: cloud.authorityHost,
    v1IssuerBase: cloud.v1IssuerBase,
    graphResources: cloud.graphResources,
    v1Audiences: config.v1Audiences,
    allowGuests: config.allowGuests,
    keys,
    verified: createVerifiedTokens({ keys }),
    onUnknownKey: createUnknownKeyReport(input),
  });
  return { keys, callers };
}

// ------------------------------------------------------------------------------------------------------------------

/** Anyone can send such a token, so operators get one event an hour. */
const REPORT_PAUSE_MS = 60 * 60 * 1000;

/** What an operator event calls a key set. */
type KeySetNames = { readonly keySet: "tenant" } | { readonly keySet: "registration"; readonly registration: string };

/** The keys of the tenant, and those that Entra uses only for tokens of one registration (claims mapping). */
function createKeys({ config, outbound, steadyMs, operatorLog }: CallersInput): CallerKeys {
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
  const registrations = config.registrations.map(({ name, clientId }) => {
    const names = { keySet: "registration", registration: name } as const;
    const keys = create(names, { keySetUrl: `${keySetUrl}?appid=${clientId}`, isElsewhere: tenant.has });
    return [clientId, keys] as const;
  });
  return createCallerKeys({ tenant, registrations: new Map(registrations) });
}

function createUnknownKeyReport({ steadyMs, operatorLog }: CallersInput): () => void {
  let reportedAtMs: number | undefined;
  return () => {
    const nowMs = steadyMs();
    if (reportedAtMs !== undefined && nowMs - reportedAtMs < REPORT_PAUSE_MS) return;
    reportedAtMs = nowMs;
    operatorLog.add({ event: "keys", reason: "key_unknown" });
  };
}
