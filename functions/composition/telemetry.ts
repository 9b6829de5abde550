/**
 * OpenTelemetry, if the settings enable it. The SDK is a lazy chunk of the bundle. It is loaded after the first
 * response, and never if telemetry is off.
 */
import { randomUUID } from "node:crypto";
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { CacheSize } from "../../shared/cache/memory-cache.ts";
import type { FixedConfig, TelemetryConfig } from "../../shared/config/config.ts";
import { succeed } from "../../shared/core/result.ts";
import type { Outbound } from "../../shared/outbound/outbound.ts";
import type { LabelNames } from "../../shared/telemetry/labels.ts";
import { createLazyTelemetry, type Recorder, type Telemetry } from "../../shared/telemetry/telemetry.ts";
import type { Azure } from "./azure.ts";
import { outboundFor } from "./outbound-for.ts";
import type { RegistrationWithCredential } from "./registration.ts";

/** What metrics say about the policy in use. */
export interface MeasuredPolicy {
  readonly labels: LabelNames;
  readonly registrations: readonly RegistrationWithCredential[];
}

export interface TelemetryInput {
  readonly config: FixedConfig;
  readonly azure: Azure;
  readonly outbound: Outbound;
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
  readonly measured: () => MeasuredPolicy;
  readonly tokenCacheSize: () => CacheSize;
  readonly applicationOnly: RegistrationWithCredential | undefined;
}

const DAY_MS = 86_400_000;

export function createTelemetry(input: TelemetryInput): Telemetry | undefined {
  const { telemetry } = input.config;
  return telemetry === undefined
    ? undefined
    : createLazyTelemetry({
        load: () => load(input, telemetry),
        onUnusable: () => input.operatorLog.add({ event: "telemetry", name: "unusable" }),
      });
}

// ------------------------------------------------------------------------------------------------------------------

async function load(input: TelemetryInput, telemetry: TelemetryConfig): Promise<Recorder> {
  const [{ createOpenTelemetry }, { createOtlpSender }, outbound] = await Promise.all([
    import("../../shared/telemetry/open-telemetry.ts"),
    import("../../shared/telemetry/otlp-sender.ts"),
    outboundFor(input.outbound, telemetry.endpoint),
  ]);
  const { endpoint, headersSecretName } = telemetry;
  const sender = createOtlpSender({
    endpoint,
    outbound,
    headers: headersSecretName === undefined ? undefined : () => readHeaders(input, headersSecretName),
    onChange: (change) => input.operatorLog.add({ event: "telemetry", ...change }),
  });
  return createOpenTelemetry({
    config: telemetry,
    instanceId: randomUUID(),
    names: () => input.measured().labels,
    sender,
    gauges: { tokenCache: input.tokenCacheSize, credentials: () => credentialDays(input) },
  });
}

async function readHeaders({ azure }: TelemetryInput, secretName: string) {
  const secret = await (await azure.vault()).readSecret(secretName);
  return secret.ok ? succeed(secret.value.value) : secret;
}

/** Days to expiry of the credentials that are already loaded, without a call to Key Vault. */
async function credentialDays({ measured, applicationOnly, nowMs }: TelemetryInput) {
  const all = [...measured().registrations, ...(applicationOnly === undefined ? [] : [applicationOnly])];
  const described = await Promise.all(
    all.map(async ({ name, credential }) => ({ name, ...(await credential()).describe() })),
  );
  return described.flatMap(({ name, expiresAtSeconds }) =>
    expiresAtSeconds === undefined ? [] : [{ registration: name, days: (expiresAtSeconds * 1_000 - nowMs()) / DAY_MS }],
  );
}
